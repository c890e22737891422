"""States as bytes: MessagePack of [version, layout, cells].

The layout tells of each cell what it keeps (its digest) and how many pieces back it knows of all events. A
changed trait so leaves the cells of all others as they are, and what its own lack is known.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec

from suzani.kernel import InvalidInput
from suzani.traits.types import DIGEST_BYTES, NOTHING, Cell, Cells, State

_PLAIN, _WITH_TEXTS = 1, 2
_NUMERIC: Final = frozenset(("sum", "min", "max"))
_ENTRY: Final = struct.Struct(f">{DIGEST_BYTES}sh")
_UNKNOWN: Final = -1


class Encoding:
    """How the states of one plan are written and read; `depths`: how many pieces back each cell is read."""

    def __init__(self, cells: Sequence[Cell], depths: Sequence[int]) -> None:
        self._entries = [(cell.digest(), depth) for cell, depth in zip(cells, depths, strict=True)]
        self._layout = self._layout_of({})
        self._numeric = [slot for slot, cell in enumerate(cells) if cell.fold in _NUMERIC]
        self._write = msgspec.msgpack.Encoder().encode
        self._read = msgspec.msgpack.Decoder(tuple[int, bytes, list[dict[int, Any]]]).decode
        self.digest = blake2b(self._layout, digest_size=8).hexdigest()

    def encode(self, state: State) -> bytes:
        """The state as bytes."""
        layout = self._layout_of(state.partial) if state.partial else self._layout
        try:
            return self._write((_PLAIN, layout, state.cells))
        except OverflowError:
            return self._write((_WITH_TEXTS, layout, self._numbers_as(str, state.cells)))

    def decode(self, data: bytes) -> State:
        """The state that bytes stand for. Raises InvalidInput for bytes that are none."""
        try:
            version, layout, cells = self._read(data)
            cells = [pieces or NOTHING for pieces in cells]
            state = State(cells) if layout == self._layout else self._adapted(layout, cells)
            if version == _WITH_TEXTS:
                state.cells = self._numbers_as(int, state.cells)
        except (msgspec.DecodeError, struct.error, ValueError) as error:
            raise InvalidInput(f"a state of traits cannot be read: {error}") from error
        if version not in (_PLAIN, _WITH_TEXTS):
            raise InvalidInput(f"a state of traits has version {version}, which is not known here")
        return state

    def _layout_of(self, partial: Mapping[int, int]) -> bytes:
        return b"".join(
            _ENTRY.pack(digest, partial.get(slot, depth))
            for slot, (digest, depth) in enumerate(self._entries)
        )

    def _numbers_as(self, kind: type, cells: Cells) -> Cells:
        """Cells with their numbers, some of which are beyond 64 bits, as text or back."""
        changed = list(cells)
        for slot in self._numeric:
            changed[slot] = {piece: kind(kept) for piece, kept in cells[slot].items()} or NOTHING
        return changed

    def _adapted(self, layout: bytes, cells: Cells) -> State:
        """The state of cells that another plan laid out."""
        entries = zip(_ENTRY.iter_unpack(layout), cells, strict=True)
        known = {digest: (depth, pieces) for (digest, depth), pieces in entries}
        adapted = State([])
        partial = {}
        for slot, (digest, depth) in enumerate(self._entries):
            known_depth, pieces = known.get(digest, (_UNKNOWN, NOTHING))
            adapted.cells.append(pieces)
            if known_depth < depth:
                partial[slot] = known_depth
        adapted.partial = partial
        return adapted
