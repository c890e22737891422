"""Cards of packed records, and what a first look at them goes by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels.cards import Cards, Look, deal
from suzani.identity.kernels.levels import COUNT, EXACT, FIRST, SWAPPED, WAY
from suzani.identity.kernels.marks import BAG, EMAIL, MARKED, NAME, TEXT
from suzani.identity.kernels.weights import INTERCEPT, PRIOR, SLOPE, TO_SAME, UNRELATED, Weights
from suzani.identity.pairs.packing import Packed

Floats = npt.NDArray[np.float64]

_COST = {BAG: 4.0, EMAIL: 4.0, NAME: 1.5, TEXT: 1.5}
"""What it costs to compare unlike values, where it costs more than others."""
_SLACK_BITS = 0.01
"""More than sums of single precision may be wrong."""


def look_of(packed: Packed, weights: Weights, bound: float) -> Look:
    """What a first look goes by that is to leave no pair out with odds above `bound`."""
    table, same = packed.layout.table, weights.same
    unlike = _most_unlike(packed, same)
    costs = np.array([_COST.get(way, 1.0) for way in table[:, WAY].tolist()])
    field = np.argsort((same[:, 1] - unlike) / costs, kind="stable")
    more = table[field, COUNT] - 1
    place = {f: p for p, f in enumerate(field.tolist())}
    return Look(
        field=field,
        way=table[field, WAY],
        more=more,
        further=len(field) + np.cumsum(more) - more,
        equal=same[field, table[field, EXACT]].astype(np.float32),
        unlike=unlike[field].astype(np.float32),
        same=same[field],
        column=weights.column[field],
        least=_least_evidence(weights, bound) - _SLACK_BITS,
        given=place.get(packed.layout.given, -1),
        family=place.get(packed.layout.family, -1),
    )


def cards_of(packed: Packed, look: Look) -> Cards:
    """The cards of packed records."""
    first = packed.layout.table[look.field, FIRST]
    further = [f + 1 + i for f, more in zip(first, look.more, strict=True) for i in range(more)]
    columns = np.array([*first, *further], dtype=np.int64)
    marked = np.isin(np.append(look.way, np.repeat(look.way, look.more)), MARKED)
    return deal(packed.codes, columns, marked, look, packed.values.form)


def _most_unlike(packed: Packed, same: Floats) -> Floats:
    """The most that each field adds whose values differ, names in each other's place left aside."""
    most = same[:, 1].copy()
    for f, exact in enumerate(packed.layout.table[:, EXACT].tolist()):
        for level in range(2, exact):
            if level != SWAPPED or packed.layout.table[f, WAY] != NAME:
                most[f] = max(most[f], same[f, level])
    return most


def _least_evidence(weights: Weights, bound: float) -> float:
    """What fields must add for odds above `bound`: without calibration and what all pairs have."""
    raw = (bound - weights.odds[INTERCEPT]) / weights.odds[SLOPE]
    return float(
        raw - weights.odds[PRIOR] + weights.odds[UNRELATED] - weights.joint[:, TO_SAME].clip(0).sum()
    )
