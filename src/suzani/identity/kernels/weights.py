"""Log2 odds that two records are one person, from their comparison levels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from suzani.identity.kernels.arrays import Bools, Bytes, Codes, Floats, Hashes64, Ints, Singles
from suzani.identity.kernels.compiling import inlined, kernel
from suzani.identity.kernels.levels import EXACT, FIRST, Layout, Values


class Weights(NamedTuple):
    """A model as tables: bits per field and level, and per value.

    `same[f, level]` is log2(m/u), `home[f, level]` log2(h/u); `rarity[value, column[f]]` is what agreement on
    that value adds (column -1: nothing), to `home` too where `shared[f]`. `joint[i]`: where two fields agree
    together from these levels on, what that adds to `same` and to `home`. `odds`: log2 of the shares of
    random pairs that are one person, one household and neither; then slope and intercept of the calibration.
    """

    same: Floats
    home: Floats
    shared: Bools
    rarity: Singles
    column: Ints
    joint: Floats
    odds: Floats


class Judge(NamedTuple):
    """What pairs of rows are judged by."""

    layout: Layout
    values: Values
    weights: Weights


PRIOR, HOUSEHOLD, UNRELATED, SLOPE, INTERCEPT = range(5)
"""Places in `Weights.odds`."""
FIRST_FIELD, SECOND_FIELD, FIRST_LEVEL, SECOND_LEVEL, TO_SAME, TO_HOME = range(6)
"""Columns of `Weights.joint`."""


@kernel
def rarities(
    held: Ints, records: float, average: float, prior: float, most: float, lowest: float, highest: float
) -> Floats:
    """What agreement on each value adds, between `lowest` and `highest`: log2 of the `average` chance
    agreement over that of the value, `most` or less, which so many of the records hold."""
    bits = np.empty(len(held), dtype=np.float64)
    for value in range(len(held)):
        share = max(held[value] / (1 + prior * records), 1.0) / records
        bits[value] = min(max(np.log2(average) - np.log2(min(share, most)), lowest), highest)
    return bits


@kernel
def held_by(known: Hashes64, held: Ints, values: Hashes64) -> Ints:
    """How many records held each value, by the sorted hashes of those that are known; 1 for others."""
    found = np.ones(len(values), dtype=np.int64)
    for value in range(len(values)):
        at = np.searchsorted(known, values[value]) if len(known) else 0
        if at < len(known) and known[at] == values[value]:
            found[value] = held[at]
    return found


@inlined
def rarity_of(
    weights: Weights, f: int, exact: bool, first: int, codes: Codes, left: int, right: int
) -> float:
    """What agreement of two rows of codes on this very value of a field adds, in bits."""
    column, value = weights.column[f], codes[left, first]
    if column < 0 or not exact or value < 0 or value != codes[right, first]:
        return 0.0
    return float(weights.rarity[value, column])


@inlined
def log2_sum(a: float, b: float) -> float:
    """log2(2**a + 2**b)."""
    high, low = (a, b) if a >= b else (b, a)
    return high if low < high - 60.0 else high + np.log2(1.0 + 2.0 ** (low - high))


@inlined
def odds_bits(odds: Floats, same: float, home: float) -> float:
    """Calibrated odds from the summed evidence for one person and for one household against strangers."""
    raw = odds[PRIOR] + same - log2_sum(odds[UNRELATED], odds[HOUSEHOLD] + home)
    return float(odds[INTERCEPT] + odds[SLOPE] * raw)


@inlined
def joint_bits(joint: Floats, levels: Bytes, pair: int, to: int) -> float:
    """What the fields that agree together add to the evidence, from one row of levels."""
    total = 0.0
    for i in range(len(joint)):
        a, b = levels[pair, int(joint[i, FIRST_FIELD])], levels[pair, int(joint[i, SECOND_FIELD])]
        if a >= joint[i, FIRST_LEVEL] and b >= joint[i, SECOND_LEVEL]:
            total += joint[i, to]
    return total


@inlined
def pair_evidence(
    weights: Weights, layout: Layout, levels: Bytes, pair: int, codes: Codes, left: int, right: int
) -> tuple[float, float]:
    """Summed evidence for one person, and for one household, from one row of levels."""
    table = layout.table
    same = home = 0.0
    for k in range(len(layout.order)):
        f = layout.order[k]
        level = levels[pair, f]
        rare = rarity_of(weights, f, level == table[f, EXACT], table[f, FIRST], codes, left, right)
        same += weights.same[f, level] + rare
        home += weights.home[f, level] + (rare if weights.shared[f] else 0.0)
    same += joint_bits(weights.joint, levels, pair, TO_SAME)
    home += joint_bits(weights.joint, levels, pair, TO_HOME)
    return same, home


@kernel
def evidence_of(
    weights: Weights, layout: Layout, levels: Bytes, codes: Codes, left: Ints, right: Ints
) -> tuple[Floats, Floats]:
    """Summed evidence of pairs for one person, and for one household, from their levels (pairs × fields)."""
    same, home = np.zeros(len(left), dtype=np.float64), np.zeros(len(left), dtype=np.float64)
    for pair in range(len(left)):
        same[pair], home[pair] = pair_evidence(weights, layout, levels, pair, codes, left[pair], right[pair])
    return same, home


@kernel
def scores_of(
    weights: Weights, layout: Layout, levels: Bytes, codes: Codes, left: Ints, right: Ints
) -> Floats:
    """Odds of pairs of rows from a matrix of their levels (pairs × fields)."""
    odds = np.empty(len(left), dtype=np.float64)
    for pair in range(len(left)):
        same, home = pair_evidence(weights, layout, levels, pair, codes, left[pair], right[pair])
        odds[pair] = odds_bits(weights.odds, same, home)
    return odds


@kernel
def field_bits(
    weights: Weights, layout: Layout, levels: Bytes, codes: Codes, left: Ints, right: Ints
) -> Floats:
    """What each field adds to the odds of pairs of rows, in bits (pairs × (fields + 3)).

    The last three columns: fields that agree together; what families share; the calibration.
    """
    table, odds = layout.table, weights.odds
    fields = len(table)
    bits = np.zeros((len(left), fields + 3), dtype=np.float64)
    for pair in range(len(left)):
        same = home = 0.0
        for f in range(fields):
            level = levels[pair, f]
            rare = rarity_of(
                weights, f, level == table[f, EXACT], table[f, FIRST], codes, left[pair], right[pair]
            )
            bits[pair, f] = weights.same[f, level] + rare
            same += bits[pair, f]
            home += weights.home[f, level] + (rare if weights.shared[f] else 0.0)
        bits[pair, fields] = joint_bits(weights.joint, levels, pair, TO_SAME)
        same += bits[pair, fields]
        home += joint_bits(weights.joint, levels, pair, TO_HOME)
        # Against strangers alone the odds would be the prior and the evidence; households take some away.
        others = log2_sum(odds[UNRELATED], odds[HOUSEHOLD] + home)
        bits[pair, fields + 1] = np.log2(1.0 - 2.0 ** odds[PRIOR]) - others
        raw = odds[PRIOR] + same - others
        bits[pair, fields + 2] = odds[INTERCEPT] + odds[SLOPE] * raw - raw
    return bits
