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
    marks = np.where(np.isin(table[field, WAY], MARKED), table[field, COUNT], 0)
    place = {f: p for p, f in enumerate(field.tolist())}
    columns = packed.codes.shape[1]
    rarity = np.full(columns, -1, dtype=np.int64)
    rarity[table[:, FIRST]] = weights.column
    return Look(
        field=field,
        first=table[field, FIRST],
        way=table[field, WAY],
        more=table[field, COUNT] - 1,
        mark=np.where(marks, np.cumsum(marks) - marks, 0),
        same=same[field],
        equal=_by_column(table, same[np.arange(len(table)), table[:, EXACT]], columns),
        unlike=_by_column(table, unlike, columns),
        rarity=rarity,
        least=_least_evidence(weights, bound) - _SLACK_BITS,
        given=place.get(packed.layout.given, -1),
        family=place.get(packed.layout.family, -1),
    )


def cards_of(packed: Packed, look: Look, wanted: npt.NDArray[np.bool_]) -> Cards:
    """The cards of packed records, with the marks of those that are wanted."""
    marked = [p for p, way in enumerate(look.way.tolist()) if way in MARKED]
    columns = [look.first[p] + i for p in marked for i in range(look.more[p] + 1)]
    # What stands where a field without marks would have them is read, whatever it is, and told nothing from.
    spare = max(look.more.tolist(), default=0) + 1 - len(columns)
    places = np.array([*columns, *[0] * spare], dtype=np.int64)
    return Cards(packed.codes, deal(packed.codes, places, packed.values.form, wanted))


def _by_column(table: npt.NDArray[np.int64], of_fields: Floats, columns: int) -> npt.NDArray[np.float32]:
    """What belongs to the first value of each field, 0 for further ones."""
    result = np.zeros(columns, dtype=np.float32)
    result[table[:, FIRST]] = of_fields
    return result


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
