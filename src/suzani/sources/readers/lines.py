"""A byte stream in blocks of whole lines, in bounded memory whatever the stream holds."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

import numpy as np

from suzani.kernel import InvalidInput
from suzani.sources.encodings import BOMS, is_wide
from suzani.sources.types import Limits

KEPT_OF_OVERLONG = 1 << 16


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines: their bytes, the 1-based number of the first, and whether the stream ends here.

    `overlong` is the true size in bytes of a single line beyond the bound, of which `data` is the beginning.
    """

    data: bytes
    line: int
    last: bool
    overlong: int = 0


class Blocks:
    """Takes blocks of whole lines from a stream of UTF-8 or another encoding that contains ASCII.

    Wide encodings are recoded to UTF-8 on the way, and `encoding` says so. A byte order mark is left out.
    """

    def __init__(self, stream: BinaryIO, name: str, encoding: str, limits: Limits) -> None:
        self._name, self._limits = name, limits
        head = self._guarded(stream.read, 1 << 16)
        mark = next(((mark, known) for mark, known in BOMS if head.startswith(mark)), None)
        self.encoding = mark[1] if mark else encoding
        self._chunks: Iterator[bytes] = iter(lambda: self._guarded(stream.read, limits.block_bytes), b"")
        if is_wide(self.encoding):
            self._chunks = _recoded(chain([head], self._chunks), self.encoding)
            head, self.encoding = next(self._chunks, b""), "utf-8"
        elif mark:
            head = head[len(mark[0]) :]
        self.newline = b"\r" if b"\r" in head[:-1] and b"\n" not in head else b"\n"
        self._pending, self._line, self._ended = head, 1, False

    def next(self) -> Block | None:
        """The next block, or None at the end. Raises `InvalidInput` when the stream is damaged."""
        self._fill()
        if not self._pending:
            return None
        cut = self._cut()
        if cut == 0 and not self._ended:
            return self._overlong()
        cut = cut or len(self._pending)
        data, self._pending = self._pending[:cut], self._pending[cut:]
        block = Block(data, self._line, self._ended and not self._pending)
        self._line += data.count(self.newline)
        return block

    def push_back(self, data: bytes, line: int) -> None:
        """Give back the tail of the last block, to come again at the start of the next with more after it."""
        self._pending, self._line = data + self._pending, line
        chunk = next(self._chunks, b"")
        self._pending, self._ended = self._pending + chunk, not chunk

    def _fill(self) -> None:
        pieces, size = [self._pending], len(self._pending)
        has_line = self.newline in self._pending
        while not self._ended and (
            size < self._limits.block_bytes or (not has_line and size <= self._limits.row_bytes)
        ):
            chunk = next(self._chunks, b"")
            self._ended = not chunk
            has_line = has_line or self.newline in chunk
            pieces.append(chunk)
            size += len(chunk)
        self._pending = b"".join(pieces)

    def _cut(self) -> int:
        """Where the block ends: after its last whole line, and after no more lines than a batch has rows."""
        ends = np.flatnonzero(np.frombuffer(self._pending, np.uint8) == self.newline[0])
        if len(ends) >= self._limits.batch_rows:
            return int(ends[self._limits.batch_rows - 1]) + 1
        if self._ended:
            return len(self._pending)
        return int(ends[-1]) + 1 if len(ends) else 0

    def _overlong(self) -> Block:
        head, size = self._pending[:KEPT_OF_OVERLONG], len(self._pending)
        self._pending = b""
        while not self._ended:
            chunk = next(self._chunks, b"")
            self._ended = not chunk
            line, found, rest = chunk.partition(self.newline)
            size += len(line)
            if found:
                self._pending = rest
                break
        block = Block(head, self._line, self._ended and not self._pending, size)
        self._line += 1
        return block

    def _guarded(self, read: Callable[[int], bytes], size: int) -> bytes:
        try:
            return read(size)
        except (zlib.error, EOFError) as error:
            raise InvalidInput(f"{self._name} is damaged: {error}") from error


def _recoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The chunks as UTF-8; what does not decode becomes the byte FF, which no UTF-8 has."""
    decoder = codecs.getincrementaldecoder(encoding)("suzani_broken")
    for chunk in chunks:
        text = decoder.decode(chunk)
        if text:
            yield text.encode("utf-8", "suzani_lone")
    tail = decoder.decode(b"", final=True)
    if tail:
        yield tail.encode("utf-8", "suzani_lone")


def _broken(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    raise error


def _lone(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeEncodeError):
        return b"\xff" * (error.end - error.start), error.end
    raise error


codecs.register_error("suzani_broken", _broken)
codecs.register_error("suzani_lone", _lone)
