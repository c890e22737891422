"""The inner loop of matching: the pairs of a rule's blocks, those an earlier rule found left out, scored.

Only pairs worth keeping are stored. A pair is abandoned as soon as its remaining fields cannot lift it above
the bound any more.
"""

from __future__ import annotations

import numpy as np

from suzani.identity.kernels import blocks, strings
from suzani.identity.kernels.compiling import inner, kernel
from suzani.identity.kernels.levels import COUNT, EXACT, FIRST, field_level, swap_names
from suzani.identity.kernels.weights import (
    INTERCEPT,
    PRIOR,
    SLOPE,
    TO_HOME,
    TO_SAME,
    UNRELATED,
    joint_bits,
    odds_bits,
    rarity_of,
)

_ROW_MASK = np.uint64((1 << 24) - 1)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@inner
def found_earlier(r, parts, oversized, start, refine, keys, a, b):
    """Whether one of the first r rules brings two rows together."""
    for q in range(r):
        if blocks.finds(q, parts, oversized, start, refine, keys, a, b):
            return True
    return False


@inner
def _both_have(first, count, codes, a, b):
    """Whether two rows both have a value in a field."""
    mine = yours = False
    for i in range(first, first + count):
        mine |= codes[a, i] >= 0
        yours |= codes[b, i] >= 0
    return mine and yours


@kernel
def block_ends(sorted_, most):
    """Cut sorted entries at block ends into stretches of about `most` pairs; the positions of the cuts."""
    cuts = [0]
    pairs = 0
    i = 0
    while i < len(sorted_):
        j = i
        while j < len(sorted_) and sorted_[j] >> blocks.ROW_BITS == sorted_[i] >> blocks.ROW_BITS:
            j += 1
        pairs += (j - i) * (j - i - 1) // 2
        i = j
        if pairs >= most:
            cuts.append(i)
            pairs = 0
    if cuts[-1] != len(sorted_):
        cuts.append(len(sorted_))
    return np.array(cuts)


@kernel
def scan(entries, begin, end, r, rules, keys, layout, values, weights, codes, bound):
    """Score the pairs in entries[begin:end], whole blocks of rule r, that no earlier rule found.

    Returns (left, right, odds, levels (pairs × fields), pairs looked at), for pairs with odds above `bound`.
    """
    parts, oversized, over_start, refine = rules
    table, order, given, family = layout
    text, start, form, group = values
    weight_same, weight_home, shared, rarity, column, most, joint, chances = weights
    # The bound on odds that are not calibrated yet.
    raw_bound = (bound - chances[INTERCEPT]) / chances[SLOPE]
    masks = strings.scratch()
    fields = len(order)
    levels = np.zeros((1, fields), dtype=np.uint8)
    room = 1024
    left, right = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    odds, kept = np.empty(room, dtype=np.float64), np.empty((room, fields), dtype=np.uint8)
    n = pairs = 0
    i = begin
    while i < end:
        j = i
        while j < end and entries[j] >> blocks.ROW_BITS == entries[i] >> blocks.ROW_BITS:
            j += 1
        for p in range(i, j):
            a = np.int64(entries[p] & _ROW_MASK)
            for q in range(p + 1, j):
                b = np.int64(entries[q] & _ROW_MASK)
                if found_earlier(r, parts, oversized, over_start, refine, keys, a, b):
                    continue
                pairs += 1
                same = home = 0.0
                # The most that the fields of which both records have a value can add.
                rest = chances[PRIOR] - chances[UNRELATED]
                for f in range(fields):
                    if f == family or _both_have(table[f, FIRST], table[f, COUNT], codes, a, b):
                        rest += most[f]
                hopeless = False
                for k in range(fields):
                    f = order[k]
                    if f == given and family >= 0:
                        for g in (given, family):
                            levels[0, g] = field_level(g, table, text, start, form, group, codes, a, b, masks)
                        swap_names(given, family, table, text, start, form, group, codes, a, b, levels[0])
                    elif f != family or given < 0:
                        levels[0, f] = field_level(f, table, text, start, form, group, codes, a, b, masks)
                    level = levels[0, f]
                    exact = level == table[f, EXACT]
                    rare = rarity_of(rarity, column[f], exact, table[f, FIRST], codes, a, b)
                    same += weight_same[f, level] + rare
                    home += weight_home[f, level] + (rare if shared[f] else 0.0)
                    if level:
                        rest -= most[f]
                        if same + rest < raw_bound:
                            hopeless = True
                            break
                if hopeless:
                    continue
                same += joint_bits(joint, levels, 0, TO_SAME)
                home += joint_bits(joint, levels, 0, TO_HOME)
                bits = odds_bits(chances, same, home)
                if bits <= bound:
                    continue
                if n == room:
                    room *= 2
                    left, right = _longer(left, room), _longer(right, room)
                    odds, kept = _longer(odds, room), _wider(kept, room)
                left[n], right[n], odds[n] = a, b, bits
                for f in range(fields):
                    kept[n, f] = levels[0, f]
                n += 1
        i = j
    return left[:n].copy(), right[:n].copy(), odds[:n].copy(), kept[:n].copy(), pairs


@kernel
def _longer(array, room):
    longer = np.empty(room, dtype=array.dtype)
    longer[: len(array)] = array
    return longer


@kernel
def _wider(array, room):
    wider = np.empty((room, array.shape[1]), dtype=array.dtype)
    wider[: len(array)] = array
    return wider


@kernel
def sample(entries, r, rules, keys, contents, one_in):
    """One in so many pairs of a rule's blocks that no earlier rule found, chosen by what the records say."""
    parts, oversized, start, refine = rules
    left, right = [np.int64(0)], [np.int64(0)]
    i = 0
    while i < len(entries):
        j = i
        while j < len(entries) and entries[j] >> blocks.ROW_BITS == entries[i] >> blocks.ROW_BITS:
            j += 1
        for p in range(i, j):
            a = np.int64(entries[p] & _ROW_MASK)
            for q in range(p + 1, j):
                b = np.int64(entries[q] & _ROW_MASK)
                chosen = ((contents[a] ^ contents[b]) * _SPREAD >> np.uint64(32)) % np.uint64(one_in) == 0
                if chosen and not found_earlier(r, parts, oversized, start, refine, keys, a, b):
                    left.append(a)
                    right.append(b)
        i = j
    return np.array(left)[1:], np.array(right)[1:]


@kernel
def rules_finding(rules, keys, left, right):
    """How many rules bring each pair of rows together."""
    parts, oversized, start, refine = rules
    result = np.zeros(len(left), dtype=np.int64)
    for pair in range(len(left)):
        for r in range(len(parts)):
            result[pair] += blocks.finds(r, parts, oversized, start, refine, keys, left[pair], right[pair])
    return result
