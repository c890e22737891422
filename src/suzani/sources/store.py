"""The statements of a load, over the temporary tables of `queries.sql`. No decision is taken here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from suzani.infra.db import Tx, copy_in, execute, fetch, fetch_one, load_queries
from suzani.sources import putting
from suzani.sources.types import Fate, LoadReport, Mode, Reject, ShapedBatch

queries = load_queries("suzani.sources")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch belongs: its load, system, and the file it is of."""

    load_id: int
    system: str
    file: str
    file_no: int
    columns: tuple[str, ...]
    rekeys: bool


async def lock_system(tx: Tx, system: str) -> bool:
    """Take the right to load a system until the transaction ends; False when another process has it."""
    row = await fetch_one(tx, queries.try_lock, system=system)
    return bool(row and row["locked"])


async def latest_load(tx: Tx, system: str) -> dict[str, Any] | None:
    """The last load of a system, finished or not."""
    return await fetch_one(tx, queries.latest_load, system=system)


async def start_load(tx: Tx, **values: Any) -> dict[str, Any]:
    """Begin a load; what an earlier, unfinished one had met is forgotten."""
    await execute(tx, queries.drop_seen, system=values["system"], keep=None)
    row = await fetch_one(tx, queries.start_load, **values)
    assert row is not None  # noqa: S101 - an insert returns its row
    return row


async def resume_load(tx: Tx, load_id: int) -> dict[str, Any]:
    """Go on with a load that stopped."""
    row = await fetch_one(tx, queries.resume_load, load_id=load_id)
    assert row is not None  # noqa: S101 - the caller has just read it
    return row


async def fail_load(tx: Tx, load_id: int, error: str) -> None:
    """Note why a load stopped; its batches so far stay."""
    await execute(tx, queries.fail_load, load_id=load_id, error=error)


async def bring_in(tx: Tx, batch: ShapedBatch) -> None:
    """Copy a batch's records and products into the temporary tables."""
    await execute(tx, queries.create_incoming)
    await execute(tx, queries.create_incoming_product)
    await copy_in(tx, "incoming", _without_empty(batch.records))
    if batch.products.num_rows:
        await copy_in(tx, "incoming_product", batch.products)


def _without_empty(table: pa.Table) -> pa.Table:
    """The table without columns that hold nothing: most mappings fill a part of the attributes."""
    empty = [name for name in table.column_names if table.column(name).null_count == table.num_rows]
    return table.drop_columns([name for name in empty if name not in ("row_no", "key")])


async def rekey(tx: Tx, place: Place) -> int:
    """Give records whose row names their previous key the new one; returns how many.

    From here on to the end of the transaction nobody else writes records of the system.
    """
    await putting.lock_writes(tx, place.system)
    if not place.rekeys:
        await execute(tx, queries.no_rekeyed)
        return 0
    at = {"system": place.system, "load_id": place.load_id}
    found = await execute(tx, queries.find_rekeyed, **at)
    while found and (dropped := await execute(tx, queries.drop_taken_rekeys, system=place.system)):
        found -= dropped
    if found:
        await execute(tx, queries.note_rekeyed, load_id=place.load_id)
        await execute(tx, queries.free_old_keys)
        await execute(tx, queries.give_new_keys, load_id=place.load_id)
    return found


async def take_over(tx: Tx, place: Place) -> dict[str, int]:
    """Store what is new or changed, with the images of what it replaces; rows by fate."""
    at = {"load_id": place.load_id, "system": place.system}
    await execute(tx, queries.only_by_index)
    await execute(tx, queries.classify, **at)
    await execute(tx, queries.any_join)
    fates = await fetch(tx, queries.count_fates)
    counts = {row["fate"]: int(row["rows"]) for row in fates}
    if any(row["came_online"] for row in fates):
        await execute(tx, queries.file_those_that_came_online)
    if any(counts.get(fate) for fate in (Fate.CHANGED, Fate.DELETED, Fate.RESTORED)):
        await execute(tx, queries.only_by_index)
        await execute(tx, queries.note_changes, load_id=place.load_id)
        await execute(tx, queries.update_records, load_id=place.load_id, file_no=place.file_no)
        await execute(tx, queries.delete_products)
        await execute(tx, queries.any_join)
    if counts.get(Fate.NEW):
        await execute(tx, queries.insert_records, file_no=place.file_no, **at)
    await execute(tx, queries.insert_products)
    await execute(tx, queries.note_seen, load_id=place.load_id, file_no=place.file_no)
    return counts


async def duplicates(tx: Tx) -> list[dict[str, Any]]:
    """The rows of the batch whose key an earlier batch of the load brought with other content."""
    return await fetch(tx, queries.duplicates)


async def quarantine(tx: Tx, place: Place, rejects: Sequence[Reject]) -> None:
    """Keep refused rows; a row that is already in quarantine from an earlier load of the file stays one."""
    if not rejects:
        return
    await execute(tx, queries.create_incoming_reject)
    await copy_in(tx, "incoming_reject", _reject_table(rejects))
    await execute(
        tx,
        queries.insert_rejects,
        load_id=place.load_id,
        system=place.system,
        file=place.file,
        columns=[name.replace("\0", "") for name in place.columns],
    )
    await execute(tx, queries.note_held, load_id=place.load_id, system=place.system, file_no=place.file_no)


def _reject_table(rejects: Sequence[Reject]) -> pa.Table:
    columns = {
        "row_no": pa.array([r.row for r in rejects], pa.int64()),
        "reason": pa.array([str(r.reason) for r in rejects]),
        "field": pa.array([_plain(r.field) for r in rejects], pa.string()),
        "detail": pa.array([_plain(r.detail) for r in rejects], pa.string()),
        "key": pa.array([_plain(r.key) for r in rejects], pa.string()),
        "raw": pa.array([r.raw for r in rejects], pa.binary()),
        "raw_digest": pa.array(
            [hashlib.blake2b(r.raw, digest_size=16).digest() for r in rejects], pa.binary()
        ),
        "fields": pa.array([_json(r.values) for r in rejects], pa.string()),
        "damaged": pa.array([list(r.damaged) for r in rejects], pa.list_(pa.string())),
    }
    return pa.table(columns)


def _plain(text: str | None) -> str | None:
    if text is None:
        return None
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def _json(values: dict[str, str | None] | None) -> str | None:
    if values is None:
        return None
    return json.dumps({_plain(name): _plain(value) for name, value in values.items()}, ensure_ascii=False)


async def advance(tx: Tx, place: Place, counts: dict[str, int], file_rows: int) -> None:
    """Add a batch's counts to its load, and note how far it is: rows of the present file done."""
    await execute(
        tx, queries.advance_load, load_id=place.load_id, file_no=place.file_no, file_rows=file_rows, **counts
    )


async def find_absent(tx: Tx, load_id: int, system: str, taken_at: datetime) -> None:
    """Find the live records that a snapshot taken at a moment has not met, for the functions below.

    From here on to the end of the transaction nobody else writes records of the system.
    """
    await putting.lock_writes(tx, system)
    await execute(tx, queries.analyze_records)
    await execute(tx, queries.find_absent, load_id=load_id, system=system, taken_at=taken_at)


async def move_rekeyed(tx: Tx, load_id: int, system: str) -> int:
    """In a snapshot, let records that vanished and came again under another key go on; returns how many."""
    moved = await execute(tx, queries.find_moved, load_id=load_id, system=system)
    if moved:
        await execute(tx, queries.note_moved, load_id=load_id)
        await execute(tx, queries.drop_moved_copies)
        await execute(tx, queries.move_records, load_id=load_id)
        await execute(tx, queries.meet_moved)
    return moved


@dataclass(frozen=True, slots=True)
class Absent:
    """Live records that a snapshot lacks: those that are `gone`, and those that it does not speak for and
    that are `kept`; `existing` are the records of files that there were before it."""

    gone: int
    kept: int
    existing: int


async def count_absent(tx: Tx, load_id: int, system: str) -> Absent:
    """How many records a snapshot lacks."""
    row = await fetch_one(tx, queries.count_absent, load_id=load_id, system=system)
    assert row is not None  # noqa: S101 - counts are one row
    return Absent(**row)


async def delete_absent(tx: Tx, load_id: int) -> int:
    """Mark the records that are gone as deleted; returns how many."""
    await execute(tx, queries.note_absent, load_id=load_id)
    return await execute(tx, queries.delete_absent, load_id=load_id)


async def finish_load(
    tx: Tx, load_id: int, system: str, *, moved: int, deleted: int, deletes_held: int
) -> dict[str, Any]:
    """Close a load and forget what it met."""
    await execute(tx, queries.drop_seen, system=system, keep=None)
    row = await fetch_one(
        tx, queries.finish_load, load_id=load_id, moved=moved, deleted=deleted, deletes_held=deletes_held
    )
    assert row is not None  # noqa: S101 - the load exists
    return row


async def report_of(
    tx: Tx, load: dict[str, Any], *, seconds: float, resumed: bool, warnings: tuple[str, ...]
) -> LoadReport:
    """The report of a load from its row."""
    reasons = await fetch(tx, queries.rejects_by_reason, load_id=load["load_id"])
    names = (
        "load_id system file rows_in rows_new rows_changed rows_unchanged rows_quarantined records_deleted "
        "records_restored records_rekeyed deletes_held"
    ).split()
    return LoadReport(
        **{name: load[name] for name in names},
        mode=Mode(load["mode"]),
        seconds=seconds,
        resumed=resumed,
        quarantined_by_reason={row["reason"]: int(row["rows"]) for row in reasons},
        warnings=warnings,
    )
