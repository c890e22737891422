"""Writing a table as a system's extract file, with its deliberately broken rows among the good ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from suzani.demo.types import Ints
from suzani.demo.workbook import write_workbook

_BATCH = 20_000


@dataclass(frozen=True)
class Broken:
    """A copy of row `row`, spoilt; `value` replaces the column's, or `raw` changes the written line."""

    row: int
    column: str
    value: str | None = None
    raw: Callable[[bytes], bytes] | None = None
    new_key: str | None = None
    """The copy's key; None keeps the key of the row that was copied."""


def _quoted(column: pa.Array, delimiter: str) -> pa.StringArray:
    text = column.cast(pa.string()).fill_null("")
    special = pc.or_(pc.match_substring(text, delimiter), pc.match_substring(text, '"'))
    if not pc.any(special).as_py():
        return text
    escaped = pc.binary_join_element_wise(
        pa.scalar('"'), pc.replace_substring(text, '"', '""'), pa.scalar('"'), ""
    )
    return pc.if_else(special, escaped, text)


def _csv_lines(table: pa.Table, delimiter: str) -> list[bytes]:
    columns = [_quoted(column.combine_chunks(), delimiter) for column in table.columns]
    lines: list[bytes] = pc.binary_join_element_wise(*columns, delimiter).cast(pa.binary()).to_pylist()
    return lines


def _json_lines(table: pa.Table) -> list[bytes]:
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    return [encode(row).encode() for batch in table.to_batches(_BATCH) for row in batch.to_pylist()]


def _spoilt(table: pa.Table, broken: Broken, key: str) -> pa.Table:
    """One row: the copy with its new key and its wrong value (nested columns only by `raw`)."""
    row = table.slice(broken.row, 1)
    for name, value in ((key, broken.new_key), (broken.column, broken.value)):
        if name and value is not None:
            at = row.column_names.index(name)
            row = row.set_column(at, name, pa.array([value or None], row.schema.types[at]))
    return row


def _merge(good: list[bytes], bad: list[bytes], places: Ints) -> Iterator[bytes]:
    """The good lines with each bad one after the line its place names."""
    after = sorted(zip(places.tolist(), range(len(bad)), strict=True))
    start = 0
    for place, which in after:
        yield from good[start:place]
        yield bad[which]
        start = place
    yield from good[start:]


@dataclass(frozen=True)
class TextFormat:
    """How a text extract is written."""

    lines: Callable[[pa.Table], list[bytes]]
    encoding: str = "utf-8"
    delimiter: str | None = None


TEXT_FORMATS: dict[str, TextFormat] = {
    "core_banking": TextFormat(lambda t: _csv_lines(t, ";"), delimiter=";"),
    "cards": TextFormat(lambda t: _csv_lines(t, ","), delimiter=","),
    "mortgage": TextFormat(lambda t: _csv_lines(t, "\t"), encoding="cp1251", delimiter="\t"),
    "investment": TextFormat(lambda t: _csv_lines(t, "|"), delimiter="|"),
    "lending": TextFormat(_json_lines),
}


def _encoded(line: bytes, encoding: str) -> bytes:
    return line if encoding == "utf-8" else line.decode().encode(encoding, errors="replace")


def _write_text(form: TextFormat, table: pa.Table, path: Path, broken: list[Broken], places: Ints) -> None:
    key = table.column_names[0]
    bad = []
    for one in broken:
        line = _encoded(form.lines(_spoilt(table, one, key))[0], form.encoding)
        bad.append(one.raw(line) if one.raw else line)
    with path.open("wb") as file:
        if form.delimiter:
            file.write(_encoded(form.delimiter.join(table.column_names).encode(), form.encoding) + b"\n")
        good = [_encoded(line, form.encoding) for line in form.lines(table)]
        file.writelines(line + b"\n" for line in _merge(good, bad, places))


def _with_rows(table: pa.Table, broken: list[Broken], places: Ints) -> pa.Table:
    key, pieces, start = table.column_names[0], [], 0
    for place, which in sorted(zip(places.tolist(), range(len(broken)), strict=True)):
        pieces += [table.slice(start, place - start), _spoilt(table, broken[which], key)]
        start = place
    return pa.concat_tables([*pieces, table.slice(start)]).combine_chunks()


def write_extract(
    system: str, table: pa.Table, path: Path, broken: list[Broken], rng: np.random.Generator
) -> None:
    """Writes one extract; every broken row stands somewhere after the row it copies."""
    rows = np.array([one.row for one in broken], dtype=np.int64)
    places = rows + 1 + (rng.random(len(rows)) * (table.num_rows - rows)).astype(np.int64)
    if system in TEXT_FORMATS:
        _write_text(TEXT_FORMATS[system], table, path, broken, places)
        return
    table = _with_rows(table, broken, places)
    if path.suffix == ".xlsx":
        write_workbook(table, path)
    else:
        pq.write_table(table, path, compression="zstd")
