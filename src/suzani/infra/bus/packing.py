"""Many messages as one packed body, as the PostgreSQL log keeps them: pure functions.

A body is the lengths of all keys and values (little-endian, 4 bytes each), then the keys, then the values;
compressed by Zstandard where that pays.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, islice, pairwise, repeat
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
    """One or more messages in their order, as bodies of bounded size; one that is larger stands alone."""
    if len(messages) == 1 or (len(messages) <= MOST_MESSAGES and bytes_of(messages) <= MOST_BYTES):
        yield _packed(messages)
        return
    middle = len(messages) // 2
    yield from pack(messages[:middle])
    yield from pack(messages[middle:])


def bytes_of(messages: Sequence[Message]) -> int:
    """How many bytes the keys and values take."""
    return sum(map(len, chain.from_iterable(messages)))


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
    ends = accumulate(struct.unpack_from(f"<{2 * messages}I", raw), initial=8 * messages)
    pieces = [raw[start:end] for start, end in pairwise(ends)]
    offsets = range(first, last_offset + 1)
    found = map(Received, repeat(partition), offsets, pieces[:messages], pieces[messages:])
    return list(islice(found, max(span.start - first, 0), max(span.stop - first, 0)))
