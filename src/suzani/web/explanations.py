"""Explanations as sentences in the reader's language. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from suzani.identity import (
    Apart,
    FieldStep,
    How,
    Joined,
    JoinStep,
    Neighbour,
    PairOdds,
    Prevented,
    RecordName,
    Verdict,
    Why,
    WhyNot,
)
from suzani.web.language import Texts
from suzani.web.mask import mask
from suzani.web.pages.parts import system_title

CERTAIN = 0.9999
"""Probabilities above it are not told apart."""

NAMED_AT_MOST = 3
"""Records of a group that are named; of more, the rest is counted."""

MINUS = "\N{MINUS SIGN}"

VERDICTS: Mapping[Verdict, str] = {
    Verdict.TOGETHER: "together",
    Verdict.THROUGH_OTHERS: "through_others",
    Verdict.MUST_LINK: "must_link",
    Verdict.CANNOT_LINK: "cannot_link",
    Verdict.DIFFERENT_IDS: "different_ids",
    Verdict.APART: "apart",
    Verdict.OUTVOTED: "outvoted",
    Verdict.NOT_COMPARED: "not_compared",
}
JOINS: Mapping[Joined, str] = {
    Joined.MUST_LINK: "must_link",
    Joined.COPIES: "copies",
    Joined.EVIDENCE: "evidence",
    Joined.EARLIER: "earlier",
}
GAPS: Mapping[Apart, str] = {
    Apart.CANNOT_LINK: "cannot_link",
    Apart.DIFFERENT_IDS: "different_ids",
    Apart.EVIDENCE: "evidence",
}

_OWN_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "middle_name": ("patronymic",),
    "phone": ("phone", "phone_2"),
}


class Names:
    """What records are called in sentences: their system and id."""

    def __init__(self, texts: Texts, records: Iterable[RecordName]) -> None:
        self._texts = texts
        self._of = {record.record_id: record for record in records}

    def __call__(self, record_id: int) -> str:
        """One record."""
        record = self._of.get(record_id)
        return f"{system_title(self._texts, record.system)} {record_id}" if record else str(record_id)

    def group(self, records: Sequence[int]) -> str:
        """Some records; of many the first ones, and how many more there are."""
        named = ", ".join(map(self, records[:NAMED_AT_MOST]))
        more = len(records) - NAMED_AT_MOST
        return f"{named} {self._texts('explain.more', more)}" if more > 0 else named


def field_name(texts: Texts, field: str) -> str:
    """The name of a field of evidence: an attribute, or something the model looks at beside them."""
    return texts.known(f"field.{field}", texts.known(f"attribute.{field}", field.replace("_", " ")))


def level_name(texts: Texts, level: str) -> str:
    """A level of agreement in a word or two."""
    return texts.known(f"level.{level_key(level)}", level)


def level_key(level: str) -> str:
    """A level's name as part of a key."""
    return level.replace(" ", "_")


def signed(texts: Texts, bits: float | None) -> str:
    """Bits with their sign; a dash for a pair that was not scored."""
    if bits is None:
        return "–"
    rounded = round(bits, 1)
    mark = "+" if rounded > 0 else MINUS if rounded < 0 else ""
    return f"{mark}{texts.number(abs(rounded), 1)}"


def in_bits(texts: Texts, bits: float | None) -> str:
    """Bits with sign and unit."""
    return (
        texts("explain.bits", number=signed(texts, bits)) if bits is not None else texts("explain.unscored")
    )


def shown_probability(texts: Texts, probability: float) -> str:
    """A probability; what is all but certain is not told apart."""
    if probability > CERTAIN:
        return f"> {texts.number(CERTAIN, 4)}"
    if probability < 1 - CERTAIN:
        return f"< {texts.number(1 - CERTAIN, 4)}"
    return texts.number(probability, 4)


def shown_value(texts: Texts, step: FieldStep, value: str | None, attribute: str) -> str:
    """A compared value as its source wrote it, and where it stands if that is not the field itself."""
    if value is None:
        return "–"
    text = texts.known(f"sex.{value}", value) if attribute == "sex" else mask(attribute, value)
    if attribute == "birth_date":
        text = _day(texts, value)
    if attribute in _OWN_ATTRIBUTES.get(step.field, (step.field.partition(" (")[0],)):
        return text
    return f"{text} ({lowered(field_name(texts, attribute))})"


def _day(texts: Texts, value: str) -> str:
    try:
        return texts.day(date.fromisoformat(value))
    except ValueError:
        return value


def lowered(name: str) -> str:
    """A name inside a sentence; abbreviations keep their capitals."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def step_sentence(texts: Texts, step: FieldStep) -> str:
    """What one field says, in a sentence."""
    bits = in_bits(texts, step.bits)
    if step.kind == "household":
        return texts("explain.household", bits=bits)
    field = lowered(field_name(texts, step.field))
    a = shown_value(texts, step, step.value_a, step.from_a)
    b = shown_value(texts, step, step.value_b, step.from_b)
    if step.level == "exact" and a == b:
        return _sentence(texts("explain.both", field=field, a=a, bits=bits))
    key = f"explain.level.{level_key(step.level)}"
    said = texts.known(key, "")
    if said:
        return _sentence(texts(key, field=field, a=a, b=b, bits=bits))
    return _sentence(texts("explain.any_level", field=field, a=a, b=b, level=step.level, bits=bits))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def verdict_sentence(texts: Texts, why: Why) -> str:
    """What became of the pair, and what decided it."""
    odds, chance = in_bits(texts, why.odds_bits), shown_probability(texts, why.probability or 0.0)
    return texts(f"verdict.{VERDICTS[why.verdict]}", odds=odds, probability=chance)


def why_sentences(texts: Texts, why: Why) -> tuple[str, ...]:
    """Why two records are one person or not: the pair, the prior, every field, the sum, the verdict."""
    name = Names(texts, (why.record_a, why.record_b))
    a, b = name(why.record_a.record_id), name(why.record_b.record_id)
    said = [texts("explain.pair", a=a, b=b)]
    if why.odds_bits is None:
        said.append(shared_sentence(texts, why))
    else:
        said.append(texts("explain.prior", bits=in_bits(texts, why.prior_bits)))
        said += [step_sentence(texts, step) for step in why.steps]
        chance = shown_probability(texts, why.probability or 0.0)
        said.append(texts("explain.sum", bits=in_bits(texts, why.odds_bits), probability=chance))
    return (*said, verdict_sentence(texts, why))


def shared_sentence(texts: Texts, why: Why) -> str:
    """What two records that were not compared closely write alike."""
    if not why.shared:
        return texts("explain.nothing_shared")
    names = ", ".join(lowered(field_name(texts, name)) for name in why.shared)
    return texts("explain.shared", fields=names)


def how_sentences(texts: Texts, how: How) -> tuple[str, ...]:
    """How a person came to be: the steps in order, and what was kept out."""
    names = Names(texts, how.records)
    said = [how_summary(texts, how)]
    said += [f"{step.order}. {join_sentence(texts, step, names)}" for step in how.steps]
    return (*said, *(prevented_sentence(texts, one, names) for one in how.prevented))


def how_summary(texts: Texts, how: How) -> str:
    """The person in one sentence."""
    records = texts("customer.records", len(how.records))
    systems = texts("customer.systems", len({record.system for record in how.records}))
    if len(how.records) == 1:
        return texts("explain.single", id=how.person_id)
    if not how.replayed:
        return texts("explain.not_replayed", id=how.person_id, records=records, systems=systems)
    steps = texts("explain.steps", len(how.steps))
    return texts("explain.assembled", id=how.person_id, records=records, systems=systems, steps=steps)


def join_sentence(texts: Texts, step: JoinStep, names: Names) -> str:
    """One join in a sentence."""
    manner = JOINS[step.because]
    if step.because is Joined.EVIDENCE and is_capped(step):
        manner = "one_pair" if step.strongest == step.weakest else "all_for"
    return texts(
        f"join.{manner}",
        left=names.group(step.left),
        right=names.group(step.right),
        bits=in_bits(texts, step.average_bits),
        strongest=pair_text(texts, step.strongest, names),
        weakest=pair_text(texts, step.weakest, names),
    )


def is_capped(step: JoinStep) -> bool:
    """Whether every pair is above what a single pair may count for, so that the average says less."""
    return step.weakest.odds_bits is not None and step.weakest.odds_bits >= step.average_bits


def pair_text(texts: Texts, pair: PairOdds, names: Names) -> str:
    """Two records and their odds."""
    return f"{names(pair.record_a)} ↔ {names(pair.record_b)} {in_bits(texts, pair.odds_bits)}"


def prevented_sentence(texts: Texts, one: Prevented, names: Names) -> str:
    """A join that did not happen, in a sentence."""
    return texts(
        f"prevented.{GAPS[one.because]}",
        person=one.person_id,
        pair=pair_text(texts, one.strongest, names),
        bits=in_bits(texts, one.average_bits),
    )


def why_not_sentences(texts: Texts, why_not: WhyNot) -> tuple[str, ...]:
    """Why a person is nobody else: the nearest others and what keeps them apart."""
    if not why_not.nearest:
        return (texts("explain.nobody_near"),)
    return tuple(neighbour_sentence(texts, one, why_not.records) for one in why_not.nearest)


def neighbour_sentence(texts: Texts, one: Neighbour, own: Sequence[RecordName]) -> str:
    """One neighbour: how near, and what keeps them apart."""
    names = Names(texts, (*own, *one.records))
    near = texts(
        "explain.near",
        person=one.person_id,
        records=texts("customer.records", len(one.records)),
        pair=pair_text(texts, one.best, names),
        bits=in_bits(texts, one.average_bits),
    )
    return f"{near} {apart_sentence(texts, one, names)}"


def apart_sentence(texts: Texts, one: Neighbour, names: Names) -> str:
    """What keeps a neighbour apart: a steward, two ids, or the fields that speak most against."""
    if one.decided_by is not None:
        a, b = (names(end) for end in one.decided_by)
        return texts(f"apart.{GAPS[one.because]}", a=a, b=b)
    if not one.against:
        return texts("apart.nothing_for")
    return texts("apart.evidence", fields="; ".join(against_text(texts, step) for step in one.against))


def against_text(texts: Texts, step: FieldStep) -> str:
    """A field that speaks against, in a few words."""
    name = lowered(field_name(texts, step.field))
    if step.kind == "household":
        return f"{name} {signed(texts, step.bits)}"
    a = shown_value(texts, step, step.value_a, step.from_a)
    b = shown_value(texts, step, step.value_b, step.from_b)
    return f"{name} {a} / {b} {signed(texts, step.bits)}"


def sentences(texts: Texts, explanation: Why | How | WhyNot) -> tuple[str, ...]:
    """Any explanation in sentences."""
    if isinstance(explanation, Why):
        return why_sentences(texts, explanation)
    if isinstance(explanation, How):
        return how_sentences(texts, explanation)
    return why_not_sentences(texts, explanation)
