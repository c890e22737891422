"""Who else came near a person, and what keeps them apart. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from suzani.identity.pairs.partition import Options
from suzani.identity.reasons.assembly import Apart, Odds, Pair, PairOdds, Prevented, Restraints
from suzani.identity.reasons.explaining import FieldStep, RecordName, Why


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another person near this one: their records, the best pair between the two, and what keeps them apart.

    `average_bits` is what linkage would have gone by; `against` the steps of the best pair that speak most
    against; `decided_by` the two records that a steward parted, or whose ids clash; `why` the best pair in
    full.
    """

    person_id: int
    records: tuple[RecordName, ...]
    best: PairOdds
    average_bits: float
    because: Apart
    decided_by: Pair | None
    against: tuple[FieldStep, ...]
    why: Why | None


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why a person is nobody else: the nearest others, nearest first; none when nobody came near."""

    person_id: int
    records: tuple[RecordName, ...]
    nearest: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Two groups of records that are two persons: the best pair, the average, and what parts them."""

    person_id: int
    left: tuple[int, ...]
    right: tuple[int, ...]
    best: PairOdds
    average_bits: float
    because: Apart
    decided_by: Pair | None


def gaps(
    own: Sequence[int],
    others: Mapping[int, Sequence[int]],
    odds: Odds,
    held: Restraints,
    options: Options,
) -> tuple[Gap, ...]:
    """The gap to each of the other persons (id: records), nearest first. Pure."""
    found = [
        _gap(tuple(sorted(own)), (person, tuple(sorted(records))), odds, held, options)
        for person, records in others.items()
    ]
    return tuple(sorted(found, key=_nearness))


def prevented(found: Sequence[Gap], options: Options) -> tuple[Prevented, ...]:
    """The joins that did not happen although a pair spoke for them, and those that a steward forbade."""
    return tuple(
        Prevented(gap.left, gap.right, gap.person_id, gap.average_bits, gap.best, gap.because)
        for gap in found
        if gap.because is Apart.CANNOT_LINK or _speaks_for(gap.best, options)
    )


def _speaks_for(pair: PairOdds, options: Options) -> bool:
    return pair.odds_bits is not None and pair.odds_bits > options.cut_bits


def _nearness(gap: Gap) -> tuple[bool, float, int]:
    unscored = gap.best.odds_bits is None
    return unscored, -(gap.best.odds_bits or 0.0), gap.person_id


def _gap(
    own: tuple[int, ...],
    other: tuple[int, tuple[int, ...]],
    odds: Odds,
    held: Restraints,
    options: Options,
) -> Gap:
    person, records = other
    pairs = [(min(a, b), max(a, b)) for a in own for b in records]
    bits = [
        min(max(odds.get(pair, options.unscored_bits), -options.clip_bits), options.clip_bits)
        for pair in pairs
    ]
    best = max(pairs, key=lambda pair: (odds.get(pair, float("-inf")), -pair[0], -pair[1]))
    nearest = PairOdds(*best, odds.get(best))
    parted = sorted(set(pairs) & held.cannot)
    clashing = sorted(set(pairs) & held.clashes) if _speaks_for(nearest, options) else []
    because = Apart.CANNOT_LINK if parted else Apart.DIFFERENT_IDS if clashing else Apart.EVIDENCE
    decided_by = next(iter(parted or clashing), None)
    average = round(sum(bits) / len(bits), 2)
    return Gap(person, own, records, nearest, average, because, decided_by)
