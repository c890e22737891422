"""Delimited text (CSV and its relatives), read so that no row is lost and none takes another with it.

Clean blocks of lines without quotes go through Arrow's parser; the others line by line through Python's,
where a row that cannot be read costs its own line alone: after a quote that is never closed, reading goes on
with the next line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from suzani.kernel import InvalidInput
from suzani.sources.readers.lines import Block, Blocks
from suzani.sources.readers.rows import Request, Source, batch_of_rows, overlong, screened, unique_names
from suzani.sources.types import RawBatch, Reason, Reject

DELIMITERS = (";", ",", "\t", "|")


def open_delimited(stream: BinaryIO, request: Request) -> Source:
    """The rows of a delimited file. Raises `InvalidInput` when it is empty or has no readable header."""
    csv.field_size_limit(max(csv.field_size_limit(), 2 * request.limits.row_bytes))
    blocks = Blocks(stream, request.name, request.format.encoding, request.limits)
    first = blocks.next()
    if first is None:
        raise InvalidInput(f"{request.name} is empty", hint="Not even a header line was found.")
    delimiter = request.format.delimiter or sniff_delimiter(first.data.decode(blocks.encoding, "replace"))
    columns = request.columns or _columns(first, blocks, delimiter, request)
    reader = _Reader(
        blocks, columns, delimiter, request, header=request.format.header and not request.columns
    )
    return Source(columns, True, reader.batches(first))


def sniff_delimiter(text: str) -> str:
    """The delimiter that most evenly divides the first lines; a comma when none does."""
    lines = [line for line in text.split("\n")[:50] if line.strip()][:20]

    def evenness(mark: str) -> tuple[float, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=mark)]
        return (sum(count == counts[0] for count in counts) / len(counts) if counts[0] > 1 else 0, counts[0])

    try:
        best = max(DELIMITERS, key=evenness) if lines else ","
        return best if evenness(best)[0] > 0 else ","
    except csv.Error:
        return max(DELIMITERS, key=lines[0].count) if lines else ","


def _columns(first: Block, blocks: Blocks, delimiter: str, request: Request) -> tuple[str, ...]:
    """The column names: of the first line that is not empty, or `1`, `2`, ... where there is no header."""
    text = first.data.decode(blocks.encoding, "replace").replace("\r\n", "\n").replace("\r", "\n")
    try:
        rows = csv.reader(
            io.StringIO(text, newline="\n"), delimiter=delimiter, quotechar=request.format.quote, strict=True
        )
        head = next((row for row in rows if row), [])
    except csv.Error as error:
        raise InvalidInput(f"{request.name}: the header line cannot be read: {error}") from error
    if not head or first.overlong:
        raise InvalidInput(f"{request.name} has no header line", hint="The file holds no readable line.")
    if not request.format.header:
        return tuple(str(i) for i in range(1, len(head) + 1))
    if any("�" in name or "\0" in name for name in head):
        raise InvalidInput(
            f"{request.name}: the header line is not text in {blocks.encoding}",
            hint="Name the right encoding in the mapping (format: {encoding: windows-1251}).",
        )
    return unique_names(head)


@dataclass(slots=True)
class _Reader:
    blocks: Blocks
    columns: tuple[str, ...]
    delimiter: str
    request: Request
    header: bool

    def batches(self, first: Block) -> Iterator[RawBatch]:
        block: Block | None = first
        while block is not None:
            if block.overlong:
                refused = overlong(block.line, block.data, block.overlong, self.request.limits)
                yield self._empty([refused])
            else:
                batch = self._fast(block) or self._slow(block)
                if batch.count:
                    yield batch
            block = self.blocks.next()

    def _empty(self, rejects: list[Reject]) -> RawBatch:
        return batch_of_rows(self.columns, [], [], lambda _: b"", self.request.limits, rejects)

    def _fast(self, block: Block) -> RawBatch | None:
        """The block by Arrow's parser, or None if that might read anything otherwise than line by line."""
        data, newline = block.data, self.blocks.newline
        quote = self.request.format.quote.encode(self.blocks.encoding, "replace")
        if newline != b"\n" or quote in data or b"\0" in data or data.count(b"\r") != data.count(b"\r\n"):
            return None
        if b"\n\n" in data or b"\n\r\n" in data or data[:1] in (b"\n", b"\r"):
            return None
        try:
            if self.blocks.encoding.lower() not in ("utf-8", "utf8", "ascii"):
                data = data.decode(self.blocks.encoding).encode()
            table = self._arrow(data)
        except (UnicodeDecodeError, pa.ArrowInvalid):
            return None
        lines = block.data.count(b"\n") + (not block.data.endswith(b"\n")) - self.header
        if table.num_rows != lines:
            return None
        numbers = np.arange(block.line + self.header, block.line + self.header + lines, dtype=np.int64)
        raw = _Lines(block.data, newline, range(self.header, self.header + lines))
        self.header = False
        return screened(table, numbers, raw.one, self.request.limits, [], may_have_nul=False)

    def _arrow(self, data: bytes) -> pa.Table:
        read = pa_csv.ReadOptions(
            use_threads=False,
            block_size=len(data) + 1,
            skip_rows=int(self.header),
            column_names=[str(i) for i in range(len(self.columns))],
        )
        parse = pa_csv.ParseOptions(
            delimiter=self.delimiter, quote_char=False, double_quote=False, ignore_empty_lines=False
        )
        types = {str(i): pa.string() for i in range(len(self.columns))}
        convert = pa_csv.ConvertOptions(column_types=types, strings_can_be_null=False)
        table = pa_csv.read_csv(pa.BufferReader(data), read, parse, convert)
        return table.rename_columns(list(self.columns))

    def _slow(self, block: Block) -> RawBatch:
        """The block row by row."""
        encoding = self.blocks.encoding
        text = block.data.decode(encoding, "surrogateescape")
        if self.blocks.newline == b"\r":
            text = text.replace("\r", "\n")
        lines = io.StringIO(text, newline="\n").readlines()
        rows, spans, rejects, rest = self._rows(lines, block)
        if rest < len(lines):
            tail = "".join(lines[rest:])
            tail = tail.replace("\n", "\r") if self.blocks.newline == b"\r" else tail
            self.blocks.push_back(tail.encode(encoding, "surrogateescape"), block.line + rest)
        raw = _Lines(
            block.data, self.blocks.newline, [start for start, _ in spans], [end for _, end in spans]
        )
        numbers = [block.line + start for start, _ in spans]
        return batch_of_rows(self.columns, rows, numbers, raw.one, self.request.limits, rejects)

    def _rows(
        self, lines: list[str], block: Block
    ) -> tuple[list[tuple[str | None, ...]], list[tuple[int, int]], list[Reject], int]:
        """The rows, the lines each spans, the refused, and the first line left for the next block."""
        rows: list[tuple[str | None, ...]] = []
        spans: list[tuple[int, int]] = []
        rejects: list[Reject] = []
        raw = _Lines(block.data, self.blocks.newline, range(len(lines)))
        width = len(self.columns)
        offset = 0
        reader = self._csv(lines, 0)
        while True:
            start = offset + reader.line_num
            problem = ""
            try:
                row = next(reader)
            except StopIteration:
                return rows, spans, rejects, len(lines)
            except csv.Error as error:
                row, problem = [], str(error)
            end = offset + reader.line_num
            if problem == "unexpected end of data" and not block.last and self._may_go_on(lines, start):
                return rows, spans, rejects, start
            if not problem and len(row) == width and end - start <= self.request.limits.quoted_lines:
                if not self.header:
                    rows.append(tuple(row))
                    spans.append((start, end))
                self.header = False
                continue
            if not row and not problem:
                continue
            self.header = False
            if end - start > 1:
                problem = "a quote is opened and not closed on the line"
                offset, reader = start + 1, self._csv(lines, start + 1)
            elif problem:
                offset, reader = start + 1, self._csv(lines, start + 1)
            detail = (
                f"not readable as a row: {problem}"
                if problem
                else (f"{len(row)} fields where the header has {width}")
            )
            rejects.append(Reject(block.line + start, Reason.WRONG_SHAPE, detail, raw.one(start)))

    def _may_go_on(self, lines: list[str], start: int) -> bool:
        tail = lines[start:]
        limits = self.request.limits
        return len(tail) <= limits.quoted_lines and sum(map(len, tail)) <= limits.row_bytes

    def _csv(self, lines: list[str], start: int) -> csv.Reader:  # type: ignore[name-defined]
        return csv.reader(
            islice(lines, start, None),
            delimiter=self.delimiter,
            quotechar=self.request.format.quote,
            strict=True,
        )


class _Lines:
    """The exact bytes of rows of a block, split only when a row is asked for."""

    def __init__(self, data: bytes, newline: bytes, starts: object, ends: list[int] | None = None) -> None:
        self._data, self._newline, self._starts, self._ends = data, newline, starts, ends
        self._split: list[bytes] | None = None

    def one(self, i: int) -> bytes:
        """The i-th row without its line end."""
        if self._split is None:
            self._split = self._data.split(self._newline)
        start = self._starts[i]  # type: ignore[index]
        end = self._ends[i] if self._ends else start + 1
        return self._newline.join(self._split[start:end])
