"""The columns of codes in which the alternatives of a field stand side by side."""

from __future__ import annotations

import numpy as np

from suzani.identity.kernels.arrays import Codes, Ints
from suzani.identity.kernels.compiling import kernel


@kernel
def count_column(codes: Codes, size: int) -> tuple[Ints, int]:
    """How many records hold each of `size` values (records × alternatives), and how many hold any."""
    held = np.zeros(size + 1, dtype=np.int64)
    filled = 0
    for row in range(len(codes)):
        any_ = False
        for column in range(codes.shape[1]):
            # Missing values are counted too, at 0: a branch would cost more.
            held[codes[row, column] + 1] += 1
            any_ |= codes[row, column] >= 0
        filled += any_
    return held[1:], filled


@kernel
def close_up(codes: Codes, firsts: Ints, counts: Ints) -> None:
    """Move the alternatives of each field up where one before them is missing (-1), in their order.

    Field f has the columns firsts[f] to firsts[f] + counts[f] of `codes` (records × columns).
    """
    for f in range(len(firsts)):
        for row in range(len(codes) if counts[f] > 1 else 0):
            free = firsts[f]
            for column in range(firsts[f], firsts[f] + counts[f]):
                if codes[row, column] >= 0:
                    codes[row, free], codes[row, column] = codes[row, column], codes[row, free]
                    free += 1
