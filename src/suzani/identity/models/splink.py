"""A model as settings that Splink 5 loads: the same levels as SQL, the same m and u.

Splink compares columns of one table: those named after the fields, in their standard forms, and for names
`<field>_folded`, in which transliterations fall together. It knows neither households nor interactions nor
calibration; `left_behind` says what of a model it cannot take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from suzani.identity.models.comparisons import LABELS
from suzani.identity.models.file import FieldModel, Model
from suzani.kernel import Kind

Settings = dict[str, Any]

_EXACT = "{l} = {r}"
_LENGTHS = "least(length({l}), length({r}))"
_RATIO = "1 - levenshtein({l}, {r}) / greatest(length({l}), length({r}), 1)"
_NAME = {
    "same form": "{lf} = {rf}",
    "near": f"damerau_levenshtein({{l}}, {{r}}) <= 1 and {_LENGTHS} >= 4"
    f" or jaro_winkler_similarity({{l}}, {{r}}) >= 0.93 and {_LENGTHS} >= 4",
    "similar": f"jaro_winkler_similarity({{l}}, {{r}}) >= 0.8 and {_LENGTHS} > 1",
    "initial": f"left({{l}}, 1) = left({{r}}, 1) and {_LENGTHS} = 1",
}
_SLIPS = {
    "one slip": "damerau_levenshtein({l}, {r}) <= 1",
    "two slips": "damerau_levenshtein({l}, {r}) <= 2",
}
_WORDS = {
    "contained": "list_has_all(string_split({l}, ' '), string_split({r}, ' '))"
    " or list_has_all(string_split({r}, ' '), string_split({l}, ' '))",
    "near": f"{_RATIO} >= 0.86",
    "similar": f"{_RATIO} >= 0.72",
    "weak": f"{_RATIO} >= 0.58",
}
_PLACE = {
    "near": "jaro_winkler_similarity({l}, {r}) >= 0.9",
    "similar": "jaro_winkler_similarity({l}, {r}) >= 0.8",
}
_EMAIL = {
    "near": f"{_RATIO} >= 0.88",
    "same mailbox name": "split_part({l}, '@', 1) = split_part({r}, '@', 1)",
    "similar": "jaro_winkler_similarity(split_part({l}, '@', 1), split_part({r}, '@', 1)) >= 0.9"
    f" or {_RATIO} >= 0.75",
}
_DATE = {
    "one slip": "hamming({l}, {r}) <= 1 or damerau_levenshtein({l}, {r}) <= 1",
    "two slips": "hamming({l}, {r}) <= 2",
    "same year": "left({l}, 4) = left({r}, 4)",
    "same month and day": "right({l}, 4) = right({r}, 4)",
}
_PHONE = {
    "same ending": "right({l}, 7) = right({r}, 7)",
    "one slip": "damerau_levenshtein({l}, {r}) <= 1",
}
_POSTCODE = {
    "one slip": "damerau_levenshtein({l}, {r}) <= 1",
    "same area": "left({l}, greatest(2, length({l}) - 3)) = left({r}, greatest(2, length({r}) - 3))",
}

CONDITIONS: Mapping[Kind, Mapping[str, str]] = {
    Kind.GIVEN_NAME: _NAME, Kind.FAMILY_NAME: _NAME, Kind.PATRONYMIC: _NAME, Kind.SEX: {},
    Kind.GENERATION: {}, Kind.BIRTH_DATE: _DATE, Kind.NATIONAL_ID: _SLIPS, Kind.DOCUMENT: _SLIPS,
    Kind.PHONE: _PHONE,
    Kind.EMAIL: _EMAIL, Kind.POSTCODE: _POSTCODE, Kind.ADDRESS: _WORDS, Kind.ORGANISATION: _WORDS,
    Kind.TEXT: _WORDS, Kind.CITY: _PLACE, Kind.REGION: _PLACE, Kind.COUNTRY: _PLACE, Kind.OCCUPATION: _PLACE,
}  # fmt: skip
"""DuckDB conditions of the levels between *different* and *exact*, by kind and level name."""

_ALONE = (Kind.NATIONAL_ID, Kind.DOCUMENT, Kind.PHONE, Kind.EMAIL)
_TOGETHER = (Kind.GIVEN_NAME, Kind.FAMILY_NAME, Kind.BIRTH_DATE, Kind.POSTCODE, Kind.CITY)
_FOLDED = (Kind.GIVEN_NAME, Kind.FAMILY_NAME, Kind.PATRONYMIC)


def to_splink(model: Model) -> Settings:
    """Splink 5 settings (DuckDB dialect) of a model: comparisons with trained m and u, prior, blocking.

    Load with `SettingsCreator.from_path_or_dict` or as the settings of a `Linker`; ids stand in the column
    `unique_id`.
    """
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "sql_dialect": "duckdb",
        "probability_two_random_records_match": model.prior,
        "comparisons": [_comparison(field) for field in model.fields],
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": rule, "sql_dialect": "duckdb"} for rule in blocking_rules(model.fields)
        ],
        "retain_intermediate_calculation_columns": True,
    }


def expected_columns(model: Model) -> list[str]:
    """The columns that the exported settings read."""
    columns = ["unique_id"]
    for field in model.fields:
        columns.append(field.name)
        if Kind(field.kind) in _FOLDED:
            columns.append(f"{field.name}_folded")
    return columns


def left_behind(model: Model) -> list[str]:
    """What of the model Splink's settings have no place for, in words."""
    lost = []
    if model.household:
        lost.append(f"households (h of every field, share {model.household:.3g})")
    if model.interactions:
        pairs = ", ".join(f"{item.first} with {item.second}" for item in model.interactions)
        lost.append(f"interactions ({pairs})")
    if model.calibration is not None:
        lost.append("calibration")
    return lost


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _condition(template: str, name: str) -> str:
    sides = {"l": f"{name}_l", "r": f"{name}_r", "lf": f"{name}_folded_l", "rf": f"{name}_folded_r"}
    return template.format(**{key: _quoted(column) for key, column in sides.items()})


def _comparison(field: FieldModel) -> Settings:
    kind, name = Kind(field.kind), field.name
    labels = LABELS[kind]
    null = _condition("{l} is null or {r} is null", name)
    levels: list[Settings] = [{"sql_condition": null, "label_for_charts": "missing", "is_null_level": True}]
    for level in range(len(labels) - 1, 0, -1):
        condition = "ELSE" if level == 1 else _condition(CONDITIONS[kind].get(labels[level], _EXACT), name)
        levels.append(
            {
                "sql_condition": condition,
                "label_for_charts": labels[level],
                "m_probability": field.m[level - 1],
                "u_probability": field.u[level - 1],
            }
        )
    if field.weighs_frequency:
        levels[1] |= {"tf_adjustment_column": name, "tf_adjustment_weight": 1.0}
    return {"output_column_name": name, "comparison_levels": levels, "comparison_description": field.kind}


def blocking_rules(fields: Sequence[FieldModel]) -> list[str]:
    """Splink blocking rules over the fields: identifiers alone, names, dates and places two by two."""
    alone = [[field.name] for field in fields if Kind(field.kind) in _ALONE]
    first: dict[str, str] = {}
    for field in fields:
        if Kind(field.kind) in _TOGETHER:
            first.setdefault(field.kind, field.name)
    names = [first[kind.value] for kind in _TOGETHER if kind.value in first]
    rules = alone + [list(pair) for pair in combinations(names, 2)]
    rules = rules or [[field.name] for field in fields[:1]]
    return [" and ".join(f"l.{_quoted(name)} = r.{_quoted(name)}" for name in rule) for rule in rules]
