"""Finding one record's neighbours: hash tables, and the blocks a record shares with others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels import blocks
from suzani.identity.kernels.compiling import inner, kernel

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
Keys = npt.NDArray[np.uint32]

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)
_ROW_MASK = np.uint64((1 << 24) - 1)
NONE = -1


@inner
def _slot(keys: Hashes, numbers: Numbers, key: np.uint64) -> int:
    """Where a key stands, or the free slot where it would; the table's size is a power of two."""
    mask = len(keys) - 1
    at = int((key * _SPREAD) >> _SHIFT) & mask
    while numbers[at] != NONE and keys[at] != key:
        at = (at + 1) & mask
    return at


@kernel
def put(keys: Hashes, numbers: Numbers, new_keys: Hashes, new_numbers: Numbers) -> int:
    """Enter numbers by key, replacing those of keys that are there; returns how many keys are new."""
    fresh = 0
    for i in range(len(new_keys)):
        at = _slot(keys, numbers, new_keys[i])
        fresh += numbers[at] == NONE
        keys[at] = new_keys[i]
        numbers[at] = new_numbers[i]
    return fresh


@kernel
def find(keys: Hashes, numbers: Numbers, wanted: Hashes) -> Numbers:
    """The number of each key, NONE for one that is not there."""
    result = np.empty(len(wanted), dtype=np.int32)
    for i in range(len(wanted)):
        result[i] = numbers[_slot(keys, numbers, wanted[i])]
    return result


@inner
def _first_of(entries: Hashes, low: int, high: int, hash_: np.uint64) -> int:
    """The first of sorted entries[low:high] that belongs to a block, or the place where it would stand."""
    wanted = hash_ << blocks.ROW_BITS
    while low < high:
        middle = (low + high) >> 1
        if entries[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@inner
def salted(hash_: np.uint64, rule: int) -> np.uint64:
    """One key for a block of a rule."""
    return hash_ | (np.uint64(rule + 1) << np.uint64(40))


@kernel
def candidates(
    row: int, rules: blocks.Rules, keys: Keys, entries: Hashes, starts: Rows, chain_keys: Hashes,
    chain_heads: Numbers, chain_rows: Numbers, chain_next: Numbers, met: Rows, turn: int,
) -> Rows:  # fmt: skip
    """Rows that share a block with a row, each once.

    `entries[starts[r]:starts[r + 1]]`: sorted entries of rule r; blocks of rows added since are chains, found
    by `salted` hash. met[row] == turn marks rows met in this turn.
    """
    parts, oversized, over_start, refine = rules
    found = np.empty(64, dtype=np.int64)
    n = 0
    met[row] = turn
    for r in range(len(parts)):
        out = np.empty(blocks.most_hashes(parts, r), dtype=np.uint64)
        for i in range(blocks.hashes(r, parts, oversized, over_start, refine, keys, row, out)):
            at = _first_of(entries, starts[r], starts[r + 1], out[i])
            link = chain_heads[_slot(chain_keys, chain_heads, salted(out[i], r))]
            while True:
                if at < starts[r + 1] and entries[at] >> blocks.ROW_BITS == out[i]:
                    other = np.int64(entries[at] & _ROW_MASK)
                    at += 1
                elif link != NONE:
                    other = np.int64(chain_rows[link])
                    link = chain_next[link]
                else:
                    break
                if met[other] != turn:
                    met[other] = turn
                    if n == len(found):
                        longer = np.empty(2 * n, dtype=np.int64)
                        longer[:n] = found
                        found = longer
                    found[n] = other
                    n += 1
    return found[:n].copy()


@kernel
def block_hashes(row: int, rules: blocks.Rules, keys: Keys) -> Hashes:
    """The salted hashes of all blocks that a row is in."""
    parts, oversized, start, refine = rules
    total = 0
    for r in range(len(parts)):
        total += blocks.most_hashes(parts, r)
    result = np.empty(total, dtype=np.uint64)
    n = 0
    for r in range(len(parts)):
        out = np.empty(blocks.most_hashes(parts, r), dtype=np.uint64)
        for i in range(blocks.hashes(r, parts, oversized, start, refine, keys, row, out)):
            result[n] = salted(out[i], r)
            n += 1
    return result[:n].copy()
