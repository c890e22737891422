"""What constraints do to persons at once, before all records are resolved again. Pure.

Must-links join the persons of their records whole. A person with a cannot-link inside comes apart: records
that may stay together do, strongest evidence first, and everything else follows the side it is nearer to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.persons.constraints import Groups, Pair, link
from suzani.identity.persons.types import Kind

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

UNSCORED_BITS = -6.0
"""What a pair without stored evidence counts."""


@dataclass(frozen=True)
class Evidence:
    """Scored pairs of records: log2 odds in bits."""

    a: Ints
    b: Ints
    odds_bits: Floats


def settle(
    record_id: Ints, person: Ints, must: Sequence[Pair], cannot: Sequence[Pair], evidence: Evidence
) -> Ints:
    """The smallest record of each record's new cluster, under constraints that do not contradict each other.

    `person` are the clusters so far (any labels). Constraints and evidence about other records are ignored.
    What no constraint touches stays together.
    """
    known = set(record_id.tolist())
    units = Groups(link(Kind.MUST, a, b) for a, b in must if a in known and b in known)
    whole = Groups(link(Kind.MUST, a, b) for a, b in must if a in known and b in known)
    first: dict[int, int] = {}
    for record, label in zip(record_id.tolist(), person.tolist(), strict=True):
        whole.join(record, first.setdefault(label, record))
    torn = {whole.of(a) for a, b in cannot if a in known and b in known and whole.of(a) == whole.of(b)}
    if torn:
        records = [record for record in record_id.tolist() if whole.of(record) in torn]
        return _divided(record_id, whole, records, units, cannot, evidence)
    return np.array([whole.of(record) for record in record_id.tolist()], dtype=np.int64)


def _divided(
    record_id: Ints,
    whole: Groups,
    records: Sequence[int],
    units: Groups,
    cannot: Sequence[Pair],
    evidence: Evidence,
) -> Ints:
    """The clusters, those of `records` taken apart."""
    label = {record: whole.of(record) for record in record_id.tolist()}
    members: dict[int, list[int]] = {}
    for record in records:
        members.setdefault(whole.of(record), []).append(record)
    near = _unit_links(units, whole, label, evidence)
    for cluster, own in members.items():
        label.update(_parts(own, units, cannot, near.get(cluster, {})))
    return np.array([label[record] for record in record_id.tolist()], dtype=np.int64)


Links = dict[Pair, tuple[float, int]]
"""Sum of bits and number of scored pairs, by pair of units, each pair once and in order."""


def _unit_links(units: Groups, whole: Groups, known: dict[int, int], evidence: Evidence) -> dict[int, Links]:
    """Links between units of the same cluster, by cluster."""
    near: dict[int, Links] = {}
    rows = zip(evidence.a.tolist(), evidence.b.tolist(), evidence.odds_bits.tolist(), strict=True)
    for a, b, bits in rows:
        if a in known and b in known and known[a] == known[b] and units.of(a) != units.of(b):
            low, high = sorted((units.of(a), units.of(b)))
            links = near.setdefault(whole.of(a), {})
            total, count = links.get((low, high), (0.0, 0))
            links[low, high] = total + bits, count + 1
    return near


def _parts(own: Sequence[int], units: Groups, cannot: Sequence[Pair], near: Links) -> dict[int, int]:
    """The smallest record of the part that each record of one cluster falls to."""
    size: dict[int, int] = {}
    for record in own:
        size[units.of(record)] = size.get(units.of(record), 0) + 1
    forbidden = {(units.of(a), units.of(b)) for a, b in cannot if units.of(a) in size and units.of(b) in size}
    sides = _Sides(size, forbidden)
    sides.join_where_allowed(near)
    sides.attach_the_rest(near)
    found: dict[int, int] = {}
    side_of = {record: sides.of[units.of(record)] for record in own}
    for record in sorted(own):
        found.setdefault(side_of[record], record)
    return {record: found[side_of[record]] for record in own}


class _Sides:
    """The parts a cluster falls into, grown from the units that a cannot-link names."""

    def __init__(self, size: dict[int, int], forbidden: set[Pair]) -> None:
        self.size = size
        self.against: dict[int, set[int]] = {}
        for a, b in forbidden:
            self.against.setdefault(a, set()).add(b)
            self.against.setdefault(b, set()).add(a)
        self.members = {unit: [unit] for unit in sorted(self.against)}
        self.of = {unit: unit for unit in self.members}

    def join_where_allowed(self, near: Links) -> None:
        """Join named units whom nothing keeps apart: strongest average first, then the largest."""
        seeds = [pair for pair in near if pair[0] in self.of and pair[1] in self.of]
        for a, b in sorted(seeds, key=lambda pair: (-self._average(pair, near), pair)):
            self._join(self.of[a], self.of[b])
        for side in sorted(self.members, key=lambda unit: (-self._weight(unit), unit)):
            for other in sorted(self.members, key=lambda unit: (-self._weight(unit), unit)):
                if side in self.members and other != side:
                    self._join(other, side)

    def _average(self, pair: Pair, near: Links) -> float:
        total, count = near[pair]
        possible = self.size[pair[0]] * self.size[pair[1]]
        return (total + (possible - count) * UNSCORED_BITS) / possible

    def _weight(self, side: int) -> int:
        return sum(self.size[unit] for unit in self.members[side])

    def _join(self, a: int, b: int) -> None:
        """Let side b become part of side a, unless they are one already or may not be."""
        if a == b or b in self.against[a]:
            return
        for unit in self.members[b]:
            self.of[unit] = a
        self.members[a] += self.members.pop(b)
        for other in self.against.pop(b):
            self.against[other].discard(b)
            self.against[other].add(a)
            self.against[a].add(other)

    def attach_the_rest(self, near: Links) -> None:
        """Give every other unit to the side it is nearer to on average, the surest first."""
        sides = sorted(self.members, key=lambda side: (-self._weight(side), side))
        rest = sorted(unit for unit in self.size if unit not in self.of)
        nearness = _Nearness(
            np.array([self.size[unit] for unit in rest], dtype=np.float64),
            np.array([self._weight(side) for side in sides], dtype=np.float64),
            _around(near, {unit: place for place, unit in enumerate(rest)}),
        )
        column = {side: place for place, side in enumerate(sides)}
        for unit, side in self.of.items():
            nearness.count(unit, column[side])
        for _ in rest:
            place, at = nearness.surest()
            self.of[rest[place]] = sides[at]
            nearness.attach(place, rest[place], at)


def _around(near: Links, places: dict[int, int]) -> dict[int, list[tuple[int, float, int]]]:
    """Place, sum of bits and scored pairs of the units in `places` that each unit has links to."""
    around: dict[int, list[tuple[int, float, int]]] = {}
    for (a, b), (total, count) in near.items():
        for one, other in ((a, b), (b, a)):
            if other in places:
                around.setdefault(one, []).append((places[other], total, count))
    return around


class _Nearness:
    """Average bits between waiting units (rows) and sides (columns), kept up to date as units attach."""

    def __init__(self, size: Floats, weight: Floats, around: dict[int, list[tuple[int, float, int]]]) -> None:
        self.size, self.weight, self.around = size, weight, around
        self.bits = np.zeros((len(size), len(weight)))
        self.scored = np.zeros((len(size), len(weight)))
        self.waiting = np.ones(len(size), dtype=bool)

    def count(self, unit: int, side: int) -> None:
        """Let the links of a unit count for its side."""
        for place, bits, scored in self.around.get(unit, []):
            self.bits[place, side] += bits
            self.scored[place, side] += scored

    def surest(self) -> tuple[int, int]:
        """The waiting unit and the side with the highest average; ties go to the larger side."""
        possible = self.size[:, None] * self.weight
        average = (self.bits + (possible - self.scored) * UNSCORED_BITS) / possible
        average[~self.waiting] = -np.inf
        place, side = divmod(int(average.argmax()), len(self.weight))
        return place, side

    def attach(self, place: int, unit: int, side: int) -> None:
        """Let a waiting unit be part of a side."""
        self.waiting[place] = False
        self.weight[side] += self.size[place]
        self.count(unit, side)
