"""The identity audit: what resolution made of the bank's records, in numbers."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from suzani.infra.db import Tx, fetch, fetch_one, load_queries
from suzani.profiles.types import Audit, BigPerson, Count, LoadAccount, RunSummary, SharedPersons, Size

queries = load_queries("suzani.profiles", "audit.sql")
T = TypeVar("T")


Stamp = tuple[object, ...]
"""Stays the same as long as the audit would."""


async def audit_stamp(tx: Tx) -> Stamp:
    """What the audit depends on, in a millisecond; for keeping an audit until something changes."""
    row = await fetch_one(tx, queries.stamp) or {}
    return tuple(row.values())


async def audit(tx: Tx) -> Audit:
    """The audit as the database stands; takes some seconds at a million records."""
    systems = await fetch(tx, queries.records_by_system)
    totals = await fetch_one(tx, queries.totals) or {}
    records = sum(row["count"] for row in systems)
    conflicts = await fetch_one(tx, queries.consent_conflicts) or {}
    run = await fetch_one(tx, queries.latest_run)
    return Audit(
        records=records,
        deleted_records=sum(row["deleted"] for row in systems),
        unresolved_records=records - totals["records"],
        persons=totals["persons"],
        duplicate_share=1 - totals["persons"] / totals["records"] if totals["records"] else 0.0,
        records_by_system=_all(Count, systems),
        by_systems=_all(Size, await fetch(tx, queries.by_systems)),
        by_records=_all(Size, await fetch(tx, queries.by_records)),
        shared=_all(SharedPersons, await fetch(tx, queries.shared)),
        products=totals["products"],
        persons_by_products=_all(Size, await fetch(tx, queries.by_products)),
        loads=_all(LoadAccount, await fetch(tx, queries.loads)),
        quarantine=_all(Count, await fetch(tx, queries.quarantine)),
        consent=_all(Count, await fetch(tx, queries.consent)),
        consent_conflicts=conflicts["count"],
        biggest=_all(BigPerson, await fetch(tx, queries.biggest)),
        latest_run=_one(RunSummary, run) if run else None,
        built_at=totals["built_at"],
    )


def _one(kind: type[T], row: dict[str, Any]) -> T:
    return kind(**{field.name: row[field.name] for field in fields(kind)})  # type: ignore[arg-type]


def _all(kind: type[T], rows: list[dict[str, Any]]) -> tuple[T, ...]:
    return tuple(_one(kind, row) for row in rows)
