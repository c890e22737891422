"""What follows from states: segments entered and left, and when time alone changes these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from suzani import profiles, segments
from suzani.activity import store
from suzani.activity.rows import microseconds
from suzani.activity.rules import Rules
from suzani.activity.states import SubjectState
from suzani.infra.db import Tx
from suzani.segments import Change, Facts
from suzani.traits import Value


class Touched(NamedTuple):
    """The traits of a subject that events may have changed; `are_late`: one is of an earlier tick."""

    traits: frozenset[str]
    are_late: bool


Known: TypeAlias = Mapping[int, profiles.Facts]
"""What product systems know of persons, by person."""

_NOBODY: Final = profiles.Facts({}, {})


class Evaluated(NamedTuple):
    """Who entered or left what, and the segments of every subject."""

    changes: Sequence[Change]
    segments: Mapping[int, frozenset[str]]


async def evaluate(
    tx: Tx,
    rules: Rules,
    states: Mapping[int, SubjectState],
    persons: Mapping[int, int | None],
    now: datetime,
    *,
    before: Mapping[int, frozenset[str]] | None = None,
    touched: Mapping[int, Touched] | None = None,
    gone: Collection[int] = (),
) -> Evaluated:
    """Keep the states of subjects and bring their segments up to date.

    `persons`: the person of each subject, None for a visitor; `before`: the segments of those of whom they
    are known; `touched`: what events have changed, of subjects left out anything may have; `gone`: subjects
    that became part of others and so leave every segment. All are locked by the caller.
    """
    before = dict(before or {})
    before |= await segments.memberships(tx, {*states, *gone} - before.keys())
    known = await known_of(tx, map(persons.get, states))
    after = dict.fromkeys(gone, frozenset[str]())
    at = microseconds(now)
    for subject, state in states.items():
        person = known.get(persons.get(subject) or 0, _NOBODY)
        changed = touched.get(subject) if touched else None
        if changed is None or not state.version or state.is_due(at):
            after[subject] = _anew(rules, state, person, at)
        else:
            after[subject] = _updated(rules, state, person, at, before.get(subject, frozenset()), changed)
    kept = {subject: state for subject, state in states.items() if not state.is_empty}
    await store.save_states(tx, rules.traits, kept, at)
    changes = await segments.apply_changes(tx, segments.changes(before, after, now), now)
    return Evaluated(changes, after)


async def known_of(tx: Tx, persons: Iterable[int | None]) -> Known:
    """What product systems know of these persons; None, a visitor's, is passed over."""
    wanted = {person for person in persons if person is not None}
    return await profiles.facts(tx, wanted) if wanted else {}


def facts_of(person: profiles.Facts | None, traits: Mapping[str, Value]) -> Facts:
    """What rules of segments may ask about a subject; None: a visitor."""
    found = person or _NOBODY
    return Facts(found.profile, found.products, traits, found.consent)


def _anew(rules: Rules, state: SubjectState, person: profiles.Facts, at: int) -> frozenset[str]:
    """Every segment held against everything."""
    facts = facts_of(person, rules.traits.values(state.traits, at))
    state.next_change = _earlier(rules.next_change(state.traits, at), rules.segments.next_change(facts, at))
    return rules.segments.members(facts, at)


def _updated(
    rules: Rules,
    state: SubjectState,
    person: profiles.Facts,
    at: int,
    was: frozenset[str],
    changed: Touched,
) -> frozenset[str]:
    """Only what asks about some traits. A next change that no longer comes does no harm when it is due."""
    traits = changed.traits
    # What else lies in the windows has been reckoned with before.
    comes = rules.next_change(state.traits, at, traits) if changed.are_late else rules.soonest(at, traits)
    state.next_change = _earlier(state.next_change, comes)
    affected = rules.segments.affected(traits)
    if not affected.needed:
        return was
    facts = facts_of(person, rules.traits.values(state.traits, at, affected.needed))
    if affected.by_day:
        state.next_change = _earlier(state.next_change, rules.segments.next_change(facts, at))
    return rules.segments.update(was, facts, at, affected)


def _earlier(a: int | None, b: int | None) -> int | None:
    return min(a, b) if a is not None and b is not None else a if b is None else b
