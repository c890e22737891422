"""Streams of events for the tests of traits, and the declarations they are tried on."""

from __future__ import annotations

import hashlib
from typing import Any

import yaml
from hypothesis import strategies as st

from suzani.events import Event, EventType
from suzani.traits.definitions import parse_traits
from suzani.traits.plan import Plan

AS_OF = 1_774_785_600_000_000
"""2026-03-29 12:00 UTC: clocks have just been put forward in Berlin, and a quarter is about to end."""

HOUR = 3_600_000_000
DAY = 24 * HOUR

DECLARED = """
time_zone: Europe/Berlin
traits:
  all_events: {kind: count}
  paid_7d: {kind: count, events: Paid, window: 7d}
  paid_24h: {kind: count, events: [Paid, Sent], window: 24h}
  paid_36m: {kind: count, events: Paid, window: 36m}
  web_30d: {kind: count, channel: web, window: 30d}
  pages_today: {kind: count, type: page, window: today}
  pages_yesterday: {kind: count, type: page, window: yesterday}
  spend: {kind: sum, of: properties.amount, events: Paid}
  spend_30d: {kind: sum, of: properties.amount, events: Paid, window: 30d}
  spend_this_week: {kind: sum, of: properties.amount, events: Paid, window: this week}
  spend_last_month: {kind: sum, of: properties.amount, events: Paid, window: last month}
  spend_this_quarter: {kind: sum, of: properties.amount, events: Paid, window: this quarter}
  spend_last_year: {kind: sum, of: properties.amount, events: Paid, window: last year}
  large: {kind: count, events: Paid, where: {properties.amount: {gte: 9}, properties.kind: a}, window: 90d}
  average_60d: {kind: average, of: properties.amount, events: Paid, window: 60d}
  least_7d: {kind: min, of: properties.amount, window: 7d}
  most_this_month: {kind: max, of: properties.amount, window: this month}
  first_kind: {kind: first, of: properties.kind}
  last_kind_24h: {kind: last, of: properties.kind, window: 24h}
  last_paid_at: {kind: last, of: at, events: Paid}
  first_at_30d: {kind: first, of: at, window: 30d}
  usual_channel: {kind: most_frequent, of: channel}
  usual_kind_90d: {kind: most_frequent, of: properties.kind, window: 90d}
  kinds_7d: {kind: distinct, of: properties.kind, window: 7d}
  amounts: {kind: distinct, of: properties.amount}
  streak: {kind: streak, events: Paid}
  streak_30d: {kind: streak, window: 30d}
  days_since_paid: {kind: days_since, events: Paid}
  share_7d: {kind: ratio, events: Paid, to: {events: [Paid, Sent]}, window: 7d}
  spend_per_page_30d: {kind: ratio, of: properties.amount, events: Paid, to: {type: page}, window: 30d}
  spend_trend_30d: {kind: trend, of: properties.amount, events: Paid, window: 30d}
  month_trend: {kind: trend, window: this month}
"""

TRAITS: dict[str, dict[str, Any]] = yaml.safe_load(DECLARED)["traits"]
PLAN = Plan(parse_traits(DECLARED))


def event(number: int, at: int = AS_OF, **fields: Any) -> Event:
    """An event with a digest made of a number."""
    given = {"type": EventType.TRACK, "name": "Paid", "channel": "web", "received_at": AS_OF, **fields}
    message = hashlib.blake2b(str(number).encode(), digest_size=16).digest()
    return Event(message=message, message_id=str(number), source="tests", at=at, **given)


amounts = st.one_of(
    st.none(),
    st.integers(-200, 200),
    st.decimals(-1000, 1000, places=2).map(float),
    st.sampled_from([True, "12", 0.1, 1e12, 123456789012.34, 0.000001]),
)
ages = st.one_of(
    st.integers(-DAY, 3 * HOUR),
    st.integers(0, 10 * DAY),
    st.integers(0, 200 * DAY),
    st.integers(0, 800).map(lambda days: days * DAY),
)
properties = st.fixed_dictionaries(
    {}, optional={"amount": amounts, "kind": st.sampled_from(["a", "b", "c", "", None])}
)
parts = st.tuples(
    ages,
    st.integers(0, DAY),
    st.sampled_from([EventType.TRACK, EventType.TRACK, EventType.PAGE, EventType.IDENTIFY]),
    st.sampled_from(["Paid", "Sent", "Other"]),
    st.sampled_from(["web", "app", "branch"]),
    properties,
)


def _event(number: int, part: tuple[int, int, EventType, str, str, dict[str, Any]]) -> Event:
    age, delay, kind, name, channel, found = part
    at = AS_OF - age
    return event(
        number,
        at,
        received_at=min(at + delay, AS_OF),
        type=kind,
        name=name,
        channel=channel,
        properties=found,
    )


streams = st.lists(parts, max_size=40).map(
    lambda found: [_event(number, part) for number, part in enumerate(found)]
)
"""Events of up to two years, some dated after they were received."""
