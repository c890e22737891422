"""Average linkage inside one component after another, under constraints.

Every pair of a component is scored; clusters join while the average of all odds between them is above the
cut, best first. Records stand in an order that depends on what they say, so that ties fall alike whatever the
order of the input.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from suzani.identity.kernels import strings
from suzani.identity.kernels.arrays import Bools, Bytes, Codes, Floats, Hashes32, Ints
from suzani.identity.kernels.compiling import inner, kernel
from suzani.identity.kernels.levels import FIRST, WAY, Layout, Values, pair_levels
from suzani.identity.kernels.marks import CODE
from suzani.identity.kernels.weights import Weights, odds_bits, pair_evidence

FORBIDDEN = -1e9
"""Odds of a pair that may never be one person, whatever the rest says."""
VALID = 3
"""The form of a national id that tells whether it passes its check: 1 or 0."""


@inner
def conflict(table: Ints, form: Hashes32, codes: Codes, left: int, right: int, levels: Bytes) -> bool:
    """Whether two rows hold national ids that both pass their check and differ by more than slips."""
    for f in range(len(table)):
        if table[f, WAY] == CODE and levels[f] == 1:
            a, b = codes[left, table[f, FIRST]], codes[right, table[f, FIRST]]
            if a >= 0 and b >= 0 and form[a, VALID] and form[b, VALID]:
                return True
    return False


@inner
def _best_of(i: int, n: int, alive: Bools, total: Floats, size: Floats) -> tuple[float, int]:
    """The nearest cluster after i, and its average."""
    best, where = -np.inf, -1
    for j in range(i + 1, n):
        if alive[j]:
            average = total[i, j] / (size[i] * size[j])
            if average > best:
                best, where = average, j
    return best, where


@inner
def _join(
    i: int,
    j: int,
    n: int,
    alive: Bools,
    total: Floats,
    size: Floats,
    label: Ints,
    near: Floats,
    nearest: Ints,
) -> None:
    """Cluster j becomes part of cluster i < j; keep every cluster's nearest right."""
    for k in range(n):
        if label[k] == j:
            label[k] = i
        if alive[k] and k != i and k != j:
            low, high = min(i, k), max(i, k)
            total[low, high] += total[min(j, k), max(j, k)]
    size[i] += size[j]
    alive[j] = False
    for k in range(n):
        if not alive[k]:
            continue
        if k == i or nearest[k] == i or nearest[k] == j:
            near[k], nearest[k] = _best_of(k, n, alive, total, size)
        elif k < i:
            average = total[k, i] / (size[k] * size[i])
            if average > near[k] or (average == near[k] and i < nearest[k]):
                near[k], nearest[k] = average, i


@kernel
def link(odds: Floats, together: Ints, cut: float) -> Ints:
    """Cluster of each of n records, the smallest index in it, from a matrix of odds (upper triangle).

    `together[i]`: records with one number of 0 and above are one person whatever the odds; -1: free.
    """
    n = len(odds)
    label = np.arange(n)
    alive = np.ones(n, dtype=np.bool_)
    size = np.ones(n, dtype=np.float64)
    near, nearest = np.full(n, -np.inf), np.full(n, -1)
    total = odds.copy()
    for j in range(n):
        for i in range(j):
            if alive[i] and alive[j] and together[i] >= 0 and together[i] == together[j]:
                _join(i, j, n, alive, total, size, label, near, nearest)
    for i in range(n):
        if alive[i]:
            near[i], nearest[i] = _best_of(i, n, alive, total, size)
    while True:
        best, i = -np.inf, -1
        for k in range(n):
            if alive[k] and near[k] > best:
                best, i = near[k], k
        if i < 0 or best <= cut:
            return label
        _join(i, nearest[i], n, alive, total, size, label, near, nearest)


@inner
def _is_cannot(cannot: Ints, a: int, b: int) -> bool:
    """Whether sorted pairs packed as low << 32 | high hold a pair of rows."""
    wanted = (np.int64(min(a, b)) << 32) | np.int64(max(a, b))
    low, high = 0, len(cannot)
    while low < high:
        middle = (low + high) >> 1
        if cannot[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low < len(cannot) and cannot[low] == wanted


@kernel
def components(rows: int, left: Ints, right: Ints) -> Ints:
    """The smallest row of each row's connected component."""
    parent = np.arange(rows)
    for pair in range(len(left)):
        a, b = left[pair], right[pair]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a < b:
            parent[b] = a
        else:
            parent[a] = b
    for row in range(rows):
        parent[row] = parent[parent[row]]
    return parent


class Known(NamedTuple):
    """Pairs that were scored before, sorted by left and right: odds, and levels (pairs × fields)."""

    left: Ints
    right: Ints
    odds: Floats
    levels: Bytes


@inner
def _place_of(known: Known, a: int, b: int) -> int:
    """Where a pair stands among the known ones; -1: nowhere."""
    low, high = 0, len(known.left)
    while low < high:
        middle = (low + high) >> 1
        if known.left[middle] < a or (known.left[middle] == a and known.right[middle] < b):
            low = middle + 1
        else:
            high = middle
    found = low < len(known.left) and known.left[low] == a and known.right[low] == b
    return low if found else -1


@kernel
def _scored(
    left: Ints, right: Ints, known: Known, layout: Layout, values: Values, weights: Weights, codes: Codes
) -> tuple[Floats, Bytes]:
    """Odds and levels of pairs, those of known ones taken from there."""
    fields = len(layout.table)
    levels = np.empty((len(left), fields), dtype=np.uint8)
    odds = np.empty(len(left), dtype=np.float64)
    masks = strings.scratch()
    for pair in range(len(left)):
        at = _place_of(known, left[pair], right[pair])
        if at >= 0:
            odds[pair] = known.odds[at]
            for f in range(fields):
                levels[pair, f] = known.levels[at, f]
            continue
        pair_levels(layout, values, codes, left[pair], right[pair], masks, levels, pair)
        same, home = pair_evidence(weights, layout, levels, pair, codes, left[pair], right[pair])
        odds[pair] = odds_bits(weights.odds, same, home)
    return odds, levels


@kernel
def link_components(
    members: Ints, starts: Ints, layout: Layout, values: Values, weights: Weights, codes: Codes,
    known: Known, together: Ints, cannot: Ints, clip: float, cut: float, kept: float,
) -> tuple[Ints, Ints, Ints, Floats, Bytes]:  # fmt: skip
    """Persons among components: members[starts[c]:starts[c + 1]] are the rows of component c, ascending.

    Returns (label per member: the row that names its cluster, then of every pair inside a person or with odds
    above `kept`: left, right, odds, levels (pairs × fields)).
    """
    table, form = layout.table, values.form
    left, right = _pairs_within(members, starts)
    odds, levels = _scored(left, right, known, layout, values, weights, codes)
    label = np.empty(len(members), dtype=np.int64)
    keep = odds > kept
    first = 0
    for c in range(len(starts) - 1):
        rows = members[starts[c] : starts[c + 1]]
        n = len(rows)
        matrix = np.zeros((n, n), dtype=np.float64)
        pair = first
        for i in range(n):
            for j in range(i + 1, n):
                bits = min(max(odds[pair], -clip), clip)
                if conflict(table, form, codes, rows[i], rows[j], levels[pair]) or (
                    len(cannot) and _is_cannot(cannot, rows[i], rows[j])
                ):
                    bits = FORBIDDEN
                matrix[i, j] = bits
                pair += 1
        clusters = _under_constraints(matrix, rows, together[rows], cannot, cut)
        pair = first
        for i in range(n):
            label[starts[c] + i] = rows[clusters[i]]
            for j in range(i + 1, n):
                keep[pair] |= clusters[i] == clusters[j]
                pair += 1
        first = pair
    return label, left[keep], right[keep], odds[keep], levels[keep]


@kernel
def _under_constraints(odds: Floats, rows: Ints, together: Ints, cannot: Ints, cut: float) -> Ints:
    """Clusters by evidence, those that hold must-linked records joined whole, even if their ids differ.

    Where that would bring together what stewards told apart, must-linked records come first instead, and the
    others go to whom they are nearest.
    """
    n = len(rows)
    if together.max() < 0:
        return link(odds, together, cut)
    clusters = link(odds, np.full(n, -1), cut)
    changed = True
    while changed:
        changed = False
        for i in range(n):
            for j in range(i + 1, n):
                if together[i] >= 0 and together[i] == together[j] and clusters[i] != clusters[j]:
                    low, high = min(clusters[i], clusters[j]), max(clusters[i], clusters[j])
                    clusters[clusters == high] = low
                    changed = True
    for i in range(n if len(cannot) else 0):
        for j in range(i + 1, n):
            if clusters[i] == clusters[j] and _is_cannot(cannot, rows[i], rows[j]):
                return link(odds, together, cut)
    return clusters


@kernel
def _pairs_within(members: Ints, starts: Ints) -> tuple[Ints, Ints]:
    """All pairs of rows of each component, one component after another."""
    room = 0
    for c in range(len(starts) - 1):
        n = starts[c + 1] - starts[c]
        room += n * (n - 1) // 2
    left, right = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    pair = 0
    for c in range(len(starts) - 1):
        for i in range(starts[c], starts[c + 1]):
            for j in range(i + 1, starts[c + 1]):
                left[pair], right[pair] = members[i], members[j]
                pair += 1
    return left, right
