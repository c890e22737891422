"""What all records say, kept in a file, so that a process need not read and standardise them all anew.

The file is a cache of what the database holds: one that is missing, damaged, of another program or of another
state is ignored. It holds personal data in standard form, and only its owner may read it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt

from suzani import __version__
from suzani.identity.kernels import hashing
from suzani.identity.kernels.levels import Layout, Values
from suzani.identity.kernels.marks import FORMS
from suzani.identity.pairs.keys import Keys
from suzani.identity.pairs.packing import Packed, Words, contents_of
from suzani.kernel import Kind, SuzaniError

_MAGIC: Final = b"suzani identity snapshot\n"
_VERSION: Final = 3
_ALIGN: Final = 64

Array = npt.NDArray[Any]


class Unusable(SuzaniError):
    """A file that holds no snapshot that this program could use."""


@dataclass(frozen=True)
class State:
    """Up to where a snapshot is true: by which run's knowledge it was standardised, and the latest change in
    it, with its time."""

    run_id: int
    digest: str
    change_id: int
    changed_at: datetime


@dataclass(frozen=True)
class Snapshot:
    """What records say, one row each."""

    state: State
    record_id: npt.NDArray[np.int64]
    packed: Packed


class _Stored(msgspec.Struct):
    """One array in the file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    checksum: int


class _Head(msgspec.Struct):
    """All that is no array."""

    program: str
    state: State
    fields: list[tuple[str, Kind]]
    given: int
    family: int
    arrays: list[_Stored]


def write(path: Path, snapshot: Snapshot) -> None:
    """Put a snapshot in the place of the one that is there; nobody ever sees half of one."""
    packed = snapshot.packed
    arrays = {
        "record_id": snapshot.record_id, "table": packed.layout.table, "order": packed.layout.order,
        "codes": packed.codes, "lists": packed.lists, "filled": packed.filled, **packed.values._asdict(),
    }  # fmt: skip
    start = arrays["start"]
    arrays["text"], arrays["start"] = arrays["text"][start[0] : start[-1]], start - start[0]
    solid = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    stored = [
        _Stored(name, array.dtype.str, array.shape, crc32(_bytes(array))) for name, array in solid.items()
    ]
    head = msgspec.json.encode(
        _Head(
            __version__, snapshot.state, list(packed.fields), packed.layout.given, packed.layout.family,
            stored,
        )
    )  # fmt: skip
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{uuid4().hex}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            first = _MAGIC + bytes([_VERSION]) + len(head).to_bytes(4, "big") + crc32(head).to_bytes(4, "big")
            file.write(first + head)
            for array in solid.values():
                file.write(bytes(-file.tell() % _ALIGN))
                file.write(_bytes(array))
        draft.replace(path)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


def _bytes(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def read(path: Path, words: Words) -> Snapshot:
    """The snapshot in a file; `words` as the knowledge has them that it was standardised by.

    Raises Unusable, which says what is wrong.
    """
    try:
        head, offset = _head(path)
        arrays = dict(_arrays(path, head, offset))
        return _snapshot(head, arrays, words)
    except (OSError, ValueError, KeyError, TypeError, msgspec.DecodeError) as error:
        raise Unusable(f"{path} cannot be read: {error}") from None


def state_of(path: Path) -> State | None:
    """Up to where the snapshot in a file is true; None without a file. Raises Unusable."""
    try:
        head, _ = _head(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise Unusable(f"{path} cannot be read: {error}") from None
    return head.state


def _head(path: Path) -> tuple[_Head, int]:
    """The head of a file, and where the arrays begin."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError("it is no snapshot")
        version = file.read(1)
        if version != bytes([_VERSION]):
            raise ValueError(f"it is of version {version.hex()}, not {_VERSION}")
        length, checksum = (int.from_bytes(file.read(4), "big") for _ in range(2))
        data = file.read(length)
        if len(data) < length or crc32(data) != checksum:
            raise ValueError("its head is damaged")
        head = msgspec.json.decode(data, type=_Head)
        if head.program != __version__:
            raise ValueError(f"it was written by version {head.program} of this program")
        return head, file.tell()


def _arrays(path: Path, head: _Head, offset: int) -> Iterator[tuple[str, Array]]:
    """The arrays of a file, checked."""
    data = np.fromfile(path, dtype=np.uint8)
    for stored in head.arrays:
        offset += -offset % _ALIGN
        dtype = np.dtype(stored.dtype)
        size = int(np.prod(stored.shape, dtype=np.int64)) * dtype.itemsize
        part = data[offset : offset + size]
        if len(part) < size or crc32(part.data) != stored.checksum:
            raise ValueError(f"{stored.name} is damaged")
        yield stored.name, part.view(dtype).reshape(stored.shape)
        offset += size


def _snapshot(head: _Head, arrays: dict[str, Array], words: Words) -> Snapshot:
    values = Values(*(arrays[name] for name in Values._fields))
    if values.form.shape[1] != FORMS:
        raise ValueError("its values have other forms")
    layout = Layout(arrays["table"], arrays["order"], head.given, head.family)
    codes, fields = arrays["codes"], tuple(head.fields)
    hashes = hashing.hash_values(values.text, values.start)
    packed = Packed(
        fields, layout, values, codes, hashes, contents_of(fields, layout, codes, hashes),
        arrays["lists"], (), arrays["filled"],
        Keys.of(fields, layout), words,
    )  # fmt: skip
    return Snapshot(head.state, arrays["record_id"], packed)
