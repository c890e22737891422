"""What comes out of the envelope is what the sender meant, with times one can believe."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.events import MARK, Event, EventType, Malformed, Origin, Reason, decode, encode
from suzani.events.moments import AHEAD_US, EARLY_US, happened_at, microseconds
from suzani.events.payloads import LARGEST_EVENT, LONGEST_ID, read_head

NOW = 1_795_340_000_000_000
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def taken(event: dict[str, Any], **origin: Any) -> Event:
    raw = json.dumps(event).encode()
    return decode(encode(Origin(**{"source": "web", "channel": "web", "received_at": NOW} | origin), raw))


def track(**fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Card Authorised", "userId": "u1", "messageId": "m1"} | fields


def test_an_event_comes_back_as_it_was_sent() -> None:
    sent = track(
        properties={"amount": 12.5}, context={"ip": "10.0.0.1"}, timestamp="2026-11-22T09:31:12.123Z"
    )
    event = taken(sent)
    assert (event.type, event.name, event.user_id, event.source) == ("track", "Card Authorised", "u1", "web")
    assert event.properties == {"amount": 12.5}
    assert event.context == {"ip": "10.0.0.1"}
    assert event.at == 1_795_339_872_123_000


def test_the_same_message_of_one_source_has_one_digest_whenever_it_comes() -> None:
    first, again = taken(track()), taken(track(event="Other"), received_at=NOW + 5)
    assert first.message == again.message
    assert taken(track(), source="app").message != first.message
    assert taken(track(messageId="m2")).message != first.message


def test_a_batch_lends_its_context_and_integrations_and_the_event_wins() -> None:
    event = taken(
        track(context={"ip": "own"}, integrations={"A": True}),
        context=b'{"ip":"batch","locale":"uz"}',
        integrations=b'{"A":false,"All":true}',
    )
    assert event.context == {"ip": "own", "locale": "uz"}
    assert event.integrations == {"A": True, "All": True}


def test_the_senders_clock_is_corrected_by_when_it_says_it_sent() -> None:
    hour = 3_600_000_000
    late = track(timestamp="2026-11-22T08:00:00Z")
    sent_at = "2026-11-22T08:00:10Z"
    assert taken(late, sent_at=sent_at).at == NOW - 10_000_000
    assert taken(late | {"sentAt": sent_at}).at == NOW - 10_000_000
    assert abs(taken(late).at - NOW) > hour


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        ("2030-01-01T00:00:00Z", "future"),
        ("1970-01-01T00:00:00Z", "old"),
        ("yesterday", "unreadable"),
        ({}, "unreadable"),
    ],
)
def test_a_time_that_cannot_be_believed_becomes_the_receipt_and_is_marked(sent: Any, fault: str) -> None:
    event = taken(track(timestamp=sent))
    assert event.at == NOW
    assert event.context[MARK] == {"clock": fault, "timestamp": sent}


@pytest.mark.parametrize(
    "sent",
    [
        "2026-11-22T09:31:12.123Z",
        "2026-11-22T14:31:12.123+05:00",
        " 2026-11-22 09:31:12.123 ",
        "2026-11-22T09:31:12.123000000Z",
        1_795_339_872.123,
        1_795_339_872_123,
        1_795_339_872_123_000,
        1_795_339_872_123_000_000,
        "1795339872123",
    ],
)
def test_timestamps_are_read_however_they_are_written(sent: Any) -> None:
    assert microseconds(sent) == 1_795_339_872_123_000


@given(st.one_of(JSON, st.text(), st.integers(), st.floats()), st.none() | st.integers(-(10**18), 10**18))
def test_no_timestamp_is_ever_an_error_or_out_of_bounds(sent: Any, skew: int | None) -> None:
    at, fault = happened_at(sent, NOW, skew)
    assert EARLY_US <= at <= NOW + AHEAD_US
    assert at == NOW or not fault


def test_numbers_serve_as_ids() -> None:
    event = taken(track(userId=42, anonymousId=7.0))
    assert (event.user_id, event.anonymous_id) == ("42", "7")


def test_rudderstacks_dialect_is_understood() -> None:
    sent = {
        "type": "identify", "anonymousId": "a", "messageId": "m", "channel": "mobile",
        "originalTimestamp": "2026-11-22T09:31:12.123Z", "context": {"traits": {"email": "a@b.uz"}},
    }  # fmt: skip
    event = taken(sent)
    assert event.type is EventType.IDENTIFY
    assert event.traits == {"email": "a@b.uz"}
    assert event.channel == "app"
    assert event.at == 1_795_339_872_123_000


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_no_text_that_postgresql_cannot_hold_comes_out(properties: dict[str, Any]) -> None:
    event = taken(track(properties=properties | {"a\0b": ["\0"]}))
    assert "\\u0000" not in json.dumps([event.properties, event.context, event.traits])
    assert event.properties["ab"] == [""]


@pytest.mark.parametrize(
    ("sent", "reason", "place"),
    [
        ({"userId": "u"}, Reason.UNKNOWN_TYPE, "type"),
        ({"type": "sing", "userId": "u"}, Reason.UNKNOWN_TYPE, "type"),
        ({"type": "track", "userId": "u"}, Reason.MISSING_NAME, "event"),
        ({"type": "track", "event": " ", "userId": "u"}, Reason.MISSING_NAME, "event"),
        ({"type": "track", "event": "A"}, Reason.MISSING_IDENTITY, "userId"),
        ({"type": "track", "event": "A", "userId": " "}, Reason.MISSING_IDENTITY, "userId"),
        ({"type": "group", "userId": "u"}, Reason.MISSING_IDENTITY, "groupId"),
        ({"type": "alias", "userId": "u"}, Reason.MISSING_IDENTITY, "previousId"),
        ({"type": "page", "userId": True}, Reason.MALFORMED, "userId"),
        ({"type": "page", "userId": "u", "properties": []}, Reason.MALFORMED, "properties"),
        ({"type": "page", "userId": "u" * (LONGEST_ID + 1)}, Reason.MALFORMED, "userId"),
        ({"type": "page", "userId": "u", "x": "x" * LARGEST_EVENT}, Reason.TOO_LARGE, ""),
        ([], Reason.MALFORMED, ""),
    ],
)
def test_what_is_no_event_is_refused_with_the_place(sent: Any, reason: Reason, place: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_head(json.dumps(sent).encode())
    assert (refused.value.violation.reason, refused.value.violation.place) == (reason, place)


def test_a_product_number_says_whose_event_it_is() -> None:
    sent = {"type": "track", "event": "Card Authorised", "properties": {"product_number": 8600}}
    assert read_head(json.dumps(sent).encode())[1] == b"8600"


def test_the_route_says_which_call_it_is() -> None:
    assert taken({"type": "x", "userId": "u"}, call="page").type is EventType.PAGE


@given(st.binary())
def test_any_bytes_are_an_event_or_malformed(raw: bytes) -> None:
    for read in (read_head, decode, lambda raw: decode(encode(Origin("s", "c", NOW), raw))):
        with suppress(Malformed):
            read(raw)


@given(
    st.dictionaries(
        st.sampled_from(["type", "event", "userId", "timestamp", "properties", "context", "x"]), JSON
    )
)
def test_what_the_door_lets_in_comes_out_of_the_envelope(sent: dict[str, Any]) -> None:
    raw = json.dumps(sent).encode()
    try:
        read_head(raw, "track")
    except Malformed:
        return
    assert decode(encode(Origin("s", "c", NOW, call="track"), raw)).name
