"""Many messages as one packed body, as the PostgreSQL log keeps them: pure functions.

A body is the lengths of all keys and values (little-endian, 4 bytes each), then the keys, then the values;
compressed by Zstandard where that pays.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final, NamedTuple
from zlib import crc32

import pyarrow as pa

from suzani.infra.bus.types import Message, Received

MOST_MESSAGES: Final = 512
MOST_BYTES: Final = 256 * 1024
"""Bounds of one body: a reader unpacks bodies whole, and may want only their ends."""

_WORTH_COMPRESSING_BYTES: Final = 2_048
_codec: Final = pa.Codec("zstd", compression_level=1)


class Packed(NamedTuple):
    """Messages of one partition that are kept as one; `size` is that of the body before compression."""

    messages: int
    size: int
    body: bytes


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that a key belongs to."""
    return crc32(key) % partitions


def pack(messages: Sequence[Message]) -> Iterator[Packed]:
    """Messages in their order, as bodies of bounded size; a message that is larger stands alone."""
    start, size = 0, 0
    for place, message in enumerate(messages):
        length = len(message[0]) + len(message[1])
        if place > start and (place - start == MOST_MESSAGES or size + length > MOST_BYTES):
            yield _packed(messages[start:place])
            start, size = place, 0
        size += length
    if start < len(messages):
        yield _packed(messages[start:])


def _packed(messages: Sequence[Message]) -> Packed:
    keys, values = zip(*messages, strict=True)
    lengths = struct.pack(f"<{2 * len(messages)}I", *map(len, keys), *map(len, values))
    raw = b"".join((lengths, *keys, *values))
    if len(raw) < _WORTH_COMPRESSING_BYTES:
        return Packed(len(messages), len(raw), raw)
    body = _codec.compress(raw, asbytes=True)
    return Packed(len(messages), len(raw), body if len(body) < len(raw) else raw)


def unpack(partition: int, last_offset: int, packed: Packed, span: range) -> list[Received]:
    """The messages of a body whose offsets are in `span`."""
    messages, size, body = packed
    raw = body if len(body) == size else _codec.decompress(body, size, asbytes=True)
    first = last_offset - messages + 1
    wanted = range(max(span.start - first, 0), min(span.stop - first, messages))
    ends = accumulate(struct.unpack_from(f"<{2 * messages}I", raw), initial=8 * messages)
    pieces = [raw[start:end] for start, end in pairwise(ends)]
    return [Received(partition, first + place, pieces[place], pieces[messages + place]) for place in wanted]
