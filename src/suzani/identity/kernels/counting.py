"""How often values occur among records."""

from __future__ import annotations

import numpy as np

from suzani.identity.kernels.arrays import Codes, Floats, Ints
from suzani.identity.kernels.compiling import kernel


@kernel
def count_values(codes: Codes, first: int, last: int, size: int) -> Ints:
    """How many records hold each of `size` values in columns first to last."""
    result = np.zeros(size, dtype=np.int64)
    for row in range(len(codes)):
        for column in range(first, last):
            value = codes[row, column]
            if value >= 0:
                result[value] += 1
    return result


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
def agreeing_pairs(codes: Codes, first: int, last: int, size: int, weights: Floats) -> tuple[float, float]:
    """Ordered pairs of records that agree on a value, and records that have any; each record counts `weights`
    times."""
    held = np.zeros(size, dtype=np.float64)
    filled = 0.0
    for row in range(len(codes)):
        any_ = False
        for column in range(first, last):
            value = codes[row, column]
            if value >= 0:
                held[value] += weights[row]
                any_ = True
        if any_:
            filled += weights[row]
    pairs = 0.0
    for value in range(size):
        pairs += held[value] * (held[value] - 1.0)
    return pairs, filled
