"""The inner loop of matching: the pairs of a rule's blocks, those an earlier rule found left out, scored.

Only pairs worth keeping are stored. A pair is abandoned as soon as its remaining fields cannot lift it above
the bound any more.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np

from suzani.identity.kernels import blocks, strings
from suzani.identity.kernels.arrays import Bytes, Codes, Floats, Hashes32, Hashes64, Ints, Singles
from suzani.identity.kernels.cards import SAME, Cards, Found, Look, may_be_crossed, rest_of, weigh_own
from suzani.identity.kernels.compiling import inlined, inner, kernel
from suzani.identity.kernels.levels import EXACT, Layout, Values, pair_levels, swap_names, unlike_level
from suzani.identity.kernels.weights import Weights, odds_bits, pair_evidence

Array = TypeVar("Array", Bytes, Ints, Floats)

_ROW_MASK = (1 << 24) - 1
_LOW = np.uint64(_ROW_MASK)
_LAST = 1 << 31
_MOST_SOURCES = 64
"""Sources of keys that have a bit of their own; any more are looked at one pair at a time."""


class Neighbours(NamedTuple):
    """The blocks of all rules, and where each row stands in them.

    `members`: the rows of one block after another, ascending, the last of each less 2**31 (so below 0);
    rule r ends before rule_ends[r]. Row i stands in blocks with later rows at at[begin[i]:begin[i + 1]].
    """

    members: Codes
    at: Codes
    begin: Ints
    rule_ends: Ints


@kernel
def count_members(entries: Hashes64, counts: Ints) -> int:
    """Rows in blocks of two rows and more of sorted entries; adds to `counts` who has later neighbours."""
    total = i = 0
    while i < len(entries):
        j = i + 1
        while j < len(entries) and entries[j] >> blocks.ROW_BITS == entries[i] >> blocks.ROW_BITS:
            j += 1
        if j - i > 1:
            total += j - i
            for k in range(i, j - 1):
                counts[entries[k] & _LOW] += 1
        i = j
    return total


@kernel
def add_members(entries: Hashes64, place: int, members: Codes, at: Codes, next_: Ints, work: Ints) -> None:
    """Write the blocks of sorted entries to members[place:]; next_[row] is where the row's next place goes,
    work[row] sums up its later neighbours."""
    i = 0
    while i < len(entries):
        j = i + 1
        while j < len(entries) and entries[j] >> blocks.ROW_BITS == entries[i] >> blocks.ROW_BITS:
            j += 1
        if j - i > 1:
            for k in range(i, j):
                row = np.int64(entries[k] & _LOW)
                if k < j - 1:
                    members[place] = row
                    at[next_[row]] = place
                    next_[row] += 1
                    work[row] += j - 1 - k
                else:
                    members[place] = row - _LAST
                place += 1
        i = j


@inner
def needs_of(parts: Ints, sources: Ints, needs: Hashes64) -> int:
    """List the distinct sources of all rules (first column, how many), and per rule the bits of its sources.

    Returns how many there are; from the 64th on they go without a bit.
    """
    found = 0
    for r in range(len(parts)):
        for p in range(0, 6, 2):
            if parts[r, p + 1] == 0:
                continue
            s = 0
            while s < found and (sources[s, 0] != parts[r, p] or sources[s, 1] != parts[r, p + 1]):
                s += 1
            if s == found and found < _MOST_SOURCES:
                sources[s, 0], sources[s, 1] = parts[r, p], parts[r, p + 1]
                found += 1
            if s < found:
                needs[r] |= np.uint64(1) << np.uint64(s)
    return found


@inner
def shared_sources(sources: Ints, found: int, keys: Hashes32, a: int, b: int) -> np.uint64:
    """The bits of the sources of which two rows have a key in common."""
    shared = np.uint64(0)
    for s in range(found):
        first, count = sources[s, 0], sources[s, 1]
        if count == 1:
            key = keys[a, first]
            common = key != 0 and key == keys[b, first]
        else:
            common = _any_common(first, count, keys, a, b)
        shared |= np.uint64(common) << np.uint64(s)
    return shared


@inner
def _any_common(first: int, count: int, keys: Hashes32, a: int, b: int) -> bool:
    for i in range(first, first + count):
        key = keys[a, i]
        if key != 0:
            for j in range(first, first + count):
                if key == keys[b, j]:
                    return True
    return False


@inlined
def _tell(
    look: Look, rest: float, cards: Cards, found: Found, layout: Layout, values: Values, codes: Codes, a: int,
    b: int, masks: Hashes64, levels: Bytes,
) -> bool:  # fmt: skip
    """Tell all levels, unless the evidence, `rest` at the most, turns out not to reach what is worth it."""
    for k in range(found.many[0]):
        p = found.untold[k]
        found.levels[p] = unlike_level(look.field[p], layout, values, codes, a, b, masks)
        rest += look.same[p, found.levels[p]] - look.unlike[p]
        if rest < look.least:
            return False
    for p in range(len(look.field)):
        x, y = cards.codes[a, p], cards.codes[b, p]
        f = look.field[p]
        if (x | y) < 0:
            levels[f] = 0
        elif x == y or found.levels[p] == SAME:
            levels[f] = layout.table[f, EXACT]
        else:
            levels[f] = found.levels[p]
    swap_names(layout, values, codes, a, b, levels)
    return True


@inlined
def _is_worth_it(
    look: Look, own: Singles, cards: Cards, found: Found, layout: Layout, values: Values, codes: Codes,
    a: int, b: int, masks: Hashes64, levels: Bytes,
) -> bool:  # fmt: skip
    """Whether the evidence of a pair may reach what is worth it; then its `levels` are told."""
    rest = rest_of(look, own, cards, a, b, found)
    if rest >= look.least and _tell(look, rest, cards, found, layout, values, codes, a, b, masks, levels):
        return True
    if not may_be_crossed(look, cards, a, b):
        return False
    pair_levels(layout, values, codes, a, b, masks, levels)
    return True


@kernel
def scan(
    near: Neighbours, first: int, last: int, look: Look, cards: Cards, layout: Layout, values: Values,
    weights: Weights, codes: Codes, bound: float,
) -> tuple[Ints, Ints, Floats, Bytes, Ints]:  # fmt: skip
    """Score the pairs of rows `first` to `last` with their neighbours of higher number.

    Returns (left, right, odds, levels (pairs × fields), pairs looked at by rule), for odds above `bound`.
    """
    members, at, begin, rule_ends = near
    fields = len(look.field)
    masks, own = strings.scratch(), np.empty(fields, dtype=np.float32)
    levels = np.zeros((1, fields), dtype=np.uint8)
    told = levels[0]
    noted = Found(np.zeros(fields, np.uint8), np.zeros(fields, np.int64), np.zeros(1, np.int64))
    seen = np.full(len(begin) - 1, -1, dtype=np.int32)
    looked_at = np.zeros(len(rule_ends), dtype=np.int64)
    left, right = np.empty(1024, dtype=np.int64), np.empty(1024, dtype=np.int64)
    odds, kept = np.empty(1024, dtype=np.float64), np.empty(1024 * fields, dtype=np.uint8)
    n = 0
    for a in range(first, last):
        seen[a] = a
        if begin[a] < begin[a + 1]:
            weigh_own(look, weights.rarity, cards, a, own)
        r = 0
        for k in range(begin[a], begin[a + 1]):
            i = at[k]
            while i >= rule_ends[r]:
                r += 1
            while members[i] >= 0:
                i += 1
                b = int(members[i] & _ROW_MASK)
                if seen[b] == a:
                    continue
                seen[b] = a
                looked_at[r] += 1
                if not _is_worth_it(look, own, cards, noted, layout, values, codes, a, b, masks, told):
                    continue
                same, home = pair_evidence(weights, layout, levels, 0, codes, a, b)
                bits = odds_bits(weights.odds, same, home)
                if bits <= bound:
                    continue
                if n == len(left):
                    left, right = _longer(left), _longer(right)
                    odds, kept = _longer(odds), _longer(kept)
                left[n], right[n], odds[n] = a, b, bits
                kept[n * fields : (n + 1) * fields] = told
                n += 1
    found = kept[: n * fields].copy().reshape(n, fields)
    return left[:n].copy(), right[:n].copy(), odds[:n].copy(), found, looked_at


@kernel
def _longer(array: Array) -> Array:
    longer = np.empty(2 * len(array), dtype=array.dtype)
    longer[: len(array)] = array
    return longer


@kernel
def rules_finding(rules: blocks.Rules, keys: Hashes32, left: Ints, right: Ints) -> Ints:
    """How many rules bring each pair of rows together."""
    parts, oversized, start, refine = rules
    sources, needs = np.zeros((_MOST_SOURCES, 2), np.int64), np.zeros(len(parts), np.uint64)
    found = needs_of(parts, sources, needs)
    result = np.zeros(len(left), dtype=np.int64)
    for pair in range(len(left)):
        a, b = left[pair], right[pair]
        both = shared_sources(sources, found, keys, a, b)
        for q in range(len(parts)):
            if needs[q] & ~both == 0:
                result[pair] += blocks.finds(q, parts, oversized, start, refine, keys, a, b)
    return result
