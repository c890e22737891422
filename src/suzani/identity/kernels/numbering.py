"""Numbering values: equal ones get one number.

Values are told apart by 64-bit hashes: of a million, two would be mixed up once in 30 million times.
"""

from __future__ import annotations

import numpy as np

from suzani.identity.kernels.arrays import Bytes, Codes, Hashes64, Ints
from suzani.identity.kernels.compiling import inner, kernel
from suzani.identity.kernels.hashing import quick_hash, slot_of

_PARTS = 256
_PART_SHIFT = np.uint64(56)
_MOST_KNOWN = 1 << 15
"""Values whose table stays in the cache."""
_MISSING = -1


@kernel
def number_values(text: Bytes, start: Codes, valid: Bytes, offset: int) -> tuple[Codes, Ints]:
    """Number values in the order of appearance: the number of each, -1 for an empty one and for one that is
    not valid, and where each number appears first.

    `valid`: a bit for each value, the first being bit `offset`; none given, all are.
    """
    hashes = np.empty(len(start) - 1, dtype=np.uint64)
    codes = np.empty(len(hashes), dtype=np.int32)
    table = np.full(_slots(min(len(hashes) + 1, _MOST_KNOWN)), _MISSING, dtype=np.int32)
    known, first = np.empty(len(table) // 2, dtype=np.uint64), np.empty(len(table) // 2, dtype=np.int64)
    numbers = 0
    for row in range(len(hashes)):
        bit = row + offset
        is_valid = not len(valid) or (valid[bit >> 3] >> (bit & 7)) & 1
        hashes[row] = quick_hash(text, start[row], start[row + 1]) if is_valid else np.uint64(0)
        if not hashes[row]:
            codes[row] = _MISSING
        elif numbers < len(known):
            slot = slot_of(table, known, hashes[row])
            if table[slot] < 0:
                table[slot], known[numbers], first[numbers] = numbers, hashes[row], row
                numbers += 1
            codes[row] = table[slot]
    return (codes, first[:numbers].copy()) if numbers < len(known) else _number_many(hashes)


@inner
def _slots(values: int) -> int:
    """The size of a table of so many values: a power of two, twice as many or more."""
    slots = 16
    while slots < 2 * values:
        slots *= 2
    return slots


@kernel
def _number_many(hashes: Hashes64) -> tuple[Codes, Ints]:
    """The same from the hashes, 0 where a value is missing.

    Parts by the first bits of the hash are gone through one by one: the table of each stays in the cache.
    """
    leaders = _leaders(hashes)
    codes, first = np.empty(len(hashes), dtype=np.int32), np.empty(len(hashes), dtype=np.int64)
    numbers = 0
    for row in range(len(hashes)):
        leader = leaders[row]
        if leader == row:
            first[numbers], codes[row] = row, numbers
            numbers += 1
        else:
            codes[row] = codes[leader] if leader >= 0 else _MISSING
    return codes, first[:numbers].copy()


@kernel
def _leaders(hashes: Hashes64) -> Codes:
    """The first row with the hash of each, -1 where it is 0."""
    begins = np.zeros(_PARTS + 1, dtype=np.int64)
    for hash_ in hashes:
        begins[(hash_ >> _PART_SHIFT) + np.uint64(1)] += hash_ != 0
    for part in range(_PARTS):
        begins[part + 1] += begins[part]
    places = begins.copy()
    grouped, rows = np.empty(begins[-1], dtype=np.uint64), np.empty(begins[-1], dtype=np.int32)
    leaders = np.empty(len(hashes), dtype=np.int32)
    for row in range(len(hashes)):
        leaders[row] = _MISSING
        if hashes[row]:
            part = hashes[row] >> _PART_SHIFT
            grouped[places[part]], rows[places[part]] = hashes[row], row
            places[part] += 1
    for part in range(_PARTS):
        first, end = begins[part], begins[part + 1]
        table = np.full(_slots(end - first), _MISSING, dtype=np.int32)
        for i in range(end - first):
            slot = slot_of(table, grouped[first:end], grouped[first + i])
            if table[slot] < 0:
                table[slot] = i
            leaders[rows[first + i]] = rows[first + table[slot]]
    return leaders
