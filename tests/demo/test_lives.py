from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from suzani.demo.lives import events
from suzani.events import Checker, Origin, decode, encode

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NUMBERS = [f"8600{number:012}" for number in range(40)]


def test_the_catalogue_knows_what_customers_do() -> None:
    checker = Checker(None)
    origin = Origin("demo", "demo", int(NOW.timestamp() * 1_000_000))
    for event in events(NUMBERS, 7, NOW):
        assert checker.check(decode(encode(origin, msgspec.json.encode(event)))) == []


def test_a_seed_gives_the_same_lives_with_a_message_id_for_each_event() -> None:
    first = list(events(NUMBERS, 7, NOW))
    assert first == list(events(NUMBERS, 7, NOW))
    assert len({event["messageId"] for event in first}) == len(first) > 10 * len(NUMBERS)
    assert all(event["timestamp"] < NOW.isoformat() for event in first)


def test_each_customer_is_known_by_a_product_in_the_end() -> None:
    known = {event["context"].get("product_number") for event in events(NUMBERS, 7, NOW)}
    assert known >= set(NUMBERS)
