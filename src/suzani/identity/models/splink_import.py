"""Models out of Splink's settings: columns to fields, levels to levels, and what could not be taken.

Splink's levels are SQL of any kind; they are read for what they say of closeness: equality, a number of
slips, a similarity. Levels of ours that no level of theirs stands for lie between their neighbours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any, TypeGuard

from suzani.identity.models.comparisons import LABELS
from suzani.identity.models.file import FieldModel, Model
from suzani.identity.models.model import WEIGHING_FREQUENCY
from suzani.kernel import InvalidInput, Kind
from suzani.sources.headers import kind_of_header

_COLUMN = re.compile(r'"?([A-Za-z_][\w ]*?)_l"?(?![\w])')
_EQUAL = re.compile(r'^\(?\s*"?([\w ]+?)_[lr]"?\s*=\s*"?\1_[lr]"?\s*\)?$')
_SLIPS = re.compile(r"(?:levenshtein|hamming|edit_?dist\w*)\w*\s*\(.*\)\s*<=?\s*(\d+)", re.I | re.S)
_ALIKE = re.compile(
    r"(?:jaro|jaccard|cosine|similarity|winkler)\w*\s*\(.*\)\s*>=?\s*([01]?\.?\d+)", re.I | re.S
)
_FIELD_NAMES: Mapping[Kind, str] = {
    Kind.GIVEN_NAME: "given_name", Kind.FAMILY_NAME: "family_name", Kind.PATRONYMIC: "middle_name",
    Kind.BIRTH_DATE: "birth_date", Kind.PHONE: "phone", Kind.EMAIL: "email", Kind.ADDRESS: "address",
}  # fmt: skip
_ORDER = tuple(_FIELD_NAMES)
_LEAST, _UNSEEN = 1e-9, 0.05
_DEFAULT_PRIOR = 1e-4


@dataclass(frozen=True)
class Imported:
    """A model from Splink's settings, and `notes`: what was taken for what, and what was left out and why."""

    model: Model
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Level:
    """One Splink level: `closeness` from 0 (all else) to 1 (equal), None where the SQL does not tell."""

    label: str
    closeness: float | None
    m: float
    u: float


def from_splink(text: str, where: str, kinds: Mapping[str, Kind] | None = None) -> Imported:
    """Read Splink settings with trained m and u.

    `kinds` states what columns are, over what their names say. Raises InvalidInput when the file is no
    Splink settings or nothing of it can be used.
    """
    settings = _settings(text, where)
    notes: list[str] = []
    fields: dict[str, FieldModel] = {}
    for number, comparison in enumerate(settings["comparisons"], 1):
        _take(comparison, f"comparison {number}", kinds or {}, fields, notes)
    if not fields:
        raise InvalidInput(
            f"{where}: no comparison could be used: {'; '.join(notes) or 'there is none'}",
            hint="Say what the columns are with --fields, and train the model in Splink before saving it.",
        )
    ordered = sorted(fields.values(), key=_position)
    prior = settings.get("probability_two_random_records_match", _DEFAULT_PRIOR)
    if not isinstance(prior, int | float) or not 0 < prior < 1:
        raise InvalidInput(f"{where}: probability_two_random_records_match must lie between 0 and 1")
    return Imported(Model(tuple(ordered), float(prior), 0.0, 0), tuple(notes))


def _settings(text: str, where: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{where} is not JSON: {error}", hint="Give what Splink saved.") from None
    if not isinstance(data, dict) or not isinstance(data.get("comparisons"), list):
        raise InvalidInput(
            f"{where} is no Splink settings: it has no list `comparisons`",
            hint="Give what `linker.misc.save_model_to_json` wrote.",
        )
    return data


def _position(field: FieldModel) -> int:
    kind = Kind(field.kind)
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def _take(
    comparison: object,
    number: str,
    kinds: Mapping[str, Kind],
    fields: dict[str, FieldModel],
    notes: list[str],
) -> None:
    """Add the field of one comparison, or say why not."""
    levels = comparison.get("comparison_levels") if isinstance(comparison, dict) else None
    if not isinstance(comparison, dict) or not isinstance(levels, list):
        notes.append(f"{number}: left out, it has no list of comparison levels")
        return
    column = str(comparison.get("output_column_name") or _column_of(levels))
    kind = kinds.get(column) or kind_of_header(column)
    name = _FIELD_NAMES.get(kind, column) if kind else column
    problem = _problem(kind, name, fields)
    trained, untrained = _read(levels)
    if problem or kind is None or len(trained) < 2:
        notes.append(
            f"{number} ({column}): left out, {problem or 'fewer than two levels have trained m and u'}"
        )
        return
    fields[name] = _field(name, kind, trained)
    notes.append(f"{number} ({column}): taken as {kind.value}; {_said(kind, trained)}")
    notes.extend(
        f"{number} ({column}): level {label!r} left out, without trained m and u" for label in untrained
    )


def _problem(kind: Kind | None, name: str, fields: Mapping[str, FieldModel]) -> str:
    if kind is None:
        return "its name does not tell what it is; state it with --fields"
    if kind not in LABELS:
        return f"{kind.value} is compared through other fields"
    return f"the field {name} is there already" if name in fields else ""


def _column_of(levels: Sequence[object]) -> str:
    """The one column that the conditions compare; all of them joined where there are several."""
    found: dict[str, None] = {}
    for level in levels:
        condition = str(level.get("sql_condition", "")) if isinstance(level, dict) else ""
        found.update(dict.fromkeys(_COLUMN.findall(condition)))
    return "_".join(found) or "unnamed"


def _read(levels: Sequence[object]) -> tuple[list[_Level], list[str]]:
    """The levels with m and u, and the names of those without."""
    trained, untrained = [], []
    for level in levels:
        if not isinstance(level, dict) or level.get("is_null_level"):
            continue
        condition = str(level.get("sql_condition", "")).strip()
        label = str(level.get("label_for_charts") or condition)
        m, u = level.get("m_probability"), level.get("u_probability")
        if _is_share(m) and _is_share(u):
            trained.append(_Level(label, _closeness(condition), max(m, _LEAST), max(u, _LEAST)))
        else:
            untrained.append(label)
    return trained, untrained


def _is_share(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _closeness(condition: str) -> float | None:
    """How close values must be for a condition to hold, from 0 to 1; None where it does not tell."""
    if condition.upper() == "ELSE":
        return 0.0
    if _EQUAL.match(condition):
        return 1.0
    if slips := _SLIPS.search(condition):
        return max(0.95 - 0.12 * int(slips[1]), 0.3)
    if alike := _ALIKE.search(condition):
        return min(float(alike[1]), 0.99)
    return None


def _field(name: str, kind: Kind, levels: Sequence[_Level]) -> FieldModel:
    """Probabilities of our levels; several of theirs may fall on one of ours, and then add up."""
    size = len(LABELS[kind]) - 1
    m, u = [0.0] * size, [0.0] * size
    for level, place in zip(levels, _places(kind, levels), strict=True):
        m[place - 1] += level.m
        u[place - 1] += level.u
    m, u = _filled(m, u)
    return FieldModel(name, kind.value, m, u, list(u), kind in WEIGHING_FREQUENCY)


def _places(kind: Kind, levels: Sequence[_Level]) -> list[int]:
    """Our level for each of theirs: by the same name, else by how close the values must be, in order."""
    labels = LABELS[kind]
    top = len(labels) - 1
    places = []
    for at, level in enumerate(levels):
        own = labels.index(level.label) if level.label in labels[1:] else 0
        guess = level.closeness
        if guess is None:
            guess = 0.9 * (len(levels) - 1 - at) / max(len(levels) - 1, 1)
        places.append(own or _place(guess, top))
    return [min(places[: at + 1]) for at in range(len(places))]


def _place(closeness: float, top: int) -> int:
    if closeness >= 1:
        return top
    if closeness <= 0 or top == 2:
        return 1
    steps = top - 2
    return 2 + min(int(max(closeness - 0.6, 0.0) / 0.4 * steps * 1.15), steps - 1)


def _filled(m: Sequence[float], u: Sequence[float]) -> tuple[list[float], list[float]]:
    """Levels without any mass get a little, at a weight between their neighbours'; sums become 1."""
    bits = [log2(a / b) if a > 0 and b > 0 else None for a, b in zip(m, u, strict=True)]
    known = [at for at, value in enumerate(bits) if value is not None]
    chance = [share if share > 0 else _UNSEEN * min(u[at] for at in known) for share in u]
    match = [
        share if share > 0 else chance[at] * 2 ** _between(at, known, bits) for at, share in enumerate(m)
    ]
    return [share / sum(match) for share in match], [share / sum(chance) for share in chance]


def _between(at: int, known: Sequence[int], bits: Sequence[float | None]) -> float:
    below = max((i for i in known if i < at), default=known[0])
    above = min((i for i in known if i > at), default=known[-1])
    low, high = bits[below] or 0.0, bits[above] or 0.0
    return low if above == below else low + (high - low) * (at - below) / (above - below)


def _said(kind: Kind, levels: Sequence[_Level]) -> str:
    labels = LABELS[kind]
    places = _places(kind, levels)
    said = ", ".join(
        f"{level.label!r} as {labels[place]!r}" for level, place in zip(levels, places, strict=True)
    )
    missing = [labels[place] for place in range(1, len(labels)) if place not in places]
    return said + (f"; interpolated: {', '.join(missing)}" if missing else "")
