"""The inner loop of matching: the pairs of a rule's blocks, those an earlier rule found left out, scored.

Only pairs worth keeping are stored. A pair is abandoned as soon as its remaining fields cannot lift it above
the bound any more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from suzani.identity.kernels import blocks, strings
from suzani.identity.kernels.arrays import Bytes, Codes, Floats, Hashes64, Ints, Singles
from suzani.identity.kernels.cards import SAME, Cards, Found, Look, may_be_crossed, rest_of, weigh_own
from suzani.identity.kernels.compiling import inlined, kernel
from suzani.identity.kernels.levels import EXACT, pair_levels, swap_names, unlike_level, untold_level
from suzani.identity.kernels.weights import Judge, odds_bits, pair_evidence

ROW_MASK = blocks.MOST_ROWS - 1
_LAST = 1 << 31
_RULE_BITS = 16
_COUNT_MASK = (1 << _RULE_BITS) - 1


class Neighbours(NamedTuple):
    """The blocks of all rules, and where each row stands in them.

    `members`: the rows of one block after another, ascending, the last of each less 2**31 (so below 0);
    rule r ends before rule_ends[r]. Row i stands in blocks with later rows at at[begin[i]:begin[i + 1]], with
    `later` of them in sum.
    """

    members: Codes
    at: Codes
    begin: Ints
    rule_ends: Ints
    later: Codes


NEXT, LATER = range(2)
"""Columns of what `add_members` keeps of each row, side by side since rows come in any order."""


@kernel
def count_members(entries: Hashes64, counts: Codes) -> int:
    """Rows in blocks of two rows and more of sorted entries; adds to `counts` who has later neighbours."""
    total = i = 0
    while i < len(entries):
        j = i + 1
        while j < len(entries) and entries[j] >> blocks.ROW_BITS == entries[i] >> blocks.ROW_BITS:
            j += 1
        if j - i > 1:
            total += j - i
            for k in range(i, j - 1):
                counts[entries[k] & blocks.ROW_MASK] += 1
        i = j
    return total


@kernel
def add_members(entries: Hashes64, place: int, members: Codes, at: Codes, standing: Codes) -> None:
    """Write the blocks of sorted entries to members[place:]; of each row `standing` has where its next place
    goes, and the sum of its later neighbours."""
    i = 0
    while i < len(entries):
        j = i + 1
        while j < len(entries) and entries[j] >> blocks.ROW_BITS == entries[i] >> blocks.ROW_BITS:
            j += 1
        if j - i > 1:
            for k in range(i, j):
                row = np.int64(entries[k] & blocks.ROW_MASK)
                if k < j - 1:
                    members[place] = row
                    at[standing[row, NEXT]] = place
                    standing[row, NEXT] += 1
                    standing[row, LATER] += j - 1 - k
                else:
                    members[place] = row - _LAST
                place += 1
        i = j


class _Desk(NamedTuple):
    """Working memory of one thread: what agreement with the row at hand adds, what a first look found, masks
    for strings, of each row which one it met last (`met[:, 0]`), by which rule and by how many (both in
    `met[:, 1]`), and pairs looked at by rule."""

    own: Singles
    found: Found
    masks: Hashes64
    met: Codes
    looked_at: Ints


class _Kept(NamedTuple):
    """Room for pairs: rows, odds, levels (pairs × fields), how many rules found each."""

    left: Ints
    right: Ints
    odds: Floats
    levels: Bytes
    found_by: Ints


@inlined
def _tell(
    look: Look, rest: float, cards: Cards, judge: Judge, a: int, b: int, desk: _Desk, levels: Bytes, n: int
) -> bool:  # fmt: skip
    """Write all levels to levels[n], unless the evidence, `rest` at the most, turns out not to reach what is
    worth it."""
    found, table, codes = desk.found, judge.layout.table, cards.codes
    for k in range(found.many[0]):
        p = found.untold[k]
        c = look.first[p]
        if look.more[p]:
            level = unlike_level(look.field[p], judge.layout, judge.values, codes, a, b, desk.masks)
        else:
            level = untold_level(look.way[p], judge.values, codes[a, c], codes[b, c], desk.masks)
        found.levels[p] = level
        rest += look.same[p, level] - look.unlike[c]
        if rest < look.least:
            return False
    for p in range(len(look.field)):
        f, x, y = look.field[p], codes[a, look.first[p]], codes[b, look.first[p]]
        if (x | y) < 0:
            levels[n, f] = 0
        elif x == y or found.levels[p] == SAME:
            levels[n, f] = table[f, EXACT]
        else:
            levels[n, f] = found.levels[p]
    swap_names(judge.layout, judge.values, codes, a, b, levels, n)
    return True


@inlined
def _odds(
    look: Look, cards: Cards, judge: Judge, a: int, b: int, bound: float, desk: _Desk, levels: Bytes, n: int
) -> float:  # fmt: skip
    """The odds of a pair, whose levels are in levels[n] then; or no more than `bound`."""
    (layout, values, weights), codes = judge, cards.codes
    rest = rest_of(look, desk.own, cards, a, b, desk.found)
    if rest < look.least or not _tell(look, rest, cards, judge, a, b, desk, levels, n):
        if not may_be_crossed(look, cards, a, b):
            return bound
        pair_levels(layout, values, codes, a, b, desk.masks, levels, n)
    same, home = pair_evidence(weights, layout, levels, n, codes, a, b)
    return odds_bits(weights.odds, same, home)


@inlined
def _scan_row(
    a: int, near: Neighbours, look: Look, cards: Cards, judge: Judge, bound: float, desk: _Desk, kept: _Kept,
    n: int,
) -> int:  # fmt: skip
    """Keep a row's pairs with later neighbours, `n` being kept already; returns how many are then."""
    members, at, begin, rule_ends, _ = near
    weigh_own(look, judge.weights.rarity, cards, a, desk.own)
    met, kept_before = desk.met, n
    met[a, 0] = a
    r = 0
    for k in range(begin[a], begin[a + 1]):
        i = at[k]
        while i >= rule_ends[r]:
            r += 1
        while members[i] >= 0:
            i += 1
            b = int(members[i] & ROW_MASK)
            if met[b, 0] == a:
                if met[b, 1] >> _RULE_BITS != r:
                    met[b, 1] = r << _RULE_BITS | (met[b, 1] & _COUNT_MASK) + 1
            else:
                met[b, 0], met[b, 1] = a, r << _RULE_BITS | 1
                desk.looked_at[r] += 1
                bits = _odds(look, cards, judge, a, b, bound, desk, kept.levels, n)
                if bits > bound:
                    kept.left[n], kept.right[n], kept.odds[n] = a, b, bits
                    n += 1
    for pair in range(kept_before, n):
        kept.found_by[pair] = met[kept.right[pair], 1] & _COUNT_MASK
    return n


@kernel
def scan(
    near: Neighbours, first: int, last: int, look: Look, cards: Cards, judge: Judge, bound: float
) -> tuple[_Kept, Ints]:  # fmt: skip
    """Score the pairs of rows `first` to `last` with their neighbours of higher number.

    Returns those with odds above `bound`, and how many pairs each rule was the first to bring up.
    """
    fields = len(look.field)
    desk = _Desk(
        np.empty(len(look.equal), dtype=np.float32),
        Found(np.zeros(fields, np.uint8), np.zeros(fields, np.int64), np.zeros(1, np.int64)),
        strings.scratch(),
        np.full((len(near.begin) - 1, 2), -1, dtype=np.int32),
        np.zeros(len(near.rule_ends), dtype=np.int64),
    )
    # A literal 0 would be a type of its own, and all that counts from it compiled twice.
    kept, n = _room(1024, fields), int(np.int64(0))
    for a in range(first, last):
        if near.later[a]:
            if n + near.later[a] > len(kept.left):
                kept = _longer(kept, n, 2 * (n + near.later[a]))
            n = _scan_row(a, near, look, cards, judge, bound, desk, kept, n)
    return _longer(kept, n, n), desk.looked_at


@kernel
def _room(pairs: int, fields: int) -> _Kept:
    return _Kept(
        np.empty(pairs, dtype=np.int64),
        np.empty(pairs, dtype=np.int64),
        np.empty(pairs, dtype=np.float64),
        np.empty((pairs, fields), dtype=np.uint8),
        np.empty(pairs, dtype=np.int64),
    )


@kernel
def _longer(kept: _Kept, n: int, room: int) -> _Kept:
    """The first n pairs in another room."""
    longer = _room(room, kept.levels.shape[1])
    for pair in range(n):
        longer.left[pair], longer.right[pair] = kept.left[pair], kept.right[pair]
        longer.odds[pair], longer.found_by[pair] = kept.odds[pair], kept.found_by[pair]
        for f in range(kept.levels.shape[1]):
            longer.levels[pair, f] = kept.levels[pair, f]
    return longer
