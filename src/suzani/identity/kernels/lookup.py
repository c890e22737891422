"""Finding what a record can reach: hash tables, the blocks it shares with others, and whom these lead to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from suzani.identity.kernels import blocks, hashing
from suzani.identity.kernels.arrays import Bools, Bytes, Codes, Hashes32, Hashes64, Ints
from suzani.identity.kernels.compiling import inner, kernel
from suzani.identity.kernels.levels import levels_of
from suzani.identity.kernels.weights import Judge, scores_of

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)
_ROW_MASK = np.uint64((1 << 24) - 1)
NONE, UNKNOWN = -1, -2


class Blocks(NamedTuple):
    """Who stands in which block: entries[starts[r]:starts[r + 1]] are the sorted entries of rule r; blocks of
    nodes added since are chains, found by `salted` hash."""

    rules: blocks.Rules
    entries: Hashes64
    starts: Ints
    chain_keys: Hashes64
    chain_heads: Codes
    chain_rows: Codes
    chain_next: Codes


class Nodes(NamedTuple):
    """What records say: codes and blocking keys, a hash of all of it, and whether a record still says it."""

    codes: Codes
    keys: Hashes32
    contents: Hashes64
    alive: Bools


class Marks(NamedTuple):
    """Working memory, a number per node: when it was last met as a neighbour, and when it was reached; both
    count up with every use (`turn`, one number)."""

    met: Ints
    reached: Ints
    turn: Ints


class Bounds(NamedTuple):
    """As in `partition.Options`, in bits."""

    loose: float
    cut: float
    clip: float
    kept: float
    largest: int


@inner
def _slot(keys: Hashes64, numbers: Codes, key: np.uint64) -> int:
    """Where a key stands, or the free slot where it would; the table's size is a power of two."""
    mask = len(keys) - 1
    at = int((key * _SPREAD) >> _SHIFT) & mask
    while numbers[at] != NONE and keys[at] != key:
        at = (at + 1) & mask
    return at


@kernel
def put(keys: Hashes64, numbers: Codes, new_keys: Hashes64, new_numbers: Codes) -> int:
    """Enter numbers by key, replacing those of keys that are there; returns how many keys are new."""
    fresh = 0
    for i in range(len(new_keys)):
        at = _slot(keys, numbers, new_keys[i])
        fresh += numbers[at] == NONE
        keys[at] = new_keys[i]
        numbers[at] = new_numbers[i]
    return fresh


@kernel
def find(keys: Hashes64, numbers: Codes, wanted: Hashes64) -> Codes:
    """The number of each key, NONE for one that is not there."""
    result = np.empty(len(wanted), dtype=np.int32)
    for i in range(len(wanted)):
        result[i] = numbers[_slot(keys, numbers, wanted[i])]
    return result


@kernel
def find_values(
    text: Bytes, start: Ints, salts: Hashes64, keys: Hashes64, numbers: Codes
) -> tuple[Hashes64, Codes]:
    """The salted hash of each value and its number: NONE for an empty one, UNKNOWN for one that is not there.

    Values come record by record; `salts` has one for each of a record.
    """
    hashes = hashing.hash_values(text, start)
    codes = np.full(len(hashes), NONE, dtype=np.int32)
    for i in range(len(hashes)):
        if hashes[i]:
            hashes[i] ^= salts[i % len(salts)]
            at = _slot(keys, numbers, hashes[i])
            codes[i] = UNKNOWN if numbers[at] == NONE else numbers[at]
    return hashes, codes


@inner
def _first_of(entries: Hashes64, low: int, high: int, hash_: np.uint64) -> int:
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
def _candidates(row: int, near: Blocks, nodes: Nodes, marks: Marks) -> Ints:
    """Live nodes that share a block with a node, each once, but for those that were gone through before."""
    parts, oversized, over_start, refine = near.rules
    entries, starts, rows, following = near.entries, near.starts, near.chain_rows, near.chain_next
    keys, met, reached, now = nodes.keys, marks.met, marks.reached, marks.turn[0]
    found = np.empty(64, dtype=np.int64)
    n = 0
    met[row] = now
    for r in range(len(parts)):
        out = np.empty(blocks.most_hashes(parts, r), dtype=np.uint64)
        for i in range(blocks.hashes(r, parts, oversized, over_start, refine, keys, row, out)):
            at = _first_of(entries, starts[r], starts[r + 1], out[i])
            link = near.chain_heads[_slot(near.chain_keys, near.chain_heads, salted(out[i], r))]
            while True:
                if at < starts[r + 1] and entries[at] >> blocks.ROW_BITS == out[i]:
                    other = np.int64(entries[at] & _ROW_MASK)
                    at += 1
                elif link != NONE:
                    other = np.int64(rows[link])
                    link = following[link]
                else:
                    break
                if met[other] != now:
                    met[other] = now
                    if nodes.alive[other] and reached[other] >= 0:
                        if n == len(found):
                            found = _longer(found)
                        found[n] = other
                        n += 1
    return found[:n].copy()


@kernel
def _longer(array: Ints) -> Ints:
    longer = np.empty(2 * len(array), dtype=np.int64)
    longer[: len(array)] = array
    return longer


@kernel
def _neighbours(
    row: int, near: Blocks, nodes: Nodes, judge: Judge, bounds: Bounds, marks: Marks
) -> tuple[Ints, Ints]:
    """Pairs (left, right) of a node and those that are near enough to it to be loosely connected, each in the
    order of what they say, as a run scores them."""
    marks.turn[0] += 1
    left = _candidates(row, near, nodes, marks)
    right = np.full(len(left), row)
    for i in range(len(left)):
        if nodes.contents[row] <= nodes.contents[left[i]]:
            left[i], right[i] = row, left[i]
    levels = levels_of(judge.layout, judge.values, nodes.codes, left, right)
    odds = scores_of(judge.weights, judge.layout, levels, nodes.codes, left, right)
    loose = odds > bounds.loose
    return left[loose], right[loose]


@kernel
def reach(
    seeds: Ints, near: Blocks, nodes: Nodes, judge: Judge, bounds: Bounds, marks: Marks
) -> tuple[Ints, Ints, Ints]:
    """All nodes that are loosely connected with seeds (distinct), these included; and the loose pairs among
    them (left, right), each once."""
    reached = marks.reached
    queue = np.empty(2 * len(seeds) + 64, dtype=np.int64)
    left, right = np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64)
    end, pairs, at = len(seeds), 0, 0
    queue[:end] = seeds
    marks.turn[0] += 1
    call = marks.turn[0]
    reached[seeds] = call
    while at < end:
        row = queue[at]
        a, b = _neighbours(row, near, nodes, judge, bounds, marks)
        # Pairs with it are known now: it need not be met again.
        reached[row] = -1
        at += 1
        while pairs + len(a) > len(left):
            left, right = _longer(left), _longer(right)
        for i in range(len(a)):
            left[pairs], right[pairs] = a[i], b[i]
            pairs += 1
            other = a[i] + b[i] - row
            if reached[other] != call:
                reached[other] = call
                if end == len(queue):
                    queue = _longer(queue)
                queue[end] = other
                end += 1
    reached[queue[:end]] = 0
    return queue[:end].copy(), left[:pairs].copy(), right[:pairs].copy()


@kernel
def block_hashes(first: int, rules: blocks.Rules, keys: Hashes32) -> tuple[Hashes64, Codes]:
    """The salted hashes of all blocks that rows from `first` on are in, each once, and their rows."""
    parts, oversized, start, refine = rules
    most = 0
    for r in range(len(parts)):
        most += blocks.most_hashes(parts, r)
    found = np.empty(most * (len(keys) - first), dtype=np.uint64)
    rows = np.empty(len(found), dtype=np.int32)
    out = np.empty(most, dtype=np.uint64)
    n = 0
    for row in range(first, len(keys)):
        begin = n
        for r in range(len(parts)):
            for i in range(blocks.hashes(r, parts, oversized, start, refine, keys, row, out)):
                hash_ = salted(out[i], r)
                k = begin
                while k < n and found[k] != hash_:
                    k += 1
                if k == n:
                    found[n], rows[n] = hash_, row
                    n += 1
    return found[:n].copy(), rows[:n].copy()


@kernel
def chain(keys: Hashes64, heads: Codes, hashes: Hashes64, first: int) -> tuple[Codes, int]:
    """Let links from `first` on head the chains of their blocks; returns which link follows each, and how
    many chains are new."""
    following = np.empty(len(hashes), dtype=np.int32)
    fresh = 0
    for i in range(len(hashes)):
        at = _slot(keys, heads, hashes[i])
        following[i] = heads[at]
        fresh += heads[at] == NONE
        keys[at] = hashes[i]
        heads[at] = first + i
    return following, fresh
