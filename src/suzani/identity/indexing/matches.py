"""The persons that a record could belong to, best first, with the evidence for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from suzani.identity.indexing.index import Index, Probe
from suzani.identity.learning.evidence import CORRECTIONS, TOO_LITTLE
from suzani.identity.pairs.scoring import weight_bits

Labels = Sequence[tuple[str, Sequence[str]]]
"""The fields of a model and what each of their levels is called."""
Reasons = dict[str, tuple[str, float]]
"""By field: the level of agreement, and its bits."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Evidence between two records, the lower first."""

    record_a: int
    record_b: int
    odds_bits: float
    weight_bits: float
    probability: float
    evidence: Reasons


@dataclass(frozen=True, slots=True)
class Near:
    """A person that a record could belong to.

    `odds_bits`: average log2 odds over all pairs with the person's records, each clipped as in a run;
    `probability` the same as a probability; `best_record_id`, `weight_bits` and `evidence`: the record
    nearest to it, and what speaks for and against it.
    """

    person_id: int
    probability: float
    odds_bits: float
    best_record_id: int
    weight_bits: float
    evidence: Reasons


@dataclass(frozen=True, slots=True)
class Answer:
    """The person that a record belongs to (None: a new one), and all that came near, best first."""

    person_id: int | None
    nearest: tuple[Near, ...]


def answer(index: Index, probe: Probe, person_of: Mapping[int, int], limit: int) -> Answer:
    """What a look-up found, told in persons; a record between several goes to the one it has most of."""
    joins = [person_of[record] for record in probe.joins if record in person_of]
    person = min(joins, key=lambda one: (-joins.count(one), one)) if joins else None
    found: dict[int, list[int]] = {}
    for at, records in enumerate(probe.records):
        for record in records:
            if record in person_of:
                found.setdefault(person_of[record], []).append(at)
    odds, clip = probe.odds_bits.tolist(), index.options.clip_bits
    ranked = []
    for one, pairs in found.items():
        average = sum(min(max(odds[at], -clip), clip) for at in pairs) / len(pairs)
        ranked.append((one != person, -average, one, max(pairs, key=lambda at: odds[at])))
    ranked.sort()
    near = [_near(index, probe, one, -least, best, person_of) for _, least, one, best in ranked[:limit]]
    return Answer(person, tuple(near))


def _near(
    index: Index, probe: Probe, person: int, average: float, best: int, person_of: Mapping[int, int]
) -> Near:
    record = min(record for record in probe.records[best] if person_of.get(record) == person)
    return Near(
        person,
        1 / (1 + 2.0**-average),
        round(average, 3),
        record,
        round(float(weight_bits(probe.odds_bits[best], index.learned.knowledge.model)), 2),
        reasons(index.labels, probe.levels[best].tolist(), probe.bits[best].tolist()),
    )


def reasons(labels: Labels, levels: Sequence[int], bits: Sequence[float]) -> Reasons:
    """What one pair's levels and bits (as `field_bits`) say, as `evidence_json` writes it for many: by field
    that both records have, and by correction that matters."""
    found = {
        name: (told[level], round(own, 2))
        for (name, told), level, own in zip(labels, levels, bits, strict=False)
        if level
    }
    for (name, label), own in zip(CORRECTIONS.items(), bits[len(labels) :], strict=True):
        if abs(own) > TOO_LITTLE:
            found[name] = label, round(own, 2)
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """Evidence between a record and another."""

    other: int
    odds_bits: float
    weight_bits: float
    evidence: Reasons


def told(edges: Sequence[Edge], records: set[int]) -> dict[int, list[Told]]:
    """The evidence of edges for each of some records."""
    found: dict[int, list[Told]] = {record: [] for record in records}
    for edge in edges:
        for one, other in ((edge.record_a, edge.record_b), (edge.record_b, edge.record_a)):
            if one in found:
                found[one].append(Told(other, edge.odds_bits, edge.weight_bits, edge.evidence))
    return found


def nearest_told(
    evidence: Sequence[Told], person_of: Mapping[int, int], own: int, clip_bits: float, limit: int
) -> tuple[Near, ...]:
    """The persons that a record's evidence speaks of, its own first, then the nearest."""
    by_person: dict[int, list[Told]] = {}
    for one in evidence:
        if one.other in person_of:
            by_person.setdefault(person_of[one.other], []).append(one)
    near = []
    for person, pairs in by_person.items():
        average = sum(min(max(one.odds_bits, -clip_bits), clip_bits) for one in pairs) / len(pairs)
        best = max(pairs, key=lambda one: (one.odds_bits, -one.other))
        near.append((person != own, -average, person, best))
    near.sort(key=lambda one: one[:3])
    return tuple(
        Near(
            person, 1 / (1 + 2.0**least), round(-least, 3), best.other, round(best.weight_bits, 2),
            best.evidence,
        )
        for _, least, person, best in near[:limit]
    )  # fmt: skip
