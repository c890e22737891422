"""Who is in which segment: every declared segment held against the facts of one subject. Pure.

Times are microseconds since 1970 in UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from suzani.kernel import NotFound
from suzani.segments.moments import Temporal, day_of_value
from suzani.segments.reading import Segment, load_segments, parse_segments
from suzani.segments.rules import Condition, Holds, Simple, split, walk
from suzani.segments.types import Change, Facts, Memberships, Reason
from suzani.traits import Plan, Thresholds

Compiled: TypeAlias = tuple[str, list[Simple], list[Holds]]
"""A segment's name, and what must hold for it."""


class Affected(NamedTuple):
    """What depends on some traits: segments by name and compiled, and all the traits that they ask about;
    `by_day`: membership follows from dates among these traits, too."""

    names: frozenset[str]
    compiled: Sequence[Compiled]
    needed: frozenset[str]
    by_day: bool


class Rules:
    """Every segment, ready to be held against facts. Made once; safe to share, as it never changes.

    `thresholds`: by trait that a rule asks about, the numbers it is compared with (for `Plan.watch`).
    `dated`: the traits that hold dates which rules compare with the day; `next_change` follows from them.
    """

    def __init__(self, segments: Sequence[Segment], plan: Plan) -> None:
        self.segments: Final = tuple(segments)
        self.names: Final = tuple(segment.name for segment in segments)
        self._plan: Final = plan
        self._by_name: Final = {segment.name: segment for segment in segments}
        self._compiled: Final = [(segment.name, *split(segment.rule)) for segment in segments]
        self._timed: Final = _timed(segments)
        self.dated: Final = frozenset(name for section, name, _ in self._timed if section == "traits")
        self._asking: Final = {segment.name: _asked_traits(segment) for segment in segments}
        self._affected: Final = lru_cache(4096)(self._affected_by)
        self._today: Final = lru_cache(8)(plan.calendar.day)
        self.thresholds: Final[Thresholds] = _thresholds(segments)

    def members(self, facts: Facts, as_of: int) -> frozenset[str]:
        """The segments that a subject is in."""
        return self._evaluated(self._compiled, set(), facts, as_of)

    def affected(self, traits: frozenset[str]) -> Affected:
        """What depends on some traits; reckoned once for each combination of traits."""
        return self._affected(traits)

    def update(self, before: frozenset[str], facts: Facts, as_of: int, affected: Affected) -> frozenset[str]:
        """The segments that a subject is in, who was in those of `before` until some traits may have changed.

        Holds only what depends on these traits against the facts: nothing else may have changed since, and no
        `next_change` may have passed. `facts` need no traits but those that are needed.
        """
        return self._evaluated(affected.compiled, set(before - affected.names), facts, as_of)

    def _evaluated(
        self, compiled: Sequence[Compiled], found: set[str], facts: Facts, as_of: int
    ) -> frozenset[str]:
        given = self._given(facts, as_of, found)
        for name, simple, rest in compiled:
            for section, place, test in simple:
                if not test(given[section].get(place)):
                    break
            else:
                for holds in rest:
                    if not holds(given):
                        break
                else:
                    found.add(name)
        return frozenset(found)

    def _affected_by(self, traits: frozenset[str]) -> Affected:
        """The segments that ask about one of these traits, or about such a segment."""
        names: set[str] = set()
        for segment in self.segments:
            if not (traits.isdisjoint(self._asking[segment.name]) and names.isdisjoint(segment.builds_on())):
                names.add(segment.name)
        compiled = [entry for entry in self._compiled if entry[0] in names]
        needed = frozenset[str]().union(*(self._asking[name] for name in names))
        by_day = not traits.isdisjoint(self.dated)
        return Affected(frozenset(names), compiled, needed | self.dated if by_day else needed, by_day)

    def next_change(self, facts: Facts, as_of: int) -> int | None:
        """When membership may next change by time alone while no trait does; None when it never does."""
        calendar = self._plan.calendar
        given, today = self._given(facts, as_of, ()), calendar.day(as_of)
        turns = []
        for section, name, conditions in self._timed:
            holders = given[section] if section == "products" else (given[section],)
            for value in [holder[name] for holder in holders if holder.get(name) is not None]:
                day = day_of_value(value, calendar)
                if day is not None:
                    turns += [condition.turns(day, today) for condition in conditions]
        days = [turn for turn in turns if turn is not None]
        return calendar.midnight(min(days)) if days else None

    def explain(self, facts: Facts, name: str, as_of: int) -> Reason:
        """Why a subject is in a segment, or why not. Raises NotFound for an unknown segment."""
        given = self._given(facts, as_of, self.members(facts, as_of))
        return self._told(self.segment(name).rule.reason(given), given)

    def segment(self, name: str) -> Segment:
        """A segment by name. Raises NotFound with the known ones."""
        if name not in self._by_name:
            raise NotFound.among("segment", name, self.names)
        return self._by_name[name]

    def only(self, names: Collection[str]) -> Rules:
        """The rules of some segments, and of those that they build on."""
        wanted = {self.segment(name).name for name in names}
        for segment in reversed(self.segments):
            if segment.name in wanted:
                wanted |= segment.builds_on()
        return Rules([segment for segment in self.segments if segment.name in wanted], self._plan)

    def declaring(self, text: str, where: str) -> Rules:
        """These rules with the segments that a text declares, in place of those of the same name."""
        return Rules(parse_segments(text, self._plan, where, self.segments), self._plan)

    def _given(self, facts: Facts, as_of: int, found: Collection[str]) -> dict[str, Any]:
        return {
            "profile": facts.profile,
            "consent": facts.consent,
            "traits": facts.traits,
            "products": facts.products,
            "segments": found,
            "today": self._today(as_of),
        }

    def _told(self, reason: Reason, given: dict[str, Any]) -> Reason:
        """The reason with those of the segments that it asks about."""
        section, _, name = reason.what.partition(".")
        if section == "segments":
            inner = self._by_name[name].rule.reason(given)
            return replace(reason, parts=(self._told(inner, given),))
        return replace(reason, parts=tuple(self._told(part, given) for part in reason.parts))


def load_rules(data_dir: Path | None, plan: Plan) -> Rules:
    """The segments shipped, with those of `<data_dir>/segments.yaml`. Raises InvalidInput."""
    return Rules(load_segments(data_dir, plan), plan)


def changes(before: Memberships, after: Memberships, at: datetime) -> list[Change]:
    """Who of `after` has left and entered which segments; subjects without a `before` were in none."""
    found = []
    for subject, now in after.items():
        then = before.get(subject, frozenset())
        if now != then:
            found += [Change(subject, name, entered=False, at=at) for name in sorted(then - now)]
            found += [Change(subject, name, entered=True, at=at) for name in sorted(now - then)]
    return found


def _asked_traits(segment: Segment) -> frozenset[str]:
    """The traits that a segment's own rule asks about."""
    asked = (node for node in walk(segment.rule) if isinstance(node, Condition))
    return frozenset(node.name for node in asked if node.section == "traits")


def _timed(segments: Iterable[Segment]) -> list[tuple[str, str, list[Temporal]]]:
    """Every condition that depends on the day, once, by section and name."""
    found: dict[tuple[str, str], dict[str, Temporal]] = {}
    for segment in segments:
        for node in walk(segment.rule):
            for section, name, key, condition in node.timed():
                found.setdefault((section, name), {})[key] = condition
    return [(section, name, list(conditions.values())) for (section, name), conditions in found.items()]


def _thresholds(segments: Iterable[Segment]) -> Thresholds:
    found: dict[str, set[float]] = {}
    for segment in segments:
        for node in walk(segment.rule):
            if isinstance(node, Condition) and node.section == "traits":
                found.setdefault(node.name, set()).update(node.thresholds())
    return {name: sorted(limits) for name, limits in found.items()}
