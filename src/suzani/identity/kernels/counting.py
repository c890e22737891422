"""How often values occur among records."""

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
