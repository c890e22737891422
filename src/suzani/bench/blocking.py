"""The blocking rules that both sides are given where inference alone is compared."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import pyarrow as pa
import pyarrow.compute as pc


class Width(Enum):
    """Which rules are given: narrow ones, or those and all pairs of one birth date."""

    NARROW = "narrow"
    WIDE = "wide"


Rule = tuple[str, ...]
"""Columns that must all be equal."""

NARROW: tuple[Rule, ...] = (
    ("national_id",),
    ("tax_id",),
    ("document",),
    ("phone",),
    ("email",),
    ("birth_date", "given_name_sound"),
    ("birth_date", "family_name_sound"),
    ("given_name_sound", "family_name_sound", "birth_year"),
    ("given_name_sound", "family_name_sound", "birth_month_day"),
    ("given_name_folded", "family_name_folded", "middle_name_folded"),
    ("given_name_sound", "address"),
    ("birth_date", "address"),
)
WIDE: tuple[Rule, ...] = (*NARROW, ("birth_date",))

OURS: Mapping[str, str] = {
    "national_id": "id:national_id", "tax_id": "id:tax_id", "document": "id:document", "birth_date": "date",
    "birth_year": "year", "birth_month_day": "month and day", "given_name_sound": "given",
    "family_name_sound": "family", "given_name_folded": "given", "family_name_folded": "family",
    "middle_name_folded": "middle",
}  # fmt: skip
"""What our engine calls these columns as sources of blocking keys, where it calls them something else."""

RULES: Mapping[Width, tuple[Rule, ...]] = {Width.NARROW: NARROW, Width.WIDE: WIDE}


def with_date_parts(table: pa.Table) -> pa.Table:
    """The table with `birth_year` and `birth_month_day`, cut from `birth_date` (YYYYMMDD)."""
    date = table.column("birth_date")
    parts = {"birth_year": (0, 4), "birth_month_day": (4, 8)}
    for name, (start, stop) in parts.items():
        table = table.append_column(name, pc.utf8_slice_codeunits(date, start, stop))
    return table


def our_rules(width: Width, table: pa.Table) -> tuple[Rule, ...]:
    """The rules as our engine takes them."""
    return tuple(
        tuple(OURS.get(column, column) for column in rule) for rule in applicable(RULES[width], table)
    )


def applicable(rules: tuple[Rule, ...], table: pa.Table) -> tuple[Rule, ...]:
    """The rules all of whose columns the table has."""
    return tuple(rule for rule in rules if all(column in table.column_names for column in rule))
