"""Why two records are, or are not, one person: the weight field by field, from the prior to the odds. Pure.

All numbers are bits (log2). A pair's odds are its weight and the prior together; each bit doubles them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from anyascii import anyascii
from rapidfuzz import fuzz

from suzani.kernel import ATTRIBUTES

HOUSEHOLD = "household"
"""The step that takes back what relatives share."""

NOTABLE_BITS = 0.5

_READ_FROM: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "given_name": (("given_name",), ("full_name",)),
    "family_name": (("family_name", "maiden_name"), ("full_name",)),
    "middle_name": (("patronymic", "middle_name"), ("full_name",)),
    "birth_date": (("birth_date",), ("national_id", "tax_id")),
    "sex": (("sex",), ("national_id", "patronymic", "family_name", "full_name")),
    "phone": (("phone", "phone_2"), ()),
}
"""Where a field's values stand in a record: in any of the first attributes, else in one of the second."""


@dataclass(frozen=True, slots=True)
class RecordName:
    """A record as people know it: its id, its system, and its key there."""

    record_id: int
    system: str
    key: str


@dataclass(frozen=True, slots=True)
class Record:
    """A record with its values as its source wrote them, and the person it belongs to (0 for none yet)."""

    name: RecordName
    person_id: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Scored:
    """What comparing two records gave: the weight, and level and bits of every field that both have."""

    weight_bits: float
    fields: Mapping[str, tuple[str, float]]


def scored_of(weight_bits: float, evidence: Mapping[str, Any]) -> Scored:
    """A comparison from its stored form, `{field: [level, bits]}`."""
    fields = {name: (str(level), float(bits)) for name, (level, bits) in evidence.items()}
    return Scored(weight_bits, fields)


@dataclass(frozen=True, slots=True)
class FieldStep:
    """One step of the waterfall: the two values, their level of agreement, its bits, the sum so far.

    `from_a` and `from_b` name the attributes that the values were read from, which need not be called like
    the field: a given name may stand in a full name. Empty where no single value is behind the step.
    """

    field: str
    kind: str
    value_a: str | None
    value_b: str | None
    from_a: str
    from_b: str
    level: str
    bits: float
    cumulative_bits: float


class Verdict(StrEnum):
    """What became of a pair, and what decided it."""

    TOGETHER = "one person by their own evidence"
    THROUGH_OTHERS = "one person through other records"
    MUST_LINK = "one person because a steward said so"
    CANNOT_LINK = "two persons because a steward said so"
    DIFFERENT_IDS = "two persons because of two valid ids"
    APART = "two persons by their own evidence"
    OUTVOTED = "two persons because other records speak against"
    NOT_COMPARED = "two persons, never compared closely"


@dataclass(frozen=True, slots=True)
class Why:
    """Why two records are one person, or are not.

    `prior_bits` + the bits of all `steps` = `odds_bits`; without the prior they are `weight_bits`. A pair
    whose comparison is not kept has None for the numbers and no steps; `shared` then tells which attributes
    both write alike.
    """

    record_a: RecordName
    record_b: RecordName
    person_a: int
    person_b: int
    weight_bits: float | None
    odds_bits: float | None
    probability: float | None
    prior_bits: float
    steps: tuple[FieldStep, ...]
    verdict: Verdict
    shared: tuple[str, ...] = ()

    @property
    def pair(self) -> tuple[int, int]:
        """The two record ids."""
        return self.record_a.record_id, self.record_b.record_id


@dataclass(frozen=True, slots=True)
class Bond:
    """What stands above the evidence of a pair: what stewards said, and two different valid ids."""

    must: bool = False
    cannot: bool = False
    clash: bool = False


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the run knew that scored the pairs: the prior, the kind of every field, and the cut."""

    prior_bits: float
    kinds: Mapping[str, str]
    cut_bits: float = 0.0


def explain_pair(a: Record, b: Record, scored: Scored | None, known: Knowledge, bond: Bond) -> Why:
    """The waterfall of two records and what decided about them; `scored` is None if they were not compared.

    Pure; never raises.
    """
    together = a.person_id == b.person_id and a.person_id != 0
    if scored is None:
        verdict = _verdict(together, None, known.cut_bits, bond)
        return Why(
            *(a.name, b.name, a.person_id, b.person_id, None, None, None, known.prior_bits, (), verdict),
            shared=shared_attributes(a, b),
        )
    odds = round(known.prior_bits + scored.weight_bits, 2)
    return Why(
        record_a=a.name,
        record_b=b.name,
        person_a=a.person_id,
        person_b=b.person_id,
        weight_bits=scored.weight_bits,
        odds_bits=odds,
        probability=probability(odds),
        prior_bits=known.prior_bits,
        steps=_steps(a, b, scored, known),
        verdict=_verdict(together, odds, known.cut_bits, bond),
        shared=shared_attributes(a, b),
    )


def probability(odds_bits: float) -> float:
    """The probability that odds in bits stand for."""
    return 1 / (1 + 2**-odds_bits) if odds_bits > -1000 else 0.0


def strongest_against(why: Why, limit: int = 3) -> tuple[FieldStep, ...]:
    """The steps that speak most against one person, worst first; half a bit is no argument."""
    against = (step for step in why.steps if step.bits <= -NOTABLE_BITS)
    return tuple(sorted(against, key=lambda step: step.bits)[:limit])


def shared_attributes(a: Record, b: Record) -> tuple[str, ...]:
    """The attributes that both records write alike but for case and punctuation."""
    return tuple(
        name
        for name in ATTRIBUTES
        if (mine := a.values.get(name)) and (theirs := b.values.get(name)) and _bare(mine) == _bare(theirs)
    )


def _verdict(together: bool, odds: float | None, cut_bits: float, bond: Bond) -> Verdict:
    if together:
        if odds is not None and odds > cut_bits:
            return Verdict.TOGETHER
        return Verdict.MUST_LINK if bond.must else Verdict.THROUGH_OTHERS
    if bond.cannot:
        return Verdict.CANNOT_LINK
    if bond.clash:
        return Verdict.DIFFERENT_IDS
    if odds is None:
        return Verdict.NOT_COMPARED
    return Verdict.OUTVOTED if odds > cut_bits else Verdict.APART


def _steps(a: Record, b: Record, scored: Scored, known: Knowledge) -> tuple[FieldStep, ...]:
    """Strongest evidence for first, strongest against last; then what families share."""
    fields = {name: entry for name, entry in scored.fields.items() if name != HOUSEHOLD}
    rest = round(scored.weight_bits - sum(bits for _, bits in fields.values()), 2)
    ordered = sorted(fields.items(), key=lambda entry: (-entry[1][1], entry[0]))
    if rest:
        ordered.append((HOUSEHOLD, ("families share this", rest)))
    steps: list[FieldStep] = []
    total = known.prior_bits
    for name, (level, bits) in ordered:
        total += bits
        (from_a, value_a), (from_b, value_b) = compared_values(name, a.values, b.values)
        kind = known.kinds.get(name, HOUSEHOLD if name == HOUSEHOLD else _kind(name))
        steps.append(FieldStep(name, kind, value_a, value_b, from_a, from_b, level, bits, round(total, 2)))
    return tuple(steps)


def _kind(field: str) -> str:
    known = ATTRIBUTES.get(field)
    return known.kind.value if known else "text"


Held = tuple[str, str | None]


def compared_values(field: str, a: Mapping[str, str], b: Mapping[str, str]) -> tuple[Held, Held]:
    """The attribute and value of each record that a field was read from; of several, the most alike two."""
    if field == HOUSEHOLD:
        return ("", None), ("", None)
    ours, theirs = _held(field, a), _held(field, b)
    return max(
        ((mine, other) for mine in ours for other in theirs), key=lambda two: _likeness(two[0][1], two[1][1])
    )


def _held(field: str, values: Mapping[str, str]) -> Sequence[Held]:
    first, second = _READ_FROM.get(field, ((field.partition(" (")[0],), ()))
    own = [(name, values[name]) for name in first if values.get(name)]
    return own or [(name, values[name]) for name in second if values.get(name)][:1] or [("", None)]


def _likeness(a: str | None, b: str | None) -> float:
    return fuzz.ratio(_bare(a), _bare(b)) if a and b else -1.0


def _bare(text: str) -> str:
    return "".join(letter for letter in anyascii(text).casefold() if letter.isalnum())
