"""Pairs of records that label themselves.

Where two records both carry a national id that passes its check digit, the ids tell whether they are one
person: equal, yes; different by more than slips, no. A slip or two apart is left open. These pairs teach
what the other fields are worth, and whether probabilities hold, without anyone labelling anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.models.calibration import Calibration, learn_calibration
from suzani.identity.models.comparisons import DIFFERENT, Levels, level_count
from suzani.identity.models.model import Labels, Patterns
from suzani.kernel import Kind

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ANCHOR_WEIGHT = 1.0
STEWARD_WEIGHT = 10.0
"""A steward's word counts as much as ten pairs: they are asked about the pairs that are rare and hard."""


@dataclass(frozen=True)
class Anchors:
    """Per pair: known to be one person, known to be two, and (`only_by_id`) one person that no blocking rule
    but the equal id found."""

    same: Bools
    different: Bools
    only_by_id: Bools

    @property
    def telling(self) -> Bools:
        """Pairs that other evidence brought up: those to learn a calibration on."""
        return np.asarray((self.same & ~self.only_by_id) | self.different)

    def labels(self, patterns: Patterns, weight: float = ANCHOR_WEIGHT) -> Labels:
        """The anchors as labels for training."""
        return Labels.of(patterns, self.same, self.different, weight, self.only_by_id)


def find_anchors(
    kinds: Sequence[Kind], levels: Levels, both_valid: Sequence[Bools | None], found_by: Ints
) -> Anchors:
    """The anchors among pairs.

    `levels`: fields × pairs; `both_valid`: per field, which pairs have two ids that pass the check digit,
    None for a field without one; `found_by`: how many blocking rules found each pair (each id field is a
    rule of its own). Pairs whose ids contradict each other are left open.
    """
    same = np.zeros(levels.shape[1], dtype=bool)
    different = same.copy()
    equal_ids = np.zeros(levels.shape[1], dtype=np.int64)
    for kind, row, valid in zip(kinds, levels, both_valid, strict=True):
        if kind is Kind.NATIONAL_ID:
            exact = row == level_count(kind) - 1
            equal_ids += exact
            if valid is not None:
                same |= valid & exact
                different |= valid & (row == DIFFERENT)
    clear = same ^ different
    same, different = same & clear, different & clear
    return Anchors(same, different, same & (found_by <= equal_ids))


def without_ids(kinds: Sequence[Kind], levels: Levels) -> Levels:
    """The same levels with every national id missing, so that anchors cannot confirm themselves."""
    ids = np.array([kind is Kind.NATIONAL_ID for kind in kinds], dtype=bool)
    return np.where(ids[:, None], np.uint8(0), levels)


def told_labels(patterns: Patterns, same: Bools, different: Bools) -> Labels:
    """What stewards said of pairs, as labels for training."""
    return Labels.of(patterns, same, different, STEWARD_WEIGHT)


def learn_from(anchors: Anchors, odds_without_ids: Floats) -> Calibration | None:
    """The calibration that the anchors teach; `odds_without_ids`: of every pair, scored on `without_ids`."""
    telling = anchors.telling
    return learn_calibration(odds_without_ids[telling], anchors.same[telling])
