"""Quarantine: rows that could not be used are fixed, exported, and replayed through their mapping."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from collections.abc import Mapping as Values
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from suzani.infra import jobs
from suzani.infra.db import Tx
from suzani.infra.platform import Platform
from suzani.infra.quarantine import Replay
from suzani.kernel import Conflict, InvalidInput, NotFound
from suzani.sources import quarantine_store, store
from suzani.sources.catalogue import find_mapping
from suzani.sources.mapping import Mapping
from suzani.sources.readers import READERS, Request
from suzani.sources.readers.rows import batch_of_rows
from suzani.sources.shaping import shape
from suzani.sources.types import Limits, QuarantinedRow, RawBatch, Reason, Reject, ShapedBatch

REPLAY_LIMITS = Limits(field_bytes=16 << 20)
"""A value that a person has looked at may be larger than one that just came in a file."""


@dataclass(frozen=True, slots=True)
class Fix:
    """What a person changes in a quarantined row: values by column, or the whole raw row."""

    values: Values[str, str | None] | None = None
    raw: str | None = None


async def replay(
    platform: Platform, rows: Sequence[QuarantinedRow], fixes: Values[int, Fix] | None = None
) -> list[Replay]:
    """Load quarantined rows again through their system's mapping, each with its fix if it has one.

    A row that is sound now becomes a record and is marked replayed; any other stays open with what is wrong
    now. Raises `Conflict` when the system is being loaded.
    """
    fixes = fixes or {}
    results: list[Replay] = []
    async with platform.db.transaction() as tx:
        for system in sorted({row.system for row in rows}):
            mapping = find_mapping(system, platform.data_dir)
            if not await store.lock_system(tx, system):
                raise Conflict(f"{system} is being loaded", hint="Replay its rows when that has ended.")
            own = [row for row in rows if row.system == system]
            done = [await _replay_one(tx, mapping, row, fixes.get(row.quarantine_id, Fix())) for row in own]
            await quarantine_store.forget_finished(tx, system)
            if any(result.state == "replayed" for result in done):
                await jobs.publish(tx, "sources.changed", system=system)
            results += done
    return results


async def _replay_one(tx: Tx, mapping: Mapping, row: QuarantinedRow, fix: Fix) -> Replay:
    if row.state != "open":
        return Replay(row.quarantine_id, row.state, f"it is {row.state} already")
    batch = fixed_batch(row, fix, mapping)
    if isinstance(batch, str):
        return Replay(row.quarantine_id, "open", batch)
    shaped = shape(batch, mapping)
    if shaped.rejects:
        return Replay(row.quarantine_id, "open", shaped.rejects[0].detail)
    clash = await _store_one(tx, mapping, row, shaped)
    if clash:
        return Replay(row.quarantine_id, "open", clash)
    note = "fixed: " + ", ".join(fix.values) if fix.values else "raw row replaced" if fix.raw else "as it was"
    await quarantine_store.settle(tx, [row.quarantine_id], "replayed", note)
    return Replay(row.quarantine_id, "replayed", note)


async def _store_one(tx: Tx, mapping: Mapping, row: QuarantinedRow, shaped: ShapedBatch) -> str:
    """Store a row by the rules of a load; what stands against it, or an empty text."""
    place = store.Place(row.load_id, row.system, row.file, 0, (), mapping.previous_key is not None)
    await store.bring_in(tx, shaped)
    clash = _clash(row, await quarantine_store.load_of_key(tx, row.system))
    if not clash:
        await store.rekey(tx, place)
        await store.take_over(tx, place)
    await quarantine_store.drop_incoming(tx)
    return clash


def _clash(row: QuarantinedRow, taken_by: int | None) -> str:
    """What stands against storing a row whose key a record has that `taken_by` last changed."""
    if taken_by is None:
        return ""
    if row.reason is Reason.DUPLICATE_KEY:
        return "its key is still taken; give the row another key, or dismiss it"
    if taken_by > row.load_id:
        return f"load {taken_by} has brought a newer row of this key since; dismiss this one"
    return ""


def fixed_batch(row: QuarantinedRow, fix: Fix, mapping: Mapping) -> RawBatch | str:
    """The row with its fix as a batch of one, or a sentence on what has to be fixed first."""
    values = row.values
    damaged = set(row.damaged)
    if fix.raw is not None or values is None:
        batch = _reread(row, fix.raw, mapping)
        if isinstance(batch, str) or fix.values is None:
            return batch
        values = {name: batch.table.column(name)[0].as_py() for name in batch.table.column_names}
        damaged = set()
    given = fix.values or {}
    columns = mapping.columns()
    unknown = [name for name in given if name not in columns and name not in values]
    if unknown:
        raise NotFound.among("column of the mapping", unknown[0], columns)
    left = sorted(damaged - set(given))
    if left:
        return f"{', '.join(left)}: damaged, so it needs a new value (--set {left[0]}=...)"
    merged = {**values, **given}
    names = tuple(merged)
    data = json.dumps(merged, ensure_ascii=False).encode("utf-8", "surrogateescape")
    rejects: list[Reject] = []
    return batch_of_rows(names, [tuple(merged.values())], [row.row], lambda _: data, REPLAY_LIMITS, rejects)


def _reread(row: QuarantinedRow, raw: str | None, mapping: Mapping) -> RawBatch | str:
    """A row that was not even taken apart, read again by the reader of its format."""
    kind = mapping.format.type or ("jsonl" if row.raw.lstrip()[:1] == b"{" else "csv")
    if kind not in ("csv", "jsonl"):
        return "this row has no text form that could be read again; fix it in its system"
    encoding = mapping.format.encoding
    data = row.raw if raw is None else raw.encode(encoding, "replace")
    form = replace(
        mapping.format, type=kind, header=False, delimiter=mapping.format.delimiter or _delimiter(row)
    )
    request = Request(
        row.file, form, mapping.columns(), REPLAY_LIMITS, columns=_columns_of(row, kind, mapping)
    )
    try:
        batch = next(READERS[kind](io.BytesIO(data), request).batches, None)
    except InvalidInput as error:
        return error.message
    if batch is None or batch.count != 1:
        return "the text is not one row"
    return batch.rejects[0].detail if batch.rejects else replace(batch, rows=np.array([row.row], np.int64))


def _delimiter(row: QuarantinedRow) -> str | None:
    return {".tsv": "\t", ".psv": "|"}.get(Path(row.file.removesuffix(".gz")).suffix)


def _columns_of(row: QuarantinedRow, kind: str, mapping: Mapping) -> tuple[str, ...]:
    return row.columns if kind == "csv" else mapping.columns()


async def export(path: Path, rows: AsyncIterator[QuarantinedRow]) -> int:
    """Write rows to a `.csv` or `.jsonl` to be corrected and read by `read_fixes`; returns how many."""
    found = [row async for row in rows]
    write = {".csv": _as_csv, ".jsonl": _as_json_lines}.get(path.suffix.lower())
    if write is None:
        raise InvalidInput(f"cannot export to {path.name!r}", hint="Give a name ending in .csv or .jsonl.")
    text = write(found)
    try:
        await asyncio.to_thread(path.write_text, text, encoding="utf-8", newline="")
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror or error}") from error
    return len(found)


_FIXED = ("quarantine_id", "system", "file", "row", "reason", "field", "detail", "raw")


def _export_row(row: QuarantinedRow) -> dict[str, Any]:
    raw = row.raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00") if row.values is None else ""
    facts = (row.quarantine_id, row.system, row.file, row.row, str(row.reason), row.field, row.detail, raw)
    return dict(zip(_FIXED, facts, strict=True))


def _as_csv(rows: Sequence[QuarantinedRow]) -> str:
    """Fixed columns, then `value:COLUMN` for every column that any of the rows has."""
    names = list(dict.fromkeys(f"value:{name}" for row in rows for name in row.values or {}))
    sink = io.StringIO(newline="")
    writer = csv.DictWriter(sink, [*_FIXED, *names], restval="")
    writer.writeheader()
    for row in rows:
        values = {f"value:{name}": value or "" for name, value in (row.values or {}).items()}
        writer.writerow(_export_row(row) | values)
    return "\ufeff" + sink.getvalue()


def _as_json_lines(rows: Sequence[QuarantinedRow]) -> str:
    lines = (json.dumps(_export_row(row) | {"values": row.values}, ensure_ascii=False) for row in rows)
    return "".join(f"{line}\n" for line in lines)


def read_fixes(path: Path) -> dict[int, Fix]:
    """The fixes in an exported file that a person has corrected, by quarantine id. Raises `InvalidInput`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read {path}: {error}") from error
    try:
        return dict(_fix_of_csv(text) if path.suffix.lower() == ".csv" else _fix_of_json_lines(text))
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error) as error:
        raise InvalidInput(
            f"{path} is not an export of the quarantine: {error!r}", hint="Keep its columns as they were."
        ) from error


def _fix_of_csv(text: str) -> list[tuple[int, Fix]]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found = []
    for row in rows:
        values = {k[6:]: v or None for k, v in row.items() if k.startswith("value:")}
        found.append((int(row["quarantine_id"]), _fix(values if any(values.values()) else None, row["raw"])))
    return found


def _fix_of_json_lines(text: str) -> list[tuple[int, Fix]]:
    items = [json.loads(line) for line in text.split("\n") if line.strip()]
    return [(int(item["quarantine_id"]), _fix(item["values"], item["raw"])) for item in items]


def _fix(values: dict[str, str | None] | None, raw: str | None) -> Fix:
    return Fix(values=values) if values else Fix(raw=raw or None)


def only_changes(row: QuarantinedRow, fix: Fix) -> Fix:
    """The fix without the values that are as they were, so that a damaged one left alone stays damaged."""
    if fix.values is None or row.values is None:
        same = fix.raw is not None and fix.raw == _export_row(row)["raw"]
        return Fix(values=fix.values) if same else fix
    was = row.values
    changed = {
        name: value
        for name, value in fix.values.items()
        if (value or "") != (was.get(name) or "") and (name in was or value)
    }
    return Fix(values=changed or None)
