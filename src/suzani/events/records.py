"""Records of files of any format: each with its place and its own bytes, broken ones among them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from suzani.events.mapper import plain
from suzani.events.payloads import tolerant
from suzani.events.types import Malformed, Reason, Violation
from suzani.kernel import InvalidInput
from suzani.sources.mapping import Format
from suzani.sources.readers import format_of, open_file

AT_ONCE: Final = 2000
"""Records that are taken in one transaction."""

LONGEST_LINE: Final = 1 << 20
"""Bytes of a line of JSON; what is longer is refused, and its beginning kept."""

_TYPED: Final = ("jsonl", "parquet")


@dataclass(frozen=True, slots=True)
class Record:
    """A row: its number (from 1; lines for text), its own bytes, and its values or why there are none."""

    row: int
    raw: bytes
    values: dict[str, Any] | None = None
    fault: Violation | None = None


def is_typed(path: Path, form: Format) -> bool:
    """Whether a file's format knows numbers from texts."""
    return format_of(path, form).type in _TYPED


def read_records(path: Path, form: Format) -> Iterator[Record]:
    """Every record of a file. Raises InvalidInput or NotFound when it cannot be read at all."""
    settled = format_of(path, form)
    if settled.type == "jsonl":
        yield from _json_lines(path)
    elif settled.type == "parquet":
        yield from _parquet(path)
    else:
        yield from _texts(path, settled)


def _json_lines(path: Path) -> Iterator[Record]:
    try:
        with _opened(path) as stream:
            row = 0
            while line := stream.readline(LONGEST_LINE + 1):
                row += 1
                if len(line) > LONGEST_LINE:
                    _skip_line(stream, line)
                    wrong = Violation(Reason.TOO_LARGE, "", f"the line has more than {LONGEST_LINE:,} bytes")
                    yield Record(row, line, fault=wrong)
                elif not line.isspace():
                    yield record_of(row, line.strip())
    except (OSError, EOFError) as error:
        raise InvalidInput(f"cannot read {path}: {error}") from error


def _opened(path: Path) -> BinaryIO:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _skip_line(stream: BinaryIO, head: bytes) -> None:
    part = head
    while part and not part.endswith(b"\n"):
        part = stream.readline(LONGEST_LINE)


def record_of(row: int, line: bytes) -> Record:
    """The record in a JSON object; with its fault where it is none."""
    try:
        values = tolerant(msgspec.json.decode, line)
    except Malformed as error:
        return Record(row, line, fault=error.violation)
    if not isinstance(values, dict):
        return Record(row, line, fault=Violation(Reason.MALFORMED, "", "it is no JSON object"))
    return Record(row, line, values)


def _parquet(path: Path) -> Iterator[Record]:
    row = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=AT_ONCE, use_threads=False):
                for values in batch.to_pylist():
                    row += 1
                    yield Record(row, msgspec.json.encode(plain(values)), values)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is damaged after row {row}: {error}") from error


def _texts(path: Path, form: Format) -> Iterator[Record]:
    """Rows of text columns; rows that cannot be read come after the others of their block."""
    with open_file(path, form, None) as source:
        for batch in source.batches:
            for i, values in enumerate(batch.table.to_pylist()):
                yield Record(int(batch.rows[i]), batch.raw(i), values)
            for reject in batch.rejects:
                wrong = Violation(Reason.MALFORMED, reject.field or "", reject.detail)
                yield Record(reject.row, reject.raw, fault=wrong)
