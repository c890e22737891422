"""What a comparison pattern says: weights in bits and the probability that two records are one person."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.comparisons import Levels, Rows
from suzani.identity.fields import Field
from suzani.identity.model import SHARED_BY_HOUSEHOLD, Model, most_by_chance
from suzani.kernel import Kind

Floats32 = npt.NDArray[np.float32]
_RAREST_BITS = 6.0
_COMMONEST_BITS = -6.0


@dataclass(frozen=True)
class Scores:
    """Per pair: `weight_bits`, the evidence log2 P(levels | same) / P(levels | not); `odds_bits`, the
    log2 odds of being one person, prior included; `probability` the same as a probability."""

    weight_bits: Floats32
    odds_bits: Floats32

    @property
    def probability(self) -> Floats32:
        """Probability of being one person."""
        return (1 / (1 + np.exp2(-self.odds_bits.astype(np.float64)))).astype(np.float32)


class Scorer:
    """Scores pairs of rows by a model; the fields must be those that the levels were computed on."""

    def __init__(self, model: Model, fields: Sequence[Field]) -> None:
        self.model = model
        self.fields = fields
        self._m_u = [_bits(field.m, field.u) for field in model.fields]
        self._h_u = [_bits(field.h, field.u) for field in model.fields]
        self._rarity = [
            _rarity_bits(field, learned.u[-1], model.prior) if learned.weighs_frequency else None
            for field, learned in zip(fields, model.fields, strict=True)
        ]

    def on(self, fields: Sequence[Field]) -> Scorer:
        """The very same weights for other rows of the same values: what was scored is what is explained."""
        other = copy(self)
        other.fields = fields
        return other

    def score(self, levels: Levels, left: Rows, right: Rows) -> Scores:
        """Scores of pairs from their levels (fields × pairs)."""
        same = np.zeros(levels.shape[1])
        home = np.zeros(levels.shape[1])
        for index, row in enumerate(levels):
            rarity = self.rarity_bits(index, row, left, right)
            same += self._m_u[index][row] + rarity
            shared = Kind(self.model.fields[index].kind) in SHARED_BY_HOUSEHOLD
            home += self._h_u[index][row] + (rarity if shared else 0.0)
        prior, household = self.model.prior, self.model.household
        unrelated = 1 - prior - household
        others = np.logaddexp2(np.log2(unrelated), np.log2(max(household, 1e-300)) + home)
        odds = np.log2(prior) + same - others
        weight = odds - np.log2(prior / (1 - prior))
        return Scores(weight.astype(np.float32), odds.astype(np.float32))

    def field_bits(
        self, index: int, row: npt.NDArray[np.uint8], left: Rows, right: Rows
    ) -> npt.NDArray[np.float64]:
        """The weight in bits of one field for each pair; 0 where a value is missing."""
        return np.asarray(self._m_u[index][row] + self.rarity_bits(index, row, left, right))

    def rarity_bits(
        self, index: int, row: npt.NDArray[np.uint8], left: Rows, right: Rows
    ) -> npt.NDArray[np.float64] | float:
        """What agreement on this very value adds: more for a rare one, less for a common one."""
        rarity = self._rarity[index]
        if rarity is None:
            return 0.0
        exact = row == len(self._m_u[index]) - 1
        codes = self.fields[index].codes[:, 0]
        agree = exact & (codes[left] == codes[right])
        return np.where(agree, rarity[codes[left]], 0.0)


def _bits(numerator: Sequence[float], denominator: Sequence[float]) -> npt.NDArray[np.float64]:
    """log2 ratios by level, 0 for missing."""
    return np.append(0.0, np.log2(np.array(numerator)) - np.log2(np.array(denominator)))


def _rarity_bits(field: Field, average: float, prior: float) -> npt.NDArray[np.float64]:
    """log2 of the average chance agreement over that of each value.

    A value's chance of agreement is its share of the records; one record of it is the pair's own, and
    duplicates of one person are allowed for, so that a value seen twice is not taken for half as rare.
    """
    filled = max(int(field.filled.sum()), 1)
    duplicates = prior * filled
    share = np.minimum(np.maximum(field.counts / (1 + duplicates), 1.0) / filled, most_by_chance(field.kind))
    bits = np.log2(average) - np.log2(share)
    return np.append(np.clip(bits, _COMMONEST_BITS, _RAREST_BITS), 0.0)
