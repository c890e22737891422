"""Rules as they are held against facts: compiled to closures, explained part by part. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from suzani.kernel import InvalidInput, NotFound
from suzani.segments.moments import CLOSING, TEMPORAL, Temporal, day_of_value, thresholds
from suzani.segments.types import Reason
from suzani.traits import Calendar
from suzani.traits.conditions import OPERATORS, Test, operations, parse_test

Given: TypeAlias = Mapping[str, Any]
"""Facts by section (profile, consent, traits, products), `segments` found so far, and `today` as a day."""

Holds: TypeAlias = Callable[[Given], bool]

Simple: TypeAlias = tuple[str, str, Test]
"""A condition that does not depend on the day: section, name, and what tests the value."""


class Timed(NamedTuple):
    """A condition at a place that depends on the day. `key` tells it from others at that place."""

    section: str
    name: str
    key: str
    condition: Temporal


class Node(Protocol):
    """A rule, or a part of one."""

    def compiled(self) -> Holds:
        """What tells whether it holds; never raises."""
        ...

    def reason(self, given: Given) -> Reason:
        """Whether it holds, and why."""
        ...

    def inner(self) -> Sequence[Node]:
        """The rules it is made of."""
        ...

    def timed(self) -> Iterator[Timed]:
        """What of it depends on the day, without what it is made of."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """A condition on one value; `wanted` is as declared."""

    wanted: Any
    plain: Test | None
    temporal: tuple[Temporal, ...]
    calendar: Calendar

    def holds(self, value: Any, today: int) -> bool:
        """Whether a value satisfies it today."""
        if self.plain is not None and not self.plain(value):
            return False
        if not self.temporal:
            return True
        day = day_of_value(value, self.calendar)
        return day is not None and all(each.holds(day, today) for each in self.temporal)

    def timed(self, section: str, name: str) -> Iterator[Timed]:
        """What of it depends on the day, at a place."""
        return (Timed(section, name, f"{i} {self.wanted}", each) for i, each in enumerate(self.temporal))


def check(condition: Any, calendar: Calendar) -> Check:
    """The check of a condition as declared. Raises InvalidInput."""
    plain, temporal = {}, []
    for name, wanted in operations(condition).items():
        if name in TEMPORAL:
            temporal.append(TEMPORAL[name](wanted))
        elif name in OPERATORS:
            plain[name] = wanted
        else:
            known = NotFound.among("operator", name, [*OPERATORS, *TEMPORAL])
            raise InvalidInput(known.message, hint=known.hint)
    return Check(condition, parse_test(plain) if plain else None, tuple(temporal), calendar)


@dataclass(frozen=True, slots=True)
class Condition:
    """A value at a place (`traits.calls_30d`) satisfies a check."""

    section: str
    name: str
    check: Check

    def compiled(self) -> Holds:
        """A closure for the usual check, which does not depend on the day."""
        section, name, test, found = self.section, self.name, self.check.plain, self.check
        if test is not None and not found.temporal:
            return lambda given: test(given[section].get(name))
        return lambda given: found.holds(given[section].get(name), given["today"])

    def reason(self, given: Given) -> Reason:
        """With the value that was found."""
        value = given[self.section].get(self.name)
        holds = self.check.holds(value, given["today"])
        return Reason(holds, f"{self.section}.{self.name}", self.check.wanted, value)

    def inner(self) -> Sequence[Node]:
        """Nothing."""
        return ()

    def timed(self) -> Iterator[Timed]:
        """The checks on dates."""
        return self.check.timed(self.section, self.name)

    def thresholds(self) -> list[float]:
        """The numbers that the value is compared with."""
        return thresholds(self.check.wanted)


@dataclass(frozen=True, slots=True)
class InSegment:
    """The subject is in another segment, or is not."""

    segment: str
    wanted: bool

    def compiled(self) -> Holds:
        """Of the segments found so far."""
        segment, wanted = self.segment, self.wanted
        return lambda given: (segment in given["segments"]) is wanted

    def reason(self, given: Given) -> Reason:
        """Without the other segment's own reasons, which whoever knows it adds."""
        found = self.segment in given["segments"]
        return Reason(found is self.wanted, f"segments.{self.segment}", self.wanted, found)

    def inner(self) -> Sequence[Node]:
        """Nothing."""
        return ()

    def timed(self) -> Iterator[Timed]:
        """Nothing: the other segment tells its own."""
        return iter(())


@dataclass(frozen=True, slots=True)
class Products:
    """The number of products that satisfy every check satisfies a test.

    `is_open`: whether they must be open, or closed; None for either.
    """

    declared: Any
    checks: Mapping[str, Check]
    is_open: bool | None
    count: Test
    calendar: Calendar

    def compiled(self) -> Holds:
        """Counts the products that fit."""
        fitting, count = self._fitting(), self.count
        return lambda given: count(fitting(given))

    def reason(self, given: Given) -> Reason:
        """With how many fit."""
        fitting = self._fitting()(given)
        return Reason(self.count(fitting), "products", self.declared, fitting)

    def inner(self) -> Sequence[Node]:
        """Nothing."""
        return ()

    def timed(self) -> Iterator[Timed]:
        """The checks on dates, and the closing of products."""
        for name, found in self.checks.items():
            yield from found.timed("products", name)
        if self.is_open is not None:
            yield Timed("products", "closed_on", "", CLOSING)

    def _fitting(self) -> Callable[[Given], int]:
        """What counts the products that fit."""
        plain = [(name, found.plain) for name, found in self.checks.items() if found.plain]
        timed = [(name, found) for name, found in self.checks.items() if found.temporal]
        is_open = self.is_open

        def fitting(given: Given) -> int:
            count, today = 0, given["today"]
            for product in given["products"]:
                for name, test in plain:
                    if not test(product.get(name)):
                        break
                else:
                    if is_open is None or self._open(product, today) is is_open:
                        count += all(found.holds(product.get(name), today) for name, found in timed)
            return count

        return fitting

    def _open(self, product: Mapping[str, Any], today: int) -> bool:
        if product.get("status") == "closed":
            return False
        closed_on = product.get("closed_on")
        closes = None if closed_on is None else day_of_value(closed_on, self.calendar)
        return closes is None or closes > today


@dataclass(frozen=True, slots=True)
class Group:
    """All, any or none of some rules hold."""

    kind: str
    parts: tuple[Node, ...]

    def compiled(self) -> Holds:
        """Stops at the first part that decides."""
        if self.kind == "all":
            return _all(*split(self))
        return COMBINED[self.kind]([part.compiled() for part in self.parts])

    def reason(self, given: Given) -> Reason:
        """With the reasons of every part, those that no longer mattered included."""
        return Reason(
            self.compiled()(given), self.kind, parts=tuple(part.reason(given) for part in self.parts)
        )

    def inner(self) -> Sequence[Node]:
        """The parts."""
        return self.parts

    def timed(self) -> Iterator[Timed]:
        """Nothing: the parts tell their own."""
        return iter(())


def split(node: Node) -> tuple[list[Simple], list[Holds]]:
    """What must hold for a rule to hold: the simple conditions, which are tried first, and the rest."""
    parts = node.parts if isinstance(node, Group) and node.kind == "all" else (node,)
    simple: list[Simple] = []
    rest: list[Holds] = []
    for part in parts:
        if isinstance(part, Condition) and part.check.plain and not part.check.temporal:
            simple.append((part.section, part.name, part.check.plain))
        else:
            rest.append(part.compiled())
    return simple, rest


def _all(simple: list[Simple], rest: list[Holds]) -> Holds:
    def every(given: Given) -> bool:
        for section, name, test in simple:
            if not test(given[section].get(name)):
                return False
        for part in rest:  # noqa: SIM110 - twice as fast as all() with a generator
            if not part(given):
                return False
        return True

    return every


def _any(parts: list[Holds]) -> Holds:
    def some(given: Given) -> bool:
        for part in parts:  # noqa: SIM110 - likewise
            if part(given):
                return True
        return False

    return some


def _none(parts: list[Holds]) -> Holds:
    some = _any(parts)
    return lambda given: not some(given)


COMBINED: Final[Mapping[str, Callable[[list[Holds]], Holds]]] = {
    "all": lambda parts: _all([], parts),
    "any": _any,
    "none": _none,
}
"""How the parts of a group become one, by the group's name."""


def walk(node: Node) -> Iterator[Node]:
    """A rule and all rules inside it."""
    yield node
    for part in node.inner():
        yield from walk(part)
