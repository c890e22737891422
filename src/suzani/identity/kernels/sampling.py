"""Samples of the pairs that blocking gives, and which rules find each."""

from __future__ import annotations

import numpy as np

from suzani.identity.kernels.arrays import Bools, Hashes32, Hashes64, Ints
from suzani.identity.kernels.blocks import ROW_BITS, ROW_MASK, Entries, Rules, finds, pairs_in
from suzani.identity.kernels.compiling import inner, kernel

_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@kernel
def which_find(rules: Rules, keys: Hashes32, left: Ints, right: Ints) -> Bools:
    """Which rules bring each pair of rows together (pairs × rules)."""
    parts, oversized, start, refine = rules
    result = np.zeros((len(left), len(parts)), dtype=np.bool_)
    for pair in range(len(left)):
        a, b = left[pair], right[pair]
        for r in range(len(parts)):
            c0, n0, c1, n1, c2, n2 = parts[r]
            if not _meet(c0, n0, keys, a, b) or (n1 and not _meet(c1, n1, keys, a, b)):
                continue
            if n2 and not _meet(c2, n2, keys, a, b):
                continue
            result[pair, r] = finds(r, parts, oversized, start, refine, keys, a, b)
    return result


@inner
def _meet(first: int, count: int, keys: Hashes32, a: int, b: int) -> bool:
    """Whether two rows have a key of one source in common."""
    for i in range(first, first + count):
        key = keys[a, i]
        if key != 0:
            for j in range(first, first + count):
                if key == keys[b, j]:
                    return True
    return False


@kernel
def pairs_among(sorted_: Entries, contents: Hashes64, below: np.uint64) -> Ints:
    """The pairs in blocks of sorted entries, as left · rows + right, each once a block.

    Only pairs for which a 32-bit hash of what they say is less than `below`.
    """
    result = np.empty(pairs_in(sorted_), dtype=np.int64)
    n = i = 0
    while i < len(sorted_):
        j = i + 1
        while j < len(sorted_) and sorted_[j] >> ROW_BITS == sorted_[i] >> ROW_BITS:
            a = np.int64(sorted_[j] & ROW_MASK)
            for k in range(i, j):
                b = np.int64(sorted_[k] & ROW_MASK)
                if _share(contents[a], contents[b]) < below:
                    result[n] = b * len(contents) + a
                    n += 1
            j += 1
        i = j
    return result[:n].copy()


@inner
def _share(a: np.uint64, b: np.uint64) -> np.uint64:
    """A 32-bit hash of two contents, whichever comes first."""
    return np.uint64(((a ^ b) * _SPREAD) >> np.uint64(32))
