"""What readers have in common: the request, the opened source, and rows of text turned into a batch."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from suzani.sources.mapping import Format
from suzani.sources.types import Limits, RawBatch, Reason, Reject

SHOWN_BYTES = 4096
"""How much of a damaged value is kept readable; its row's exact bytes are kept whole."""

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be read: the name for messages, the format, the wanted columns (None: all), the bounds.

    `columns` gives the columns of text that has no header line of its own, as when one row is read again.
    """

    name: str
    format: Format
    wanted: tuple[str, ...] | None
    limits: Limits
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """An opened file or query: its columns and its batches.

    `certain` is whether a column that is not among `columns` is absent for good; a short JSON Lines file may
    just have no value for it. `share()` tells which share of the input (0 to 1) is read.
    """

    columns: tuple[str, ...]
    certain: bool
    batches: Iterator[RawBatch]
    share: Callable[[], float] = lambda: 0.0


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Column names without padding; empty ones become `column_3`, equal ones `NAME#1`, `NAME#2`.

    No name stays with a column that shares it, so that a mapping cannot mean one of two by accident.
    """
    cleaned = [name.strip() or f"column_{i}" for i, name in enumerate(names, 1)]
    counts: dict[str, int] = {}
    result = []
    for name in cleaned:
        counts[name] = counts.get(name, 0) + 1
        result.append(f"{name}#{counts[name]}" if cleaned.count(name) > 1 else name)
    return tuple(result)


def batch_of_rows(
    names: tuple[str, ...],
    rows: list[Row],
    numbers: Sequence[int],
    raw: Callable[[int], bytes],
    limits: Limits,
    rejects: list[Reject],
) -> RawBatch:
    """A batch of rows of text; those with broken characters, NUL or too much text join the `rejects`."""
    try:
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        table = pa.table(columns or [pa.array([], pa.string())] * len(names), names=names)
    except UnicodeEncodeError:
        keep = []
        for i, row in enumerate(rows):
            refused = damaged_row(names, row, numbers[i], raw(i), limits)
            rejects.append(refused) if refused else keep.append(i)
        kept_numbers = [numbers[i] for i in keep]
        return batch_of_rows(
            names, [rows[i] for i in keep], kept_numbers, lambda i: raw(keep[i]), limits, rejects
        )
    return screened(table, np.asarray(numbers, np.int64), raw, limits, rejects)


def screened(
    table: pa.Table,
    numbers: np.ndarray[tuple[int], np.dtype[np.int64]],
    raw: Callable[[int], bytes],
    limits: Limits,
    rejects: list[Reject],
    *,
    may_have_nul: bool = True,
) -> RawBatch:
    """A batch without the rows that hold a NUL or an oversized value; these join the `rejects`."""
    bad = np.zeros(table.num_rows, bool)
    for column in table.columns if table.num_rows else ():
        if (pc.max(pc.binary_length(column)).as_py() or 0) > limits.field_bytes:
            bad |= _mask(pc.greater(pc.binary_length(column), limits.field_bytes))
        if may_have_nul:
            hit = pc.match_substring(column, "\0")
            bad |= _mask(hit) if pc.any(hit).as_py() else False
    if not bad.any():
        return RawBatch(table, numbers, rejects, raw)
    names = tuple(table.column_names)
    for i in np.flatnonzero(bad).tolist():
        row = tuple(column[i].as_py() for column in table.columns)
        refused = damaged_row(names, row, int(numbers[i]), raw(i), limits)
        if refused:
            rejects.append(refused)
    keep = np.flatnonzero(~bad)
    return RawBatch(table.take(keep), numbers[keep], rejects, lambda i: raw(int(keep[i])))


def _mask(flags: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray(pc.fill_null(flags, False).to_numpy(zero_copy_only=False), bool)


def damaged_row(names: tuple[str, ...], row: Row, number: int, raw: bytes, limits: Limits) -> Reject | None:
    """The refusal of a row for its first value that cannot be stored, or None if all can."""
    found = {
        name: problem
        for name, value in zip(names, row, strict=True)
        if value is not None and (problem := _problem(value, limits))
    }
    if not found:
        return None
    field, (reason, detail) = next(iter(found.items()))
    values = {
        name: readable(value) if name in found else value for name, value in zip(names, row, strict=True)
    }
    return Reject(number, reason, f"{field}: {detail}", raw, field, values, tuple(found))


def _problem(value: str, limits: Limits) -> tuple[Reason, str] | None:
    size = len(value.encode("utf-8", "surrogatepass"))
    if size > limits.field_bytes:
        return Reason.TOO_LARGE, f"{size:,} bytes where {limits.field_bytes:,} are the limit"
    if "\0" in value:
        return Reason.NUL_BYTE, f"a NUL character at position {value.index(chr(0)) + 1}"
    broken = next((i for i, char in enumerate(value) if "\ud800" <= char <= "\udfff"), None)
    if broken is not None:
        code = ord(value[broken])
        what = (
            f"the byte 0x{code - 0xDC00:02x}"
            if 0xDC80 <= code <= 0xDCFF
            else f"half a character (U+{code:04X})"
        )
        return Reason.BROKEN_ENCODING, f"{what} at position {broken + 1} is no text in this encoding"
    return None


def readable(value: str | None) -> str | None:
    """A value that any table and page can show: cut to a bounded length, what is no text as `\\x..`."""
    if value is None:
        return None
    head = value[:SHOWN_BYTES].encode("utf-8", "surrogateescape" if _escaped(value) else "backslashreplace")
    return head.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _escaped(value: str) -> bool:
    return not any("\ud800" <= char <= "\udc7f" or "\udd00" <= char <= "\udfff" for char in value)


def text_of(value: object) -> str | None:
    """A typed value (of a workbook, a database, Parquet, JSON) as the text a mapping reads.

    Whole numbers lose their `.0`, dates and times are ISO 8601, nested values JSON; NaN is a missing value.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return (value.date() if value.time() == time() and value.tzinfo is None else value).isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "surrogateescape")
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, default=text_of)
    return str(value)


def _number(value: float) -> str | None:
    if math.isnan(value):
        return None
    if value.is_integer() and abs(value) < 1e18:
        return str(int(value))
    return format(Decimal(repr(value)), "f") if math.isfinite(value) else str(value)


def json_of(values: dict[str, str | None]) -> bytes:
    """A row of a format without lines of its own, as bytes to keep."""
    return json.dumps(values, ensure_ascii=False).encode(
        "utf-8",
        "surrogateescape"
        if all(_escaped(value) for value in values.values() if value)
        else "backslashreplace",
    )


def overlong(number: int, head: bytes, size: int, limits: Limits) -> Reject:
    """The refusal of a row beyond the bound of a row; only its beginning is kept."""
    detail = f"the row has {size:,} bytes where {limits.row_bytes:,} are the limit; its beginning is kept"
    return Reject(number, Reason.TOO_LARGE, detail, head)
