"""The links that hold groups of records together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels.compiling import inner, kernel

Rows = npt.NDArray[np.int64]


@inner
def _root(parent: Rows, row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


@kernel
def spanning_links(rows: int, left: Rows, right: Rows) -> Rows:
    """How many pairs of rows each link joins that were apart before it: 0 for one that closes a circle.

    Links count in the order given (Kruskal 1956).
    """
    parent, size = np.arange(rows), np.ones(rows, dtype=np.int64)
    joined = np.zeros(len(left), dtype=np.int64)
    for link in range(len(left)):
        a, b = _root(parent, left[link]), _root(parent, right[link])
        if a != b:
            joined[link] = size[a] * size[b]
            if size[a] < size[b]:
                a, b = b, a
            parent[b] = a
            size[a] += size[b]
    return joined
