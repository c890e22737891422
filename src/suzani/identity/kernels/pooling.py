"""Values added to those that are known already."""

from __future__ import annotations

from typing import NamedTuple

from suzani.identity.kernels import hashing
from suzani.identity.kernels.arrays import Bytes, Codes, Hashes32, Hashes64, Ints
from suzani.identity.kernels.compiling import kernel
from suzani.identity.kernels.levels import Values
from suzani.identity.kernels.marks import GROUP, NAME, make_marks


class Room(NamedTuple):
    """Where values go: their bytes, where each ends, their forms and groups, and a hash of each."""

    text: Bytes
    end: Ints
    form: Hashes32
    group: Codes
    hash: Hashes64


@kernel
def add_values(values: Values, ways: Ints, room: Room, bytes_before: int, groups_before: int) -> None:
    """Copy values, whose marks are made here (`ways` as in `make_marks`), behind so many bytes and groups."""
    text, start, form, group = values
    make_marks(ways, text, start, form, group)
    first = start[0]
    for i in range(len(room.text)):
        room.text[i] = text[first + i]
    for v in range(len(form)):
        room.end[v] = start[v + 1] - first + bytes_before
        room.hash[v] = hashing.hash_bytes(text, start[v], start[v + 1])
        for column in range(form.shape[1]):
            room.form[v, column] = form[v, column]
    for i in range(len(group)):
        room.group[i] = group[i]
    for i in range(len(ways)):
        # The column means something else to other ways to compare.
        if ways[i, 0] == NAME:
            for v in range(ways[i, 1], ways[i, 2]):
                if form[v, GROUP]:
                    room.form[v, GROUP] += groups_before
