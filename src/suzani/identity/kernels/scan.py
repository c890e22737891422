"""The inner loop of matching: the pairs of a rule's blocks, those an earlier rule found left out, scored.

Only pairs worth keeping are stored. A pair is abandoned as soon as its remaining fields cannot lift it above
the bound any more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from suzani.identity.kernels import blocks, strings
from suzani.identity.kernels.arrays import Bytes, Codes, Floats, Hashes32, Hashes64, Ints, Singles
from suzani.identity.kernels.compiling import inner, kernel
from suzani.identity.kernels.levels import (
    BAG,
    COUNT,
    EMAIL,
    EXACT,
    FIRST,
    NAME,
    SWAPPED,
    TEXT,
    UNTOLD,
    WAY,
    Layout,
    Values,
    same_code,
    swap_names,
    unlike_level,
)  # fmt: skip
from suzani.identity.kernels.weights import (
    INTERCEPT,
    PRIOR,
    SLOPE,
    TO_SAME,
    UNRELATED,
    Weights,
    odds_bits,
    pair_evidence,
    rarity_of,
)  # fmt: skip

_ROW_MASK = (1 << 24) - 1
_LOW = np.uint64(_ROW_MASK)
_LAST = 1 << 31
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
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


@inner
def tell_codes(table: Ints, codes: Codes, a: int, b: int, levels: Bytes) -> None:
    """The levels that codes alone tell: missing and exact; UNTOLD for the others."""
    for f in range(len(table)):
        told = same_code(table[f, FIRST], table[f, COUNT], codes, a, b)
        levels[f] = UNTOLD if told == 1 else (table[f, EXACT] if told else 0)


@inner
def highest(
    given: int, family: int, table: Ints, same: Floats, unlike: Floats, rarity: Singles, column: Ints,
    codes: Codes, a: int, b: int, levels: Bytes,
) -> float:  # fmt: skip
    """The most that all fields can add to the evidence for one person, as far as levels are told."""
    total = 0.0
    for f in range(len(table)):
        level = levels[f]
        if level == UNTOLD:
            total += unlike[f]
        elif level:
            total += same[f, level] + rarity_of(rarity, column[f], True, table[f, FIRST], codes, a, b)
    if given >= 0 and family >= 0 and levels[family] == 0 and levels[given] in (0, UNTOLD):
        # A name in the place of the other may still be found.
        total += unlike[family]
    return total


@kernel
def _most_unlike(given: int, family: int, table: Ints, order: Ints, same: Floats) -> tuple[Floats, Ints]:
    """The most that each field adds whose values differ; and the fields by how much a look at them tells."""
    unlike, telling = np.zeros(len(order), dtype=np.float64), order.copy()
    for f in range(len(table)):
        unlike[f] = same[f, 1]
        for level in range(2, table[f, EXACT]):
            unlike[f] = max(unlike[f], same[f, level])
        if f in (given, family):
            unlike[f] = max(unlike[f], 0.0)
    for k in range(1, len(order)):
        f = telling[k]
        i = k
        while i > 0 and _told(f, table, same, unlike) > _told(telling[i - 1], table, same, unlike):
            telling[i] = telling[i - 1]
            i -= 1
        telling[i] = f
    return unlike, telling


@inner
def _told(f: int, table: Ints, same: Floats, unlike: Floats) -> float:
    """How many bits comparing unlike values mostly takes away, by what it costs."""
    way = table[f, WAY]
    cost = 4.0 if way == BAG or way == EMAIL else (1.5 if way == NAME or way == TEXT else 1.0)
    return float(unlike[f] - same[f, 1]) / cost


@inner
def tell_names(
    rest: float, least: float, g: int, f: int, table: Ints, same: Floats, unlike: Floats, text: Bytes,
    start: Ints, form: Hashes32, group: Codes, codes: Codes, a: int, b: int, masks: Hashes64, levels: Bytes,
) -> float:  # fmt: skip
    """Tell the levels of given and family name; what the evidence is at the most then, if it can still reach
    `least`."""
    open_f = levels[f] == UNTOLD or (levels[f] == 0 and levels[g] in (0, UNTOLD))
    if levels[g] == UNTOLD:
        levels[g] = unlike_level(g, table, text, start, form, group, codes, a, b, masks)
        rest += same[g, levels[g]] - unlike[g]
    if levels[f] == UNTOLD:
        levels[f] = unlike_level(f, table, text, start, form, group, codes, a, b, masks)
    if open_f:
        rest += same[f, levels[f]] - unlike[f]
    if levels[g] >= SWAPPED or levels[f] >= SWAPPED:
        return rest
    before = same[g, levels[g]] + same[f, levels[f]]
    if rest - before + max(same[g, SWAPPED], 0.0) + same[f, SWAPPED] >= least or rest >= least:
        swap_names(g, f, table, text, start, form, group, codes, a, b, levels)
        rest += same[g, levels[g]] + same[f, levels[f]] - before
    return rest


@inner
def tell_rest(
    rest: float, least: float, table: Ints, telling: Ints, same: Floats, unlike: Floats, text: Bytes,
    start: Ints, form: Hashes32, group: Codes, codes: Codes, a: int, b: int, masks: Hashes64, levels: Bytes,
) -> bool:  # fmt: skip
    """Tell the levels that codes leave open, until the evidence, `rest` at the most, cannot reach `least`."""
    for k in range(len(telling)):
        if rest < least:
            return False
        f = telling[k]
        if levels[f] == UNTOLD:
            levels[f] = unlike_level(f, table, text, start, form, group, codes, a, b, masks)
            rest += same[f, levels[f]] - unlike[f]
    return rest >= least


@kernel
def scan(
    near: Neighbours, first: int, last: int, layout: Layout, values: Values, weights: Weights, codes: Codes,
    bound: float,
) -> tuple[Ints, Ints, Floats, Bytes, Ints]:  # fmt: skip
    """Score the pairs of rows `first` to `last` with their neighbours of higher number.

    Returns (left, right, odds, levels (pairs × fields), pairs looked at by rule), for odds above `bound`.
    """
    members, at, begin, rule_ends = near
    table, order, given, family = layout
    text, start, form, group = values
    weight_same, weight_home, shared, rarity, column, _, joint, chances = weights
    fields = len(order)
    unlike, telling = _most_unlike(given, family, table, order, weight_same)
    # What the evidence must reach: the bound, before calibration, without what all pairs have.
    least = (bound - chances[INTERCEPT]) / chances[SLOPE] - chances[PRIOR] + chances[UNRELATED]
    for i in range(len(joint)):
        least -= max(joint[i, TO_SAME], 0.0)
    masks = strings.scratch()
    levels = np.zeros((1, fields), dtype=np.uint8)
    told = levels[0]
    seen = np.full(len(begin) - 1, -1, dtype=np.int32)
    looked_at = np.zeros(len(rule_ends), dtype=np.int64)
    room = 1024
    left, right = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    odds, kept = np.empty(room, dtype=np.float64), np.empty((room, fields), dtype=np.uint8)
    n = 0
    for a in range(first, last):
        seen[a] = a
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
                tell_codes(table, codes, a, b, told)
                rest = highest(given, family, table, weight_same, unlike, rarity, column, codes, a, b, told)
                if rest < least:
                    continue
                if given >= 0 and family >= 0:
                    rest = tell_names(
                        rest, least, given, family, table, weight_same, unlike, text, start, form, group,
                        codes, a, b, masks, told,
                    )  # fmt: skip
                if not tell_rest(
                    rest, least, table, telling, weight_same, unlike, text, start, form, group, codes, a, b,
                    masks, told,
                ):  # fmt: skip
                    continue
                same, home = pair_evidence(
                    weight_same,
                    weight_home,
                    shared,
                    rarity,
                    column,
                    joint,
                    table,
                    order,
                    levels,
                    0,
                    codes,
                    a,
                    b,
                )
                bits = odds_bits(chances, same, home)
                if bits <= bound:
                    continue
                if n == room:
                    room *= 2
                    left, right = _longer(left, room), _longer(right, room)
                    odds, kept = _longer_floats(odds, room), _wider(kept, room)
                left[n], right[n], odds[n] = a, b, bits
                for f in range(fields):
                    kept[n, f] = told[f]
                n += 1
    return left[:n].copy(), right[:n].copy(), odds[:n].copy(), kept[:n].copy(), looked_at


@kernel
def _longer(array: Ints, room: int) -> Ints:
    longer = np.empty(room, dtype=np.int64)
    longer[: len(array)] = array
    return longer


@kernel
def _longer_floats(array: Floats, room: int) -> Floats:
    longer = np.empty(room, dtype=np.float64)
    longer[: len(array)] = array
    return longer


@kernel
def _wider(array: Bytes, room: int) -> Bytes:
    wider = np.empty((room, array.shape[1]), dtype=np.uint8)
    wider[: len(array)] = array
    return wider


@kernel
def sample(near: Neighbours, first: int, last: int, contents: Hashes64, one_in: int) -> tuple[Ints, Ints]:
    """One in so many pairs of rows `first` to `last` with later neighbours, chosen by what they say."""
    members, at, begin, _ = near
    left, right = [np.int64(0)], [np.int64(0)]
    seen = np.full(len(begin) - 1, -1, dtype=np.int32)
    for a in range(first, last):
        seen[a] = a
        for k in range(begin[a], begin[a + 1]):
            i = at[k]
            while members[i] >= 0:
                i += 1
                b = int(members[i] & _ROW_MASK)
                chosen = ((contents[a] ^ contents[b]) * _SPREAD >> np.uint64(32)) % np.uint64(one_in) == 0
                if chosen and seen[b] != a:
                    seen[b] = a
                    left.append(np.int64(a))
                    right.append(np.int64(b))
    return np.array(left)[1:], np.array(right)[1:]


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
