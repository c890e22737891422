"""Rules and facts for the tests of segments."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import yaml
from hypothesis import strategies as st

from suzani.segments import Facts, Rules
from suzani.segments.reading import parse_segments
from suzani.traits.definitions import parse_traits
from suzani.traits.plan import Plan

PLAN = Plan(
    parse_traits("""
time_zone: Asia/Tashkent
traits:
  calls: {kind: count, events: Call Ended, window: 30d}
  spend: {kind: sum, of: properties.amount, events: Paid, window: 30d}
  days_since_app: {kind: days_since, events: App Opened}
  last_app_at: {kind: last, of: at, events: App Opened}
""")
)

NOW = datetime.fromisoformat("2026-11-22T10:00:00+05:00")
AS_OF = int(NOW.timestamp()) * 1_000_000
DAY = 86_400_000_000


def rules(segments: dict[str, Any] | str) -> Rules:
    """Rules of segments declared as YAML, or as what YAML says."""
    text = segments if isinstance(segments, str) else yaml.safe_dump({"segments": segments}, sort_keys=False)
    return Rules(parse_segments(text, PLAN), PLAN)


def holds(rule: dict[str, Any] | str, facts: Facts, as_of: int = AS_OF) -> bool:
    """Whether one rule holds."""
    declared = yaml.safe_load(rule) if isinstance(rule, str) else rule
    return rules({"asked": declared}).members(facts, as_of) == {"asked"}


dates = st.dates(date(1940, 1, 1), date(2028, 12, 31))
near = st.dates(date(2026, 8, 1), date(2027, 3, 1))
products = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["card", "deposit", "loan"]),
        "status": st.sampled_from([None, "open", "closed"]),
        "balance": st.one_of(st.none(), st.integers(-5, 5).map(Decimal)),
        "opened_on": st.one_of(st.none(), dates, near),
        "closed_on": st.one_of(st.none(), near),
    }
)
facts = st.builds(
    Facts,
    profile=st.fixed_dictionaries(
        {"city": st.sampled_from([None, "Tashkent", "Nukus"]), "birth_date": st.one_of(st.none(), dates)}
    ),
    products=st.lists(products, max_size=3),
    traits=st.fixed_dictionaries(
        {
            "calls": st.integers(0, 5),
            "spend": st.one_of(st.integers(0, 5), st.floats(0, 5)),
            "days_since_app": st.one_of(st.none(), st.integers(0, 5)),
            "last_app_at": st.one_of(st.none(), st.just("2026-11-20T03:00:00.000Z")),
        }
    ),
    consent=st.fixed_dictionaries({"marketing": st.sampled_from([None, "granted", "denied"])}),
)

numbers = st.integers(0, 5)
_numeric = st.one_of(
    numbers,
    st.builds(lambda op, n: {op: n}, st.sampled_from(["gt", "gte", "lt", "lte", "ne"]), numbers),
    st.builds(lambda a, b: {"between": sorted([a, b])}, numbers, numbers),
    st.lists(numbers, min_size=1, max_size=2),
    st.builds(lambda known: {"exists": known}, st.booleans()),
)
_dated = st.one_of(
    st.builds(lambda n: {"days_ago": {"gte": n}}, st.integers(-60, 60)),
    st.builds(lambda n: {"days_ahead": {"lt": n}}, st.integers(-60, 60)),
    st.builds(lambda n: {"age": {"gt": n}}, st.integers(0, 90)),
    st.builds(lambda n: {"anniversary_within": n}, st.integers(0, 40)),
    st.builds(lambda day: {"before": day}, near),
)
_leaf = st.one_of(
    st.builds(
        lambda name, c: {f"traits.{name}": c}, st.sampled_from(["calls", "spend", "days_since_app"]), _numeric
    ),
    st.builds(lambda city: {"profile.city": city}, st.sampled_from(["Tashkent", "Nukus"])),
    st.just({"consent.marketing": "granted"}),
    st.builds(lambda c: {"profile.birth_date": c}, _dated),
    st.builds(lambda c: {"products": {"any": {"opened_on": c}}}, _dated),
    st.builds(
        lambda kind, o: {"products": {"none": {"kind": kind, "open": o}}}, st.just("card"), st.booleans()
    ),
    st.builds(lambda n: {"products": {"count": {"gte": n}, "where": {"open": True}}}, st.integers(1, 2)),
)
trees = st.recursive(
    _leaf,
    lambda inner: st.builds(
        lambda kind, parts: {kind: parts},
        st.sampled_from(["all", "any", "none"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)
