"""How often values occur among records."""

from __future__ import annotations

import numpy as np

from suzani.identity.kernels.arrays import Codes, Floats, Ints
from suzani.identity.kernels.compiling import inner, kernel


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
def held_values(codes: Codes, first: int, last: int) -> Ints:
    """The values that columns first to last hold, ascending."""
    low, high = _extent(codes, first, last)
    held = np.zeros(max(high - low, 0), dtype=np.uint8)
    for row in range(len(codes)):
        for column in range(first, last):
            value = codes[row, column]
            if value >= 0:
                held[value - low] = 1
    return np.flatnonzero(held) + low


@kernel
def agreeing_pairs(codes: Codes, columns: Ints, weights: Floats) -> tuple[Floats, Floats]:
    """By field: ordered pairs of records that agree on a value, and records that have any.

    `columns` (fields × 2): where a field's begin, and how many there are; record i counts weights[i] times.
    """
    fields = len(columns)
    low, size = np.zeros(fields, dtype=np.int64), np.zeros(fields, dtype=np.int64)
    for f in range(fields):
        lowest, end = _extent(codes, columns[f, 0], columns[f, 0] + columns[f, 1])
        low[f], size[f] = lowest, max(end - lowest, 0)
    ends = np.cumsum(size)
    held = np.zeros(size.sum(), dtype=np.float64)
    filled, pairs = np.zeros(fields, dtype=np.float64), np.zeros(fields, dtype=np.float64)
    for row in range(len(codes)):
        for f in range(fields):
            base = ends[f] - size[f] - low[f]
            any_ = False
            for column in range(columns[f, 0], columns[f, 0] + columns[f, 1]):
                value = codes[row, column]
                if value >= 0:
                    held[base + value] += weights[row]
                    any_ = True
            if any_:
                filled[f] += weights[row]
    for f in range(fields):
        for i in range(ends[f] - size[f], ends[f]):
            pairs[f] += held[i] * (held[i] - 1.0)
    return pairs, filled


@inner
def _extent(codes: Codes, first: int, last: int) -> tuple[int, int]:
    """The lowest value in columns first to last, and one above the highest; (2**31, 0) without any."""
    low, high = 1 << 31, 0
    for row in range(len(codes)):
        for column in range(first, last):
            value = codes[row, column]
            if value >= 0:
                low, high = min(low, value), max(high, value + 1)
    return low, high
