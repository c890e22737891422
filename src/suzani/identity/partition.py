"""From scored pairs to persons: average linkage under constraints, all components at once.

Connected components chain: one wrong edge joins two families. Here clusters join while the average of all
log-odds between them is positive, best first, so a wrong edge is outvoted by the pairs it would bring along.
Average linkage is reducible, so joining all reciprocal nearest neighbours in a round gives the same tree as
one join at a time (Bruynooghe 1977; Müllner 2011), and a round is a handful of array operations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_SPREAD = np.uint64(0x9E3779B97F4A7C15)

FORBIDDEN = -1e9
"""Odds of a pair that may never be one person, whatever the rest says."""


def components(rows: int, left: Ints, right: Ints) -> Ints:
    """Smallest member of each row's connected component; label propagation with pointer jumping."""
    label = np.arange(rows, dtype=np.int64)
    while len(left):
        low = np.minimum(label[left], label[right])
        before = label.copy()
        np.minimum.at(label, label[left], low)
        np.minimum.at(label, label[right], low)
        while True:
            jumped = label[label]
            if np.array_equal(jumped, label):
                break
            label = jumped
        if np.array_equal(before, label):
            break
        apart = label[left] != label[right]
        left, right = left[apart], right[apart]
    return label


def pairs_within(label: Ints, largest: int) -> tuple[Ints, Ints]:
    """All pairs of rows inside components of 3 to `largest` members, `left` < `right`."""
    order = np.argsort(label, kind="stable")
    starts = (
        np.flatnonzero(np.append(True, np.diff(label[order]) != 0)) if len(label) else np.empty(0, np.int64)
    )
    sizes = np.diff(np.append(starts, len(label)))
    chosen = (sizes >= 3) & (sizes <= largest)
    members = order[np.repeat(chosen, sizes)]
    sizes = sizes[chosen]
    ends = np.repeat(np.cumsum(sizes), sizes)
    position = np.arange(len(members))
    partners = ends - position - 1
    first = np.repeat(position, partners)
    offset = np.arange(len(first)) - np.repeat(np.cumsum(partners) - partners, partners)
    return members[first], members[first + offset + 1]


@dataclass
class _Links:
    """Sums of log-odds and numbers of pairs between clusters, each pair of clusters once, a < b."""

    a: Ints
    b: Ints
    total: Floats
    count: Floats

    @classmethod
    def merged(cls, a: Ints, b: Ints, total: Floats, count: Floats) -> _Links:
        apart = a != b
        low, high = np.minimum(a, b)[apart], np.maximum(a, b)[apart]
        if not len(low):
            return cls(low, high, total[apart], count[apart])
        order = np.lexsort((high, low))
        low, high = low[order], high[order]
        new = np.append(True, (low[1:] != low[:-1]) | (high[1:] != high[:-1]))
        starts = np.flatnonzero(new)
        return cls(
            low[starts],
            high[starts],
            np.add.reduceat(total[apart][order], starts),
            np.add.reduceat(count[apart][order], starts),
        )


def average_linkage(
    rows: int, left: Ints, right: Ints, odds_bits: Floats, *, cut_bits: float, unscored_bits: float
) -> Ints:
    """Cluster label of every row: the smallest row number in its cluster.

    A pair of rows that was not scored counts with `unscored_bits`. Clusters join while their average is above
    `cut_bits`. Ties depend on the row numbers alone, so the order of the pairs does not matter.
    """
    label = np.arange(rows, dtype=np.int64)
    size = np.ones(rows, dtype=np.float64)
    links = _Links.merged(left, right, odds_bits.astype(np.float64), np.ones(len(left)))
    while len(links.a):
        possible = size[links.a] * size[links.b]
        average = (links.total + (possible - links.count) * unscored_bits) / possible
        keep = average > cut_bits
        if not keep.any():
            break
        first, second = _reciprocal(rows, links.a[keep], links.b[keep], average[keep])
        parent = np.arange(rows, dtype=np.int64)
        parent[second] = first
        size[first] += size[second]
        label = parent[label]
        links = _Links.merged(parent[links.a], parent[links.b], links.total, links.count)
    return label


def _reciprocal(rows: int, a: Ints, b: Ints, average: Floats) -> tuple[Ints, Ints]:
    """Pairs of clusters that are each other's nearest."""
    order = np.lexsort((tie_rank(a, b), -average))
    rank = np.empty(len(a), dtype=np.int64)
    rank[order] = np.arange(len(a))
    best = np.full(rows, len(a), dtype=np.int64)
    np.minimum.at(best, a, rank)
    np.minimum.at(best, b, rank)
    chosen = (best[a] == rank) & (best[b] == rank)
    return a[chosen], b[chosen]


def tie_rank(a: Ints, b: Ints) -> npt.NDArray[np.uint64]:
    """The order among equally near pairs: a hash of the pair.

    By their plain numbers, many equal pairs would join one at a time, each round waiting for the last.
    """
    mixed = (a.astype(np.uint64) * _SPREAD ^ b.astype(np.uint64)) * _SPREAD
    return np.asarray(mixed ^ (mixed >> np.uint64(32)))
