"""Log2 odds that two records are one person, from their comparison levels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels.compiling import inner, kernel
from suzani.identity.kernels.levels import EXACT, FIRST


class Weights(NamedTuple):
    """A model as tables: bits per field and level, and per value.

    `same[f, level]` is log2(m/u), `home[f, level]` log2(h/u); `rarity[value, column[f]]` is what agreement on
    that value adds (column -1: nothing), to `home` too where `shared[f]`. Of random pairs a share of
    2**prior is one person, 2**household one household, 2**unrelated neither. `most[f]` is the most
    that field f can add.
    """

    same: npt.NDArray[np.float64]
    home: npt.NDArray[np.float64]
    shared: npt.NDArray[np.bool_]
    rarity: npt.NDArray[np.float32]
    column: npt.NDArray[np.int64]
    most: npt.NDArray[np.float64]
    prior: float
    household: float
    unrelated: float


@inner
def rarity_of(rarity, column, exact, first, codes, left, right):
    """What agreement of two rows of codes on this very value of a field adds, in bits."""
    value = codes[left, first]
    if column < 0 or not exact or value < 0 or value != codes[right, first]:
        return 0.0
    return float(rarity[value, column])


@inner
def log2_sum(a, b):
    """log2(2**a + 2**b)."""
    high, low = (a, b) if a >= b else (b, a)
    return high if low < high - 60.0 else high + np.log2(1.0 + 2.0 ** (low - high))


@inner
def odds_bits(prior, household, unrelated, same, home):
    """Odds from the summed evidence for one person and for one household, each against unrelated people."""
    return prior + same - log2_sum(unrelated, household + home)


@kernel
def scores_of(weights, layout, levels, codes, left, right):
    """Odds of pairs of rows from a matrix of their levels (pairs × fields)."""
    weight_same, weight_home, shared, rarity, column, _, prior, household, unrelated = weights
    table, order, _, _ = layout
    result = np.zeros(len(left), dtype=np.float64)
    for pair in range(len(left)):
        same = home = 0.0
        for k in range(len(order)):
            f = order[k]
            level = levels[pair, f]
            rare = rarity_of(
                rarity, column[f], level == table[f, EXACT], table[f, FIRST], codes, left[pair], right[pair]
            )
            same += weight_same[f, level] + rare
            home += weight_home[f, level] + (rare if shared[f] else 0.0)
        result[pair] = odds_bits(prior, household, unrelated, same, home)
    return result


@kernel
def field_bits(weights, layout, levels, codes, left, right):
    """Bits of every field for pairs of rows (pairs × fields), and what knowing about families adds (pairs)."""
    weight_same, weight_home, shared, rarity, column, _, prior, household, unrelated = weights
    table = layout.table
    bits = np.zeros((len(left), len(table)), dtype=np.float64)
    family = np.zeros(len(left), dtype=np.float64)
    for pair in range(len(left)):
        home = 0.0
        for f in range(len(table)):
            level = levels[pair, f]
            rare = rarity_of(
                rarity, column[f], level == table[f, EXACT], table[f, FIRST], codes, left[pair], right[pair]
            )
            bits[pair, f] = weight_same[f, level] + rare
            home += weight_home[f, level] + (rare if shared[f] else 0.0)
        family[pair] = np.log2(1.0 - 2.0**prior) - log2_sum(unrelated, household + home)
    return bits, family
