"""What other capabilities read of the source records; they change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from suzani.infra.db import Tx, copy_out, fetch, fetch_one, load_queries
from suzani.kernel import ATTRIBUTES

queries = load_queries("suzani.sources")

_MOMENT = pa.timestamp("us", tz="UTC")
RECORD_SCHEMA: pa.Schema = pa.schema(
    [
        ("record_id", pa.int64()),
        ("system", pa.string()),
        ("key", pa.string()),
        *((name, pa.string()) for name in ATTRIBUTES),
        ("marketing_consent", pa.string()),
        ("consent_at", _MOMENT),
        ("as_of", _MOMENT),
        ("created_at", _MOMENT),
        ("updated_at", _MOMENT),
    ]
)
"""A live record: every attribute as text, `birth_date` in ISO 8601."""

PRODUCT_SCHEMA: pa.Schema = pa.schema(
    [
        ("record_id", pa.int64()),
        ("number", pa.string()),
        ("kind", pa.string()),
        ("name", pa.string()),
        ("currency", pa.string()),
        ("balance", pa.decimal128(20, 2)),
        ("status", pa.string()),
        ("opened_on", pa.date32()),
        ("closed_on", pa.date32()),
    ]
)


@dataclass(frozen=True, slots=True)
class SystemSummary:
    """One system as it stands: live and deleted records, open quarantine, and its last load."""

    system: str
    records: int
    deleted_records: int
    quarantined: int
    load_id: int
    file: str
    mode: str
    state: str
    error: str | None
    started_at: datetime
    finished_at: datetime | None
    rows_in: int
    rows_new: int
    rows_changed: int
    rows_unchanged: int
    rows_quarantined: int
    records_deleted: int
    records_rekeyed: int


async def records_for_identity(tx: Tx, record_ids: Sequence[int] | None = None) -> pa.Table:
    """Every live record, or those among some, in the order of `record_id`; columns of `RECORD_SCHEMA`."""
    if record_ids is None:
        return await copy_out(tx, queries.live_records, RECORD_SCHEMA)
    return await copy_out(tx, queries.live_records_among, RECORD_SCHEMA, record_ids=list(record_ids))


async def count_live(tx: Tx) -> int:
    """How many records live."""
    row = await fetch_one(tx, queries.count_live)
    return int(row["count"]) if row else 0


async def fingerprint(tx: Tx) -> str:
    """A text that differs whenever any record was added, changed, deleted or restored."""
    row = await fetch_one(tx, queries.fingerprint)
    return str(row["fingerprint"]) if row else ""


async def products(tx: Tx) -> pa.Table:
    """Every product of the live records; columns of `PRODUCT_SCHEMA`."""
    return await copy_out(tx, queries.live_products, PRODUCT_SCHEMA)


async def records_of(tx: Tx, record_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Whole rows of `sources.record`, deleted ones too, by system and key."""
    return await fetch(tx, queries.records_of, record_ids=list(record_ids))


async def products_of(tx: Tx, record_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Rows of `sources.product` with their `system`, by system and number."""
    return await fetch(tx, queries.products_of, record_ids=list(record_ids))


async def changes_of(tx: Tx, record_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Rows of `sources.change` with `system`, `key` and the `file` that brought the change, latest first."""
    return await fetch(tx, queries.changes_of, record_ids=list(record_ids))


async def load_summary(tx: Tx) -> list[SystemSummary]:
    """Every system that was ever loaded, by name."""
    return [SystemSummary(**row) for row in await fetch(tx, queries.load_summary)]
