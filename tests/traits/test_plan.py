from __future__ import annotations

import random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suzani.events import Event
from suzani.traits import State, load_plan, read_events
from suzani.traits.definitions import parse_traits
from suzani.traits.plan import Plan
from tests.traits import oracle
from tests.traits.streams import AS_OF, DAY, HOUR, PLAN, TRAITS, event, streams

BERLIN = ZoneInfo("Europe/Berlin")


def state_of(events: list[Event], plan: Plan = PLAN) -> State:
    state = plan.empty()
    for found in events:
        plan.apply(state, found)
    return state


def roundtrip(state: State, as_of: int | None = None) -> State:
    return PLAN.decode(PLAN.encode(state, as_of))


def same(found: Any, expected: Any) -> bool:
    if isinstance(expected, float):
        return bool(found == pytest.approx(expected, rel=1e-12, abs=1e-9))
    return bool(found == expected)


@settings(max_examples=150, deadline=None)
@given(streams, st.integers(0, 40 * DAY))
def test_values_are_those_of_the_definitions_read_anew(events: list[Event], later: int) -> None:
    state = state_of(events)
    for as_of in (AS_OF, AS_OF + later):
        values = PLAN.values(state, as_of)
        for name, trait in TRAITS.items():
            expected = oracle.value(trait, events, as_of, BERLIN)
            assert same(values[name], expected), (name, values[name], expected)


@settings(max_examples=150, deadline=None)
@given(streams, st.randoms(use_true_random=False))
def test_order_batches_and_merges_make_no_difference(events: list[Event], chance: random.Random) -> None:
    expected = PLAN.values(state_of(events), AS_OF)
    shuffled = chance.sample(events, len(events))
    parts = [PLAN.empty()]
    for found in shuffled:
        if chance.random() < 0.2:
            parts.append(PLAN.empty())
        PLAN.apply(parts[-1], found)
        if chance.random() < 0.2:
            parts[-1] = roundtrip(parts[-1], AS_OF)
    while len(parts) > 1:
        first, second = (parts.pop(chance.randrange(len(parts))) for _ in range(2))
        parts.append(PLAN.merge(first, second))
    assert PLAN.values(parts[0], AS_OF) == expected
    assert PLAN.values(roundtrip(parts[0], AS_OF), AS_OF + DAY) == PLAN.values(state_of(events), AS_OF + DAY)


@settings(max_examples=50, deadline=None)
@given(streams, streams)
def test_no_events_change_nothing_and_merging_has_no_sides(a: list[Event], b: list[Event]) -> None:
    others = [msgspec.structs.replace(found, message=bytes(reversed(found.message))) for found in b]
    assert PLAN.merge(state_of(a), PLAN.empty()).cells == state_of(a).cells
    one, other = PLAN.merge(state_of(a), state_of(others)), PLAN.merge(state_of(others), state_of(a))
    assert one.cells == other.cells == state_of([*a, *others]).cells


@settings(max_examples=30, deadline=None)
@given(streams, st.randoms(use_true_random=False))
def test_states_made_anew_from_the_lake_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], chance: random.Random
) -> None:
    def text(value: dict[str, Any]) -> str | None:
        return msgspec.json.encode(value).decode() if value else None

    rows = [
        {
            "message": found.message,
            "source": found.source,
            "type": str(found.type),
            "name": found.name,
            "channel": found.channel,
            "at": found.at,
            "received_at": found.received_at,
            "user_id": found.user_id,
            "anonymous_id": found.anonymous_id,
            "properties": text(found.properties),
            "traits": text(found.traits),
            "context": text(found.context),
        }
        for found in chance.sample([*events, *events[:3]], len(events) + len(events[:3]))
    ]
    texts = (
        "source",
        "type",
        "name",
        "channel",
        "user_id",
        "anonymous_id",
        "properties",
        "traits",
        "context",
    )
    schema = pa.schema(
        [("message", pa.binary(16)), *((name, pa.string()) for name in texts)]
        + [(name, pa.timestamp("us", tz="UTC")) for name in ("at", "received_at")]
    )
    path = tmp_path_factory.mktemp("lake") / "events.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema), path)
    batches = pq.ParquetFile(path).iter_batches(batch_size=7)
    again = PLAN.recompute(found for batch in batches for found in read_events(batch))
    assert again.cells == state_of(events).cells


@settings(max_examples=100, deadline=None)
@given(streams)
def test_between_now_and_the_next_change_values_stay(events: list[Event]) -> None:
    state = state_of(events)
    as_of = AS_OF
    for _ in range(6):
        due = PLAN.next_change(state, as_of)
        end = as_of + 900 * DAY if due is None else due
        assert end > as_of
        before = PLAN.values(state, as_of)
        for moment in (as_of + 1, (as_of + end) // 2, end - 1):
            assert PLAN.values(state, max(moment, as_of)) == before
        if due is None:
            return
        as_of = due


def test_a_trait_that_grows_every_day_wakes_nobody_before_its_threshold() -> None:
    state = state_of([event(1, AS_OF - 3 * DAY)])
    assert PLAN.values(state, AS_OF)["days_since_paid"] == 3
    watch = PLAN.watch({"days_since_paid": [30]})
    due = watch.next_change(state, AS_OF)
    assert due is not None
    assert PLAN.values(state, due - 1)["days_since_paid"] == 29
    assert PLAN.values(state, due)["days_since_paid"] == 30
    later = watch.next_change(state, due)
    assert later is not None
    assert PLAN.values(state, later)["days_since_paid"] == 31
    assert watch.next_change(state, later) is None
    assert PLAN.watch({}).next_change(state, AS_OF) is None


@settings(max_examples=150, deadline=None)
@given(streams, streams, st.integers(0, 15 * 60))
def test_an_event_of_the_present_brings_no_change_sooner_than_is_told(
    past: list[Event], present: list[Event], seconds: int
) -> None:
    as_of = AS_OF + seconds * 1_000_000
    watch, state = PLAN.watch(dict.fromkeys(PLAN.names, (1, 7))), state_of(past)
    told = [watch.next_change(state, as_of), watch.soonest(as_of)]
    for found in present:
        if PLAN.tick(found.at) == PLAN.tick(as_of):
            PLAN.apply(state, msgspec.structs.replace(found, received_at=as_of))
    after = watch.next_change(state, as_of)
    assert after is None or min(one for one in told if one is not None) <= after


def test_sums_of_money_are_exact() -> None:
    events = [event(n, properties={"amount": 0.1}) for n in range(1000)]
    assert PLAN.values(state_of(events), AS_OF)["spend"] == 100


def test_sums_beyond_64_bits_are_kept() -> None:
    events = [event(n, properties={"amount": 999_999_999_999_999.5}) for n in range(40)]
    kept = roundtrip(state_of(events))
    assert PLAN.values(kept, AS_OF)["spend"] == 39_999_999_999_999_980
    assert kept.cells == state_of(events).cells


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**16, -(10**300), 1e300, "5", [1], {"a": 1}])
def test_what_is_no_usable_number_is_not_summed(value: object) -> None:
    state = state_of([event(1, properties={"amount": value}), event(2, properties={"amount": 2})])
    values = PLAN.values(roundtrip(state), AS_OF)
    assert (values["spend"], values["average_60d"]) == (2, 2)


def test_an_event_dated_in_the_future_counts_as_of_its_receipt() -> None:
    state = state_of([event(1, AS_OF + 400 * DAY)])
    values = PLAN.values(state, AS_OF)
    assert (values["paid_24h"], values["days_since_paid"]) == (1, 0)
    assert PLAN.values(state, AS_OF + 2 * DAY)["paid_24h"] == 0


def test_what_windows_have_left_behind_is_dropped_when_a_state_is_encoded() -> None:
    events = [event(n, AS_OF - n * DAY, received_at=AS_OF - n * DAY, channel="branch") for n in range(1, 700)]
    state = state_of(events)
    before = PLAN.values(state, AS_OF)
    kept = PLAN.encode(state, AS_OF)
    assert len(kept) < len(PLAN.encode(state_of(events)))
    assert max(len(pieces) for pieces in PLAN.decode(kept).cells) == 366
    assert PLAN.values(PLAN.decode(kept), AS_OF) == before


def test_a_million_different_values_do_not_blow_up_a_profile() -> None:
    plan = load_plan()
    state = plan.empty()
    for n in range(30_000):
        found = {"product_kind": f"kind-{n}", "reason": "x" * 10_000, "amount": n, "currency": "UZS"}
        at = AS_OF - n * 100_000_000
        name = ("Product Viewed", "Call Ended", "Card Authorised")[n % 3]
        plan.apply(state, event(n, at, name=name, properties=found, channel=f"channel-{n}"))
    assert len(plan.encode(state, AS_OF)) < 40_000
    assert plan.values(state, AS_OF)["products_viewed_30d"] == pytest.approx(8640, rel=0.1)


class TestChangedDeclarations:
    OLD = """
    traits:
      paid_30d: {kind: count, events: Paid, window: 30d}
      spend: {kind: sum, of: properties.amount, events: Paid}
      gone: {kind: count, events: Sent}
    """
    NEW = """
    traits:
      visits: {kind: count, events: Visited}
      spend: {kind: sum, of: properties.amount, events: Paid, title: Another title}
      paid_30d: {kind: count, events: Paid, window: 30d}
      paid_60d: {kind: count, events: Paid, window: 60d}
    """

    def plans(self) -> tuple[Plan, Plan]:
        return Plan(parse_traits(self.OLD)), Plan(parse_traits(self.NEW))

    def test_other_traits_keep_their_states(self) -> None:
        old, new = self.plans()
        state = new.decode(old.encode(state_of([event(1, properties={"amount": 5})], old)))
        assert new.stale(state) == ("visits", "paid_60d")
        assert new.values(state, AS_OF) == {"visits": None, "spend": 5, "paid_30d": 1, "paid_60d": None}

    def test_what_is_stale_stays_so_until_it_is_recomputed(self) -> None:
        old, new = self.plans()
        events = [event(1, AS_OF - 45 * DAY), event(2, AS_OF)]
        state = new.decode(old.encode(state_of(events, old), AS_OF))
        new.apply(state, event(3))
        state = new.merge(new.decode(new.encode(state, AS_OF)), new.empty())
        assert new.stale(state) == ("visits", "paid_60d")
        fresh = new.refresh(state, new.recompute([*events, event(3)]))
        assert new.stale(fresh) == ()
        assert new.values(fresh, AS_OF)["paid_60d"] == 3

    def test_a_title_or_an_order_changes_nothing_that_is_kept(self) -> None:
        old, new = self.plans()
        assert old.digest != new.digest
        assert Plan(parse_traits(self.OLD.replace("kind: sum", "title: Sum, kind: sum"))).digest == old.digest

    def test_a_new_customer_has_nothing_stale(self) -> None:
        _, new = self.plans()
        assert new.stale(new.decode(None)) == ()
        assert new.stale(new.decode(new.encode(new.empty()))) == ()


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xc1", b"\x93\x01\xc4\x01a\x90", b"\x93\x07\xc4\x00\x90"])
def test_bytes_that_are_no_state_are_refused(data: bytes) -> None:
    with pytest.raises(Exception, match="state of traits"):
        PLAN.decode(data)


def test_the_shipped_traits_tell_of_a_day_at_the_bank() -> None:
    plan = load_plan()
    paid = {"amount": 250_000.5, "currency": "UZS"}
    events = [
        event(1, AS_OF - 2 * HOUR, name="Card Authorised", channel="card", properties=paid),
        event(2, AS_OF - HOUR, name="Card Declined", channel="card", properties=paid),
        event(3, AS_OF - HOUR // 2, name="App Opened", channel="app"),
        event(4, AS_OF, name="Product Viewed", channel="app", properties={"product_kind": "mortgage"}),
    ]
    values = plan.values(state_of(events, plan), AS_OF)
    assert len(plan.names) >= 30
    assert values["card_spend_this_month"] == 250_000.5
    assert values["decline_share_7d"] == 0.5
    assert (values["first_channel"], values["last_channel"]) == ("card", "app")
    assert (values["last_product_viewed"], values["app_streak_days"]) == ("mortgage", 1)
    assert plan.values(state_of(events, plan), AS_OF, frozenset(["events_24h"])) == {"events_24h": 4}
