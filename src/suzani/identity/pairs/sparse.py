"""Average linkage from some of the pairs, for components too large to score all of them.

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
    rows: int,
    left: Ints,
    right: Ints,
    odds_bits: Floats,
    *,
    cut_bits: float,
    unscored_bits: float,
    names: npt.NDArray[np.uint64] | None = None,
) -> Ints:
    """Cluster label of every row: the smallest row number in its cluster.

    A pair of rows that was not scored counts with `unscored_bits`. Clusters join while their average is above
    `cut_bits`. Ties depend on the `names` of the rows alone (their numbers unless given), so the order of the
    pairs does not matter, nor, with names of their own, what other rows there are.
    """
    names = np.arange(rows, dtype=np.uint64) if names is None else names
    label = np.arange(rows, dtype=np.int64)
    size = np.ones(rows, dtype=np.float64)
    links = _Links.merged(left, right, odds_bits.astype(np.float64), np.ones(len(left)))
    while len(links.a):
        possible = size[links.a] * size[links.b]
        average = (links.total + (possible - links.count) * unscored_bits) / possible
        keep = average > cut_bits
        if not keep.any():
            break
        first, second = _reciprocal(names, links.a[keep], links.b[keep], average[keep])
        parent = np.arange(rows, dtype=np.int64)
        parent[second] = first
        size[first] += size[second]
        label = parent[label]
        links = _Links.merged(parent[links.a], parent[links.b], links.total, links.count)
    return label


def _reciprocal(names: npt.NDArray[np.uint64], a: Ints, b: Ints, average: Floats) -> tuple[Ints, Ints]:
    """Pairs of clusters that are each other's nearest."""
    order = np.lexsort((tie_rank(names[a], names[b]), -average))
    rank = np.empty(len(a), dtype=np.int64)
    rank[order] = np.arange(len(a))
    best = np.full(len(names), len(a), dtype=np.int64)
    np.minimum.at(best, a, rank)
    np.minimum.at(best, b, rank)
    chosen = (best[a] == rank) & (best[b] == rank)
    return a[chosen], b[chosen]


def tie_rank(a: Ints | npt.NDArray[np.uint64], b: Ints | npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The order among equally near pairs: a hash of the pair.

    By their plain numbers, many equal pairs would join one at a time, each round waiting for the last.
    """
    mixed = (a.astype(np.uint64) * _SPREAD ^ b.astype(np.uint64)) * _SPREAD
    return np.asarray(mixed ^ (mixed >> np.uint64(32)))
