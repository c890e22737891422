"""Blocking: who shares a key with whom.

A record's keys are 32-bit hashes in the columns of a matrix (0: none). A rule combines sources of keys; each
combination of their alternatives is one 40-bit hash, and an *entry* is that hash with the row in the low 24
bits, so that sorting entries groups the rows of a block. A block larger than the cap is *oversized*: its
entries move on to a hash that one more key refines.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from suzani.identity.kernels.arrays import Hashes32, Hashes64, Ints
from suzani.identity.kernels.compiling import inner, kernel

ROW_BITS = np.uint64(24)
MOST_ROWS = 1 << 24
ROW_MASK = np.uint64((1 << 24) - 1)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_AGAIN = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)
_STRETCH = 4096
"""Rows whose keys stay in the cache while all rules look at them."""

Entries = Hashes64


class Rules(NamedTuple):
    """Rule r combines up to three sources of keys: part p is parts[r, 2 * p + 1] columns of the keys from
    parts[r, 2 * p] on; a part of no columns is unused.

    oversized[start[r]:start[r + 1]]: sorted hashes of the blocks that are refined; `refine`: the key columns
    that refine them, in turn.
    """

    parts: Ints
    oversized: Hashes64
    start: Ints
    refine: Ints


@inner
def mixed(hash_: np.uint64, key: np.uint32) -> np.uint64:
    """A 40-bit hash of a hash and one more key."""
    x = (hash_ + np.uint64(key) + np.uint64(1)) * _SPREAD
    x = (x ^ (x >> _SHIFT)) * _AGAIN
    x = (x ^ (x >> _SHIFT)) * _SPREAD
    return x >> ROW_BITS


@inner
def _is_oversized(oversized: Hashes64, low: int, high: int, hash_: np.uint64) -> bool:
    """Whether oversized[low:high] holds a hash."""
    end = high
    while low < high:
        middle = (low + high) >> 1
        if oversized[middle] < hash_:
            low = middle + 1
        else:
            high = middle
    return low < end and oversized[low] == hash_


@inner
def refined(
    r: int, oversized: Hashes64, start: Ints, refine: Ints, hash_: np.uint64, keys: Hashes32, row: int
) -> np.uint64:
    """The hash of the block a row is in after all refinements; 0 if it stays in one too large."""
    if start[r] == start[r + 1]:
        return hash_
    depth = 0
    while _is_oversized(oversized, start[r], start[r + 1], hash_):
        if depth == len(refine):
            return np.uint64(0)
        hash_ = mixed(hash_, keys[row, refine[depth]])
        depth += 1
    return hash_


@inner
def hashes(
    r: int,
    parts: Ints,
    oversized: Hashes64,
    start: Ints,
    refine: Ints,
    keys: Hashes32,
    row: int,
    out: Hashes64,
) -> int:
    """Write the block hashes of one row to `out`; returns how many."""
    found = 0
    for i in range(parts[r, 1]):
        a = keys[row, parts[r, 0] + i]
        if a == 0:
            continue
        one = mixed(np.uint64(0), a)
        for j in range(max(parts[r, 3], 1)):
            two = one
            if parts[r, 3]:
                b = keys[row, parts[r, 2] + j]
                if b == 0:
                    continue
                two = mixed(one, b)
            for k in range(max(parts[r, 5], 1)):
                three = two
                if parts[r, 5]:
                    c = keys[row, parts[r, 4] + k]
                    if c == 0:
                        continue
                    three = mixed(two, c)
                three = refined(r, oversized, start, refine, three, keys, row)
                if three:
                    out[found] = three
                    found += 1
    return found


@inner
def most_hashes(parts: Ints, r: int) -> int:
    """How many blocks of a rule one record can be in."""
    return int(parts[r, 1] * max(parts[r, 3], 1) * max(parts[r, 5], 1))


@kernel
def entries(rules: Rules, first: int, last: int, keys: Hashes32) -> tuple[Entries, Ints, Ints]:
    """The entries of all rows under rules `first` to `last`, unsorted: those of rule r are
    result[begins[r - first]:ends[r - first]]."""
    parts, oversized, start, refine = rules
    most = np.array([most_hashes(parts, r) for r in range(first, last)], dtype=np.int64)
    begins = (np.cumsum(most) - most) * len(keys)
    ends = begins.copy()
    result = np.empty(most.sum() * len(keys), dtype=np.uint64)
    for begin in range(0, len(keys), _STRETCH):
        stretch = keys[begin : begin + _STRETCH]
        for r in range(first, last):
            ends[r - first] = _add_entries(
                r, parts, oversized, start, refine, begin, stretch, ends[r - first], result
            )
    return result, begins, ends


@inner
def _add_entries(
    r: int, parts: Ints, oversized: Hashes64, start: Ints, refine: Ints, begin: int, keys: Hashes32, n: int,
    result: Entries,
) -> int:  # fmt: skip
    """Write the entries of some rows, the first of which is row `begin`, to result[n:]; returns where they
    end. As `hashes`, written out: a call for each row would cost more than all else here."""
    c0, n0, c1, n1, c2, n2 = parts[r]
    whole = start[r] == start[r + 1]
    for row in range(len(keys)):
        for i in range(n0):
            a = keys[row, c0 + i]
            if a == 0:
                continue
            one = mixed(np.uint64(0), a)
            for j in range(max(n1, 1)):
                b = keys[row, c1 + j]
                if n1 and b == 0:
                    continue
                two = mixed(one, b) if n1 else one
                for k in range(max(n2, 1)):
                    c = keys[row, c2 + k]
                    if n2 and c == 0:
                        continue
                    three = mixed(two, c) if n2 else two
                    if not whole:
                        three = refined(r, oversized, start, refine, three, keys, row)
                    if three:
                        result[n] = (three << ROW_BITS) | np.uint64(begin + row)
                        n += 1
    return n


@kernel
def refine_entries(large: Entries, keys: Hashes32, column: int) -> Entries:
    """Entries of oversized blocks with one more key in their hash."""
    result = np.empty_like(large)
    for i in range(len(large)):
        row = large[i] & ROW_MASK
        result[i] = (mixed(large[i] >> ROW_BITS, keys[row, column]) << ROW_BITS) | row
    return result


@kernel
def part(sorted_: Entries, cap: int) -> tuple[Entries, Entries, Hashes64, int]:
    """Part sorted entries into those of blocks of two rows up to `cap`, and those of larger blocks; they are
    written over meanwhile.

    Returns (small, large, the hashes of the large blocks, pairs in small blocks); a row counts once a block.
    """
    large = np.empty_like(sorted_)
    over = np.empty(len(sorted_) // max(cap, 1) + 1, dtype=np.uint64)
    n_small = n_large = n_over = 0
    pairs = 0
    i = 0
    while i < len(sorted_):
        hash_ = sorted_[i] >> ROW_BITS
        j = i
        # Those of the block move up to n_small, each once.
        end = n_small
        while j < len(sorted_) and sorted_[j] >> ROW_BITS == hash_:
            if end == n_small or sorted_[j] != sorted_[end - 1]:
                sorted_[end] = sorted_[j]
                end += 1
            j += 1
        size = end - n_small
        if size > cap:
            for k in range(n_small, end):
                large[n_large] = sorted_[k]
                n_large += 1
            over[n_over] = hash_
            n_over += 1
        elif size > 1:
            pairs += size * (size - 1) // 2
            n_small = end
        i = j
    return sorted_[:n_small].copy(), large[:n_large].copy(), over[:n_over].copy(), pairs


@kernel
def pairs_in(sorted_: Entries) -> int:
    """Pairs in all blocks of sorted entries, each row once a block."""
    pairs = 0
    i = 0
    while i < len(sorted_):
        j = i
        while j < len(sorted_) and sorted_[j] >> ROW_BITS == sorted_[i] >> ROW_BITS:
            j += 1
        pairs += (j - i) * (j - i - 1) // 2
        i = j
    return pairs


@inner
def _common(first: int, count: int, n: int, keys: Hashes32, a: int, b: int) -> np.uint32:
    """The n-th pairing of alternatives of a part, if the keys of two rows agree, else 0."""
    key = keys[a, first + n // count]
    return key if key == keys[b, first + n % count] else np.uint32(0)


@inner
def finds(
    r: int, parts: Ints, oversized: Hashes64, start: Ints, refine: Ints, keys: Hashes32, a: int, b: int
) -> bool:
    """Whether a rule brings two rows together."""
    for i in range(parts[r, 1] ** 2):
        x = _common(parts[r, 0], parts[r, 1], i, keys, a, b)
        if x == 0:
            continue
        one = mixed(np.uint64(0), x)
        for j in range(max(parts[r, 3] ** 2, 1)):
            two = one
            if parts[r, 3]:
                y = _common(parts[r, 2], parts[r, 3], j, keys, a, b)
                if y == 0:
                    continue
                two = mixed(one, y)
            for k in range(max(parts[r, 5] ** 2, 1)):
                three = two
                if parts[r, 5]:
                    z = _common(parts[r, 4], parts[r, 5], k, keys, a, b)
                    if z == 0:
                        continue
                    three = mixed(two, z)
                if start[r] == start[r + 1]:
                    return True
                mine = refined(r, oversized, start, refine, three, keys, a)
                if mine != 0 and mine == refined(r, oversized, start, refine, three, keys, b):
                    return True
    return False
