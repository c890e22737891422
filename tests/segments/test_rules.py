from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suzani.kernel import NotFound
from suzani.segments import Facts, Reason, changes, load_rules
from suzani.traits import load_plan
from tests.segments.given import AS_OF, DAY, NOW, PLAN, facts, holds, rules, trees

CARD = {"kind": "card", "status": "open", "balance": Decimal("-10.50"), "opened_on": date(2026, 11, 1)}
OLD_LOAN = {"kind": "loan", "status": "closed", "balance": Decimal(0), "closed_on": date(2020, 1, 1)}
MALIKA = Facts(
    profile={"city": "Tashkent", "birth_date": date(1990, 11, 25), "systems": ["cards", "lending"]},
    products=(CARD, OLD_LOAN),
    traits={"calls": 3, "spend": 120.5, "days_since_app": None, "last_app_at": "2026-11-19T20:00:00.000Z"},
    consent={"marketing": "granted", "marketing_at": datetime.fromisoformat("2026-11-21T23:30:00+00:00")},
)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("profile.city: Tashkent", True),
        ("profile.city: {ne: Tashkent}", False),
        ("profile.city: [Nukus, Tashkent]", True),
        ("profile.city: {not_in: [Nukus]}", True),
        ("profile.city: {starts_with: Tash}", True),
        ("profile.city: {matches: '^t'}", False),
        ("profile.region: {ne: Tashkent}", False),
        ("profile.region: {exists: false}", True),
        ("profile.systems: {contains: cards}", True),
        ("traits.calls: 3", True),
        ("traits.calls: {gt: 3}", False),
        ("traits.calls: {gte: 3, lt: 4}", True),
        ("traits.calls: {between: [1, 3]}", True),
        ("traits.calls: {gt: a}", False),
        ("traits.days_since_app: {lt: 5}", False),
        ("traits.last_app_at: {days_ago: 2}", True),
        ("profile.birth_date: {age: {gte: 35}}", True),
        ("profile.birth_date: {age: {gte: 36}}", False),
        ("profile.birth_date: {anniversary_within: 3}", True),
        ("profile.birth_date: {anniversary_within: 2}", False),
        ("profile.birth_date: {before: 1990-11-26}", True),
        ("profile.birth_date: {after: '1990-11-25'}", False),
        ("profile.city: {age: {gte: 1}}", False),
        ("consent.marketing: granted", True),
        ("consent.marketing_at: {days_ago: 0}", True),
        ("products: {any: {kind: card}}", True),
        ("products: {any: {kind: card, balance: {gte: 0}}}", False),
        ("products: {none: {kind: loan, open: true}}", True),
        ("products: {count: 1, where: {open: true}}", True),
        ("products: {count: {gte: 2}}", True),
        ("products: {any: {opened_on: {days_ago: {lte: 21}}}}", True),
        ("all: [profile.city: Tashkent, traits.calls: 3]", True),
        ("any: [profile.city: Nukus, traits.calls: 3]", True),
        ("none: [profile.city: Nukus, traits.calls: 3]", False),
        ("{profile.city: Tashkent, none: {traits.calls: 4}}", True),
    ],
)
def test_a_rule_holds_or_not(rule: str, expected: bool) -> None:
    assert holds(rule, MALIKA) is expected


def test_of_a_visitor_without_a_person_only_traits_are_known() -> None:
    visitor = Facts(traits={"calls": 3})
    assert holds("traits.calls: 3", visitor)
    assert not holds("consent.marketing: granted", visitor)
    assert not holds("products: {any: {kind: card}}", visitor)


def test_segments_build_on_segments_whatever_their_order() -> None:
    found = rules(
        """
        segments:
          third: {segments.second: true}
          second: {segments.first: true, segments.other: false}
          other: {profile.city: Nukus}
          first: {traits.calls: 3}
        """
    )
    assert found.members(MALIKA, AS_OF) == {"first", "second", "third"}
    assert set(found.only(["second"]).names) == {"first", "other", "second"}


def test_the_reasons_name_what_was_found_through_other_segments() -> None:
    found = rules("segments: {a: {any: [traits.calls: 5, segments.b: true]}, b: {profile.city: Nukus}}")
    assert found.explain(MALIKA, "a", AS_OF) == Reason(
        False,
        "any",
        parts=(
            Reason(False, "traits.calls", 5, 3),
            Reason(
                False, "segments.b", True, False, parts=(Reason(False, "profile.city", "Nukus", "Tashkent"),)
            ),
        ),
    )
    with pytest.raises(NotFound, match="segment 'c'"):
        found.explain(MALIKA, "c", AS_OF)


@settings(max_examples=300, deadline=None)
@given(trees, facts)
def test_reasons_and_membership_agree(rule: dict[str, Any], known: Facts) -> None:
    found = rules({"asked": rule})
    told = found.explain(known, "asked", AS_OF)
    assert told.holds is bool(found.members(known, AS_OF)) is plain(told)


def plain(reason: Reason) -> bool:
    """Whether a reason holds, by what its parts say."""
    parts = [plain(part) for part in reason.parts]
    combined = {"all": all(parts), "any": any(parts), "none": not any(parts)}
    return combined.get(reason.what, reason.holds)


@settings(max_examples=300, deadline=None)
@given(trees, facts)
def test_between_now_and_the_next_change_membership_stays(rule: dict[str, Any], known: Facts) -> None:
    found = rules({"asked": rule})
    as_of = AS_OF
    for _ in range(5):
        due = found.next_change(known, as_of)
        end = as_of + 4000 * DAY if due is None else due
        assert end > as_of
        for moment in (as_of + 1, (as_of + end) // 2, end - 1):
            assert found.members(known, moment) == found.members(known, as_of)
        if due is None:
            return
        as_of = due


@settings(max_examples=200, deadline=None)
@given(trees, trees, facts, facts)
def test_holding_only_what_has_changed_gives_the_same(
    one: dict[str, Any], other: dict[str, Any], known: Facts, later: Facts
) -> None:
    found = rules({"a": {"segments.b": True, "any": [one]}, "b": other, "c": {"none": {"segments.a": True}}})
    changed = frozenset(name for name in known.traits if known.traits[name] != later.traits[name])
    affected = found.affected(changed)
    after = Facts(known.profile, known.products, later.traits, known.consent)
    few = Facts(
        known.profile, known.products, {name: later.traits[name] for name in affected.needed}, known.consent
    )
    before = found.members(known, AS_OF)
    assert found.update(before, few, AS_OF, affected) == found.members(after, AS_OF)


def test_a_birthday_on_29_february_is_kept_on_1_march() -> None:
    born = Facts(profile={"birth_date": date(2008, 2, 29)})
    adult = rules("segments: {adult: {profile.birth_date: {age: {gte: 18}}}}")
    due = adult.next_change(born, AS_OF - 365 * DAY)
    assert due is not None
    assert PLAN.calendar.today(due) == date(2026, 3, 1)
    assert (adult.members(born, due - 1), adult.members(born, due)) == (frozenset(), {"adult"})


def test_thresholds_are_the_numbers_that_traits_are_compared_with() -> None:
    found = rules(
        """
        segments:
          a: {traits.calls: {between: [2, 4]}, traits.spend: {exists: true}}
          b: {any: [traits.calls: 3, traits.days_since_app: {gt: 30}]}
        """
    )
    assert found.thresholds == {"calls": [2, 3, 4], "spend": [], "days_since_app": [30]}


def test_changes_are_what_differs() -> None:
    found = changes(
        {1: frozenset("ab"), 2: frozenset("a")},
        {1: frozenset("bc"), 2: frozenset("a"), 3: frozenset("a")},
        NOW,
    )
    assert [(change.subject_id, change.segment, change.entered) for change in found] == [
        (1, "a", False),
        (1, "c", True),
        (3, "a", True),
    ]


@given(st.integers(0, 3))
@settings(max_examples=4, deadline=None)
def test_the_shipped_segments_find_who_they_are_for(calls: int) -> None:
    plan = load_plan()
    known = Facts(
        profile={"birth_date": date(1990, 11, 25), "phone": "998935550011"},
        products=(CARD,),
        traits={**plan.values(plan.empty(), AS_OF), "days_since_loan_started": calls},
        consent={"marketing": "granted"},
    )
    found = load_rules(None, plan)
    assert len(found.names) >= 12
    assert found.members(known, AS_OF) == {
        "reachable", "adults", "birthday_soon", "new_to_bank", "loan_intent", "loan_offer"
    }  # fmt: skip
