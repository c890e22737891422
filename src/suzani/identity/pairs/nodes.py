"""Records that say the very same are one node of matching: they are judged once, however many they are.

Otherwise a test record or a default filled in by a form would make blocks of millions of pairs that all say
the same. Nodes stand in an order that depends on what the records say, not on how they came, so that sampling
and ties fall alike whatever the order of the input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels import copies
from suzani.identity.models.comparisons import Rows
from suzani.identity.pairs.matching import Pairs
from suzani.identity.pairs.ordering import stable_order
from suzani.identity.pairs.packing import Packed

_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Nodes:
    """`first`: the lowest row of each node; `of_row`: the node of each row; `sizes`: rows of each node;
    `members`: the rows of one node after another."""

    first: Rows
    of_row: Rows
    sizes: Rows
    members: Rows

    @property
    def copied(self) -> Rows:
        """Nodes of more than one row."""
        return np.flatnonzero(self.sizes > 1)

    @property
    def copies(self) -> Rows:
        """All rows but the first of their node."""
        is_copy = np.ones(len(self.of_row), dtype=bool)
        is_copy[self.first] = False
        return np.flatnonzero(is_copy)


def find_nodes(packed: Packed, apart: Rows, numbers: npt.NDArray[np.uint64]) -> Nodes:
    """Group equal rows; each row of `apart` is a node of its own. `numbers` tell rows apart for good."""
    contents = packed.contents
    if len(apart):
        contents = contents.copy()
        contents[apart] ^= (numbers[apart] + np.uint64(1)) * _SPREAD
    members = stable_order(contents)
    ordered = contents[members]
    is_first = np.append(True, ordered[1:] != ordered[:-1])[: len(members)]
    of_row = np.empty(len(members), dtype=np.int64)
    of_row[members] = np.cumsum(is_first) - 1
    starts = np.flatnonzero(is_first)
    return Nodes(members[starts], of_row, np.diff(np.append(starts, len(members))), members)


def spread(edges: Pairs, selves: Pairs, members: Rows, starts: Rows) -> Pairs:
    """The evidence between rows, of the evidence between nodes (`edges`) and of copied nodes with themselves.

    members[starts[n]:starts[n + 1]] are the rows of node n. The first of very many copies stands for all.
    """
    a, b, which = copies.spread(edges.left, edges.right, selves.left, members, starts)
    odds = np.append(edges.odds_bits, selves.odds_bits)
    return Pairs(a, b, odds[which], np.concatenate([edges.levels, selves.levels])[which])
