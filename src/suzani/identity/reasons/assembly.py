"""How a person came to be: average linkage replayed step by step on the stored evidence, and what did not
join. Pure.

Restricting average linkage to the records of one finished cluster gives the very joins that the whole run
made there, since no join with anything else came between them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels.copies import MANY
from suzani.identity.pairs.partition import Options
from suzani.identity.reasons.explaining import RecordName

Pair = tuple[int, int]
Odds = Mapping[Pair, float]
"""Log2 odds by pair of record ids, the smaller first; prior included, not clipped."""

Floats = npt.NDArray[np.float64]
ROUNDING_BITS = 0.02
"""Stored weights are rounded; an average this far below the cut may have been above it."""


class Joined(StrEnum):
    """What put two groups of records together."""

    MUST_LINK = "must-link"
    COPIES = "copies"
    EVIDENCE = "evidence"
    EARLIER = "held from before"


class Apart(StrEnum):
    """What keeps two groups of records apart."""

    CANNOT_LINK = "cannot-link"
    DIFFERENT_IDS = "different valid ids"
    EVIDENCE = "evidence below the cut"


@dataclass(frozen=True, slots=True)
class Restraints:
    """What stands above evidence: pairs that stewards linked or parted, and pairs with two different valid
    national ids. The smaller record id comes first."""

    must: frozenset[Pair] = frozenset()
    cannot: frozenset[Pair] = frozenset()
    clashes: frozenset[Pair] = frozenset()


@dataclass(frozen=True, slots=True)
class PairOdds:
    """Two records and the log2 odds that they are one person; None for a pair that was not scored."""

    record_a: int
    record_b: int
    odds_bits: float | None


@dataclass(frozen=True, slots=True)
class JoinStep:
    """Two groups of records that became one. `average_bits` is the average of the odds of all pairs between
    them as linkage counts it: no pair for more than the clip, an unscored one with its fixed odds."""

    order: int
    left: tuple[int, ...]
    right: tuple[int, ...]
    average_bits: float
    strongest: PairOdds
    weakest: PairOdds
    because: Joined


@dataclass(frozen=True, slots=True)
class Prevented:
    """A join that did not happen: some pair between the groups spoke for it, or a steward forbade it."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    person_id: int
    average_bits: float
    strongest: PairOdds
    because: Apart


@dataclass(frozen=True, slots=True)
class How:
    """How a person came to be: the steps in order, strongest first, and what was kept out.

    `replayed` is False for a person of more records than are linked pair by pair; it then has no steps.
    """

    person_id: int
    records: tuple[RecordName, ...]
    steps: tuple[JoinStep, ...]
    prevented: tuple[Prevented, ...]
    replayed: bool = True


def replay(
    records: Sequence[int], odds: Odds, must: Collection[Pair], options: Options
) -> tuple[JoinStep, ...]:
    """The joins that made one person of these records: copies, then evidence, best first.

    A steward's must-link is a step where evidence alone would stop, so that the steps tell what it did; where
    that does not explain the person, must-links come first, as in the engine. Among equals the groups with
    the most evidence are joined first or, where only that explains the person, those of the lowest records.
    What nothing explains (evidence that has changed since) is joined last and says so: the steps always end
    in one group. The order of the input does not matter. Pure.
    """
    told: list[tuple[JoinStep, ...]] = []
    for way in _WAYS if must else _WAYS[:2]:
        told.append(_replayed(records, odds, must, options, way))
        if not _unexplained(told[-1]):
            return told[-1]
    return min(told, key=_unexplained)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a replay goes on: must-links before evidence or after it, and who is first among equals: those with
    the most evidence, or those of the lowest records."""

    must_first: bool
    by_evidence: bool


_WAYS = (_Way(False, True), _Way(False, False), _Way(True, True), _Way(True, False))
"""In the order in which they are tried: those that are told best come first."""


def _unexplained(steps: Sequence[JoinStep]) -> int:
    return sum(step.because is Joined.EARLIER for step in steps)


def _replayed(
    records: Sequence[int], odds: Odds, must: Collection[Pair], options: Options, way: _Way
) -> tuple[JoinStep, ...]:
    """The joins in one of the ways."""
    copies = _copies(records, odds)
    hub_of = {leaf: hub for hub, leaves in copies.items() for leaf in leaves}
    linkage = _Linkage(sorted(set(records) - set(hub_of)), odds, options, way)
    linked = [(hub_of.get(a, a), hub_of.get(b, b)) for a, b in must]
    for hub, leaves in sorted(copies.items()):
        linkage.attach(hub, leaves)
    linkage.join_all(linked)
    return tuple(linkage.steps)


def _copies(records: Sequence[int], odds: Odds) -> dict[int, tuple[int, ...]]:
    """Records that were matched with their original alone, by original.

    Of a great many copies one stands for all: it is the one neighbour of each, with the same odds to all.
    """
    inside = set(records)
    neighbours: dict[int, list[int]] = {}
    for a, b in odds:
        if a in inside and b in inside:
            neighbours.setdefault(a, []).append(b)
            neighbours.setdefault(b, []).append(a)
    alike: dict[tuple[int, float], list[int]] = {}
    for record, others in neighbours.items():
        if len(others) == 1 and len(neighbours[others[0]]) > 1:
            pair = min(record, others[0]), max(record, others[0])
            alike.setdefault((others[0], odds[pair]), []).append(record)
    return {hub: tuple(sorted(of)) for (hub, _), of in alike.items() if len(of) >= MANY - 1}


class _Linkage:
    """The groups of a replay under way: their members, and sums of odds between them."""

    def __init__(self, records: Sequence[int], odds: Odds, options: Options, way: _Way) -> None:
        self.steps: list[JoinStep] = []
        self._way = way
        self._odds = odds
        self._options = options
        self._members: list[tuple[int, ...]] = [(record,) for record in records]
        self._at = {record: place for place, record in enumerate(records)}
        self._size = np.ones(len(records))
        self._total = np.full((len(records), len(records)), options.unscored_bits)
        self._unclipped = self._total.copy()
        for (a, b), bits in odds.items():
            if a in self._at and b in self._at:
                i, j = self._at[a], self._at[b]
                clipped = min(max(bits, -options.clip_bits), options.clip_bits)
                self._total[i, j] = self._total[j, i] = clipped
                self._unclipped[i, j] = self._unclipped[j, i] = bits

    def attach(self, hub: int, leaves: tuple[int, ...]) -> None:
        """Put copies beside their original; they do not count in averages."""
        place = self._at[hub]
        left = self._members[place]
        pairs = [self._pair(hub, leaf) for leaf in leaves]
        bits = [min(pair.odds_bits or 0.0, self._options.clip_bits) for pair in pairs]
        average = round(sum(bits) / len(bits), 2)
        order = len(self.steps) + 1
        strongest, weakest = _ends(pairs)
        self.steps.append(JoinStep(order, left, leaves, average, strongest, weakest, Joined.COPIES))
        self._members[place] = tuple(sorted(left + leaves))

    def join_all(self, must: Collection[Pair]) -> None:
        """Join all groups: by evidence, the nearest first, by must-links, and what is left after both."""
        by = (self._join_linked, self._join_near)
        for join in by if self._way.must_first else reversed(by):
            join(must)
        while len(alive := self._alive()) > 1:
            i, j, _ = self._nearest(alive)
            self._join(i, j, Joined.EARLIER)

    def _join_near(self, must: Collection[Pair]) -> None:
        """Join the nearest two groups while their evidence suffices."""
        while len(alive := self._alive()) > 1:
            i, j, average = self._nearest(alive)
            if average <= self._options.cut_bits - ROUNDING_BITS:
                return
            self._join(i, j, Joined.EVIDENCE)

    def _join_linked(self, must: Collection[Pair]) -> None:
        """Join the groups that must-links name, the nearest first."""
        while linked := self._linked(must):
            self._join(*self._places(linked), Joined.MUST_LINK, linked)

    def _places(self, pair: Pair) -> tuple[int, int]:
        i, j = self._at[pair[0]], self._at[pair[1]]
        return min(i, j), max(i, j)

    def _linked(self, must: Collection[Pair]) -> Pair | None:
        """The must-link that is to join the nearest two groups next."""

        def nearness(pair: Pair) -> tuple[float, int, int]:
            i, j = self._places(pair)
            return float(self._total[i, j] / (self._size[i] * self._size[j])), -pair[0], -pair[1]

        apart = [pair for pair in must if len(set(self._places(pair))) == 2]
        return max(apart, key=nearness, default=None)

    def _nearest(self, alive: npt.NDArray[np.int64]) -> tuple[int, int, float]:
        """The nearest two groups and their average; among equals the first in the way of this replay."""
        grid = np.ix_(alive, alive)
        pairs = np.outer(self._size[alive], self._size[alive])
        average = self._total[grid] / pairs
        np.fill_diagonal(average, -np.inf)
        best = float(average.max())
        evidence = self._unclipped[grid] / pairs if self._way.by_evidence else np.zeros_like(average)
        first = np.where(average > best - 1e-9, evidence, -np.inf)
        i, j = divmod(int(first.argmax()), len(alive))
        return int(alive[i]), int(alive[j]), best

    def _alive(self) -> npt.NDArray[np.int64]:
        return np.flatnonzero(self._size)

    def _join(self, i: int, j: int, because: Joined, linked: Pair | None = None) -> None:
        i, j = min(i, j), max(i, j)
        left, right = self._members[i], self._members[j]
        pairs = [self._pair(a, b) for a in left for b in right]
        average = round(float(self._total[i, j] / (self._size[i] * self._size[j])), 2)
        strongest, weakest = _ends(pairs)
        if linked and strongest.odds_bits is None:
            strongest = weakest = self._pair(*linked)
        order = len(self.steps) + 1
        self.steps.append(JoinStep(order, left, right, average, strongest, weakest, because))
        self._members[i] = tuple(sorted(left + right))
        for total in (self._total, self._unclipped):
            total[i] += total[j]
            total[:, i] += total[:, j]
        self._size[i] += self._size[j]
        self._size[j] = 0
        for record, place in self._at.items():
            if place == j:
                self._at[record] = i

    def _pair(self, a: int, b: int) -> PairOdds:
        low, high = min(a, b), max(a, b)
        return PairOdds(low, high, self._odds.get((low, high)))


def _ends(pairs: Sequence[PairOdds]) -> tuple[PairOdds, PairOdds]:
    """The strongest and the weakest of some pairs; scored ones come before others."""

    def bits(pair: PairOdds) -> float:
        return -np.inf if pair.odds_bits is None else pair.odds_bits

    scored = [pair for pair in pairs if pair.odds_bits is not None] or list(pairs)
    return max(pairs, key=bits), min(scored, key=bits)
