"""Records that say the very same are one node of matching: they are judged once, however many they are.

Otherwise a test record or a default filled in by a form would make blocks of millions of pairs that all say
the same. Nodes stand in an order that depends on what the records say, not on how they came, so that sampling
and ties fall alike whatever the order of the input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.comparisons import Rows
from suzani.identity.kernels.levels import FIRST
from suzani.identity.packing import Packed
from suzani.kernel import Kind

_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Nodes:
    """`first`: the lowest row of each node; `of_row`: the node of each row; `sizes`: rows of each node."""

    first: Rows
    of_row: Rows
    sizes: Rows

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
    contents = _near_by_date(packed)
    if len(apart):
        contents[apart] ^= (numbers[apart] + np.uint64(1)) * _SPREAD
    _, first, of_row, sizes = np.unique(contents, return_index=True, return_inverse=True, return_counts=True)
    return Nodes(first.astype(np.int64), of_row.astype(np.int64), sizes.astype(np.int64))


def _near_by_date(packed: Packed) -> npt.NDArray[np.uint64]:
    """What each record says as a hash that begins with its birth date: duplicates mostly lie side by side."""
    contents = packed.contents.copy()
    first = next((f for f, (_, kind) in enumerate(packed.fields) if kind is Kind.BIRTH_DATE), None)
    if first is not None:
        codes = packed.codes[:, packed.layout.table[first, FIRST]]
        filled = np.flatnonzero(codes >= 0)
        day = packed.hashes[codes[filled]] >> np.uint64(40)
        contents[filled] = day << np.uint64(40) | contents[filled] >> np.uint64(24)
    return contents
