"""What a model says, and how two models differ: as data and as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose, log2
from typing import Any

from suzani.identity.models.comparisons import LABELS
from suzani.identity.models.file import FieldModel, Model
from suzani.kernel import Kind

_BITS_PER_BLOCK = 5.0
_MOST_BLOCKS = 4


@dataclass(frozen=True, slots=True)
class LevelWeight:
    """One level of a field: how likely it is within a person (m), among unrelated people (u) and within a
    household (h), and what it weighs."""

    field: str
    kind: str
    level: str
    m: float
    u: float
    h: float
    weight_bits: float


@dataclass(frozen=True, slots=True)
class LevelChange:
    """How much more (less) a level weighs in the second of two models, in bits."""

    field: str
    level: str
    before_bits: float
    after_bits: float

    @property
    def change_bits(self) -> float:
        """Bits gained."""
        return self.after_bits - self.before_bits


@dataclass(frozen=True)
class ModelChanges:
    """How a second model differs from a first. `levels` biggest change first; `other` names differences in
    words that are no weights; `prior_bits` and `household_bits` are changes of log2 odds."""

    levels: tuple[LevelChange, ...]
    prior_bits: float
    household_bits: float
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    other: tuple[str, ...]

    @property
    def none(self) -> bool:
        """Whether the two say the same."""
        same = not (self.levels or self.only_before or self.only_after or self.other)
        return same and self.prior_bits == 0 and self.household_bits == 0

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "equal": self.none,
            "prior_bits": round(self.prior_bits, 4),
            "household_bits": round(self.household_bits, 4),
            "only_in_first": list(self.only_before),
            "only_in_second": list(self.only_after),
            "other": list(self.other),
            "levels": [
                {
                    "field": item.field,
                    "level": item.level,
                    "before_bits": round(item.before_bits, 4),
                    "after_bits": round(item.after_bits, 4),
                    "change_bits": round(item.change_bits, 4),
                }
                for item in self.levels
            ],
        }


def level_weights(model: Model) -> list[LevelWeight]:
    """Every level of every field, highest level first."""
    return [
        LevelWeight(
            field.name,
            field.kind,
            label,
            field.m[at],
            field.u[at],
            field.h[at],
            log2(field.m[at] / field.u[at]),
        )
        for field in model.fields
        for at, label in reversed(list(enumerate(LABELS[Kind(field.kind)][1:])))
    ]


def bar(weight_bits: float) -> str:
    """A weight as a bar: to the right for a match, to the left against it; a block is five bits."""
    halves = min(round(2 * abs(weight_bits) / _BITS_PER_BLOCK), 2 * _MOST_BLOCKS)
    whole, half = "█" * (halves // 2), halves % 2
    if weight_bits >= 0:
        return f"{'':>{_MOST_BLOCKS}}│{whole}{'▌' * half}"
    return f"{'▐' * half + whole:>{_MOST_BLOCKS}}│"


def model_rows(model: Model) -> list[list[str]]:
    """Rows of a table: field, level, m, u, h, bits, bar; the field is named on its first row alone."""
    rows = []
    before = ""
    for item in level_weights(model):
        name = item.field if item.field != before else ""
        shares = [f"{share:.2g}" for share in (item.m, item.u, item.h)]
        rows.append([name, item.level, *shares, f"{item.weight_bits:+.2f}", bar(item.weight_bits)])
        before = item.field
    return rows


def summary_rows(model: Model) -> list[list[str]]:
    """What a model holds besides its fields' weights, as pairs of name and value."""
    rows = [
        ["records it was learned on", f"{model.records:,}"],
        ["prior: random pairs that are one person", f"1 in {1 / model.prior:,.0f}"],
        [
            "random pairs that are of one household",
            f"1 in {1 / model.household:,.0f}" if model.household else "none",
        ],
    ]
    rows += [
        [f"{item.first} and {item.second} both agree", f"{item.weight_bits:+.2f} bits"]
        for item in model.interactions
    ]
    if model.calibration is not None:
        line = model.calibration
        rows.append(
            [
                "calibrated odds",
                f"{line.slope:g} · odds {line.intercept_bits:+g} bits ({line.anchors:,} anchors)",
            ]
        )
    return rows


def model_data(model: Model) -> dict[str, Any]:
    """A model as plain data for `--json`, with the weights of all levels."""
    return {
        "records": model.records,
        "prior": model.prior,
        "household": model.household,
        "fields": [
            {
                "name": field.name,
                "kind": field.kind,
                "weighs_frequency": field.weighs_frequency,
                "levels": [
                    {"level": w.level, "m": w.m, "u": w.u, "h": w.h, "weight_bits": round(w.weight_bits, 4)}
                    for w in level_weights(Model((field,), model.prior, 0.0, 0))
                ],
            }
            for field in model.fields
        ],
        "interactions": [
            {"first": i.first, "second": i.second, "weight_bits": round(i.weight_bits, 4)}
            for i in model.interactions
        ],
        "calibration": None
        if model.calibration is None
        else {"slope": model.calibration.slope, "intercept_bits": model.calibration.intercept_bits},
    }


def compare_models(before: Model, after: Model) -> ModelChanges:
    """How the second model differs from the first. Pure; the order of fields does not matter."""
    first = {(field.name, field.kind): field for field in before.fields}
    second = {(field.name, field.kind): field for field in after.fields}
    changes = [change for key in first if key in second for change in _level_changes(first[key], second[key])]
    changes.sort(key=lambda item: (-abs(item.change_bits), item.field, item.level))
    return ModelChanges(
        tuple(changes),
        _log_odds(after.prior) - _log_odds(before.prior),
        _log_odds(after.household) - _log_odds(before.household),
        tuple(f"{name} ({kind})" for name, kind in first if (name, kind) not in second),
        tuple(f"{name} ({kind})" for name, kind in second if (name, kind) not in first),
        tuple(_other_changes(before, after)),
    )


def _level_changes(before: FieldModel, after: FieldModel) -> list[LevelChange]:
    labels = LABELS[Kind(before.kind)][1:]
    rows = zip(labels, before.m, before.u, after.m, after.u, strict=True)
    pairs = [LevelChange(before.name, label, log2(m / u), log2(n / v)) for label, m, u, n, v in rows]
    return [pair for pair in pairs if not isclose(pair.before_bits, pair.after_bits, abs_tol=1e-9)]


def _log_odds(share: float) -> float:
    """log2 odds; no share at all counts as the smallest there is."""
    sure = min(max(share, 1e-15), 1 - 1e-15)
    return log2(sure) - log2(1 - sure)


def _other_changes(before: Model, after: Model) -> list[str]:
    """Differences that are no weights, in words."""
    found = []
    if before.records != after.records:
        found.append(f"records: {before.records:,} → {after.records:,}")
    pairs = _pairs_of_fields(before, after)
    if homes := [was.name for was, now in pairs if was.h != now.h]:
        found.append(f"other shares within households (h): {', '.join(homes)}")
    for was, now in pairs:
        if was.weighs_frequency != now.weighs_frequency:
            found.append(f"{was.name}: weighs frequency {was.weighs_frequency} → {now.weighs_frequency}")
    if before.interactions != after.interactions:
        found.append(f"interactions: {_interactions(before)} → {_interactions(after)}")
    if before.calibration != after.calibration:
        found.append(f"calibration: {_calibration(before)} → {_calibration(after)}")
    return found


def _pairs_of_fields(before: Model, after: Model) -> list[tuple[FieldModel, FieldModel]]:
    named = {(field.name, field.kind): field for field in after.fields}
    return [
        (field, named[field.name, field.kind]) for field in before.fields if (field.name, field.kind) in named
    ]


def _interactions(model: Model) -> str:
    return ", ".join(f"{i.first}+{i.second} {i.weight_bits:+.2f}" for i in model.interactions) or "none"


def _calibration(model: Model) -> str:
    line = model.calibration
    return f"{line.slope:g}·odds{line.intercept_bits:+g}" if line else "none"
