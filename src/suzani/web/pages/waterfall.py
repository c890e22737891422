"""A pair's evidence as a waterfall: from the prior, field by field, to the odds. HTML and CSS alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from suzani.identity import FieldStep, RecordName, Why
from suzani.web.explanations import field_name, level_name, shown_probability, shown_value, signed
from suzani.web.language import Texts
from suzani.web.markup import Content, Markup, tag
from suzani.web.pages.parts import system_title

SMALLEST_BITS = 0.05
"""A step of less reads as 0.0 and is left out of the picture; it stays in the sum."""

_PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class _Scale:
    """Bits to percent of the width."""

    low: float
    high: float

    @classmethod
    def of(cls, why: Why) -> _Scale:
        sums = [0.0, why.prior_bits, *(step.cumulative_bits for step in why.steps)]
        low, high = min(sums), max(sums)
        margin = max((high - low) * 0.02, 0.5)
        return cls(low - margin, high + margin)

    def at(self, bits: float) -> float:
        return (bits - self.low) / (self.high - self.low) * _PERCENT

    def bar(self, start: float, end: float, class_: str) -> Markup:
        """A bar between two sums on a track that marks zero."""
        left, right = self.at(min(start, end)), self.at(max(start, end))
        width = max(right - left, 0.6)
        return tag(
            "span",
            tag("i", class_="zero", style=f"left:{self.at(0):.2f}%"),
            tag("span", class_=class_, style=f"left:{left:.2f}%;width:{width:.2f}%"),
            class_="track",
        )


def waterfall(texts: Texts, why: Why) -> Markup:
    """The picture of a pair; readers of text get the same in sentences beside it."""
    scale = _Scale.of(why)
    before = why.prior_bits
    rows = [_prior(texts, why, scale)]
    for step in why.steps:
        if abs(step.bits) >= SMALLEST_BITS:
            rows.append(_step(texts, step, scale, before))
        before = step.cumulative_bits
    rows.append(_total(texts, why, scale))
    return tag("ol", _heads(texts, why), rows, class_="waterfall", aria_hidden="true")


def _row(class_: str, *cells: tuple[str, Content]) -> Markup:
    return tag("li", [tag("span", content, class_=name) for name, content in cells], class_=class_)


def _heads(texts: Texts, why: Why) -> Markup:
    return _row(
        "heads",
        ("field", texts("why.field")),
        ("value", _record(texts, why.record_a)),
        ("value", _record(texts, why.record_b)),
        ("level", texts("why.level")),
        ("chart", None),
        ("bits", texts("why.bits")),
        ("sum", texts("why.sum")),
    )


def _record(texts: Texts, record: RecordName) -> Content:
    return [system_title(texts, record.system), " ", tag("small", f"№ {record.record_id}")]


def _prior(texts: Texts, why: Why, scale: _Scale) -> Markup:
    return _row(
        "prior",
        ("field", texts("why.prior")),
        ("value both", texts("why.prior_note")),
        ("level", None),
        ("chart", scale.bar(0, why.prior_bits, "base")),
        ("bits", signed(texts, why.prior_bits)),
        ("sum", signed(texts, why.prior_bits)),
    )


def _step(texts: Texts, step: FieldStep, scale: _Scale, before: float) -> Markup:
    values: list[tuple[str, Content]] = [
        ("value", shown_value(texts, step, step.value_a, step.from_a)),
        ("value", shown_value(texts, step, step.value_b, step.from_b)),
    ]
    if step.kind == "household":
        values = [("value both", texts("why.relatives"))]
    bar = scale.bar(before, step.cumulative_bits, "for" if step.bits > 0 else "against")
    return _row(
        "for" if step.bits > 0 else "against",
        ("field", field_name(texts, step.field)),
        *values,
        ("level", level_name(texts, step.level) if step.kind != "household" else None),
        ("chart", bar),
        ("bits", signed(texts, step.bits)),
        ("sum", signed(texts, step.cumulative_bits)),
    )


def _total(texts: Texts, why: Why, scale: _Scale) -> Markup:
    odds = why.odds_bits or 0.0
    chance = texts("why.probability", probability=shown_probability(texts, why.probability or 0.0))
    return _row(
        "total",
        ("field", texts("why.total")),
        ("value both", chance),
        ("level", None),
        ("chart", scale.bar(0, odds, "for" if odds > 0 else "against")),
        ("bits", None),
        ("sum", signed(texts, odds)),
    )
