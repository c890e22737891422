"""A model as tables of weights in bits that the kernels read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels.weights import Weights, rarities
from suzani.identity.models.model import SHARED_BY_HOUSEHOLD, Model, most_by_chance
from suzani.identity.pairs.packing import Packed
from suzani.kernel import Kind

Floats = npt.NDArray[np.float64]

_RAREST_BITS = 6.0
_COMMONEST_BITS = -6.0
_MOST_LEVELS = 8
_NEVER = 1e-300
_NAMES = "names"


def weights_of(
    model: Model,
    packed: Packed,
    counts: Sequence[npt.NDArray[np.int64]] | None = None,
    records: Floats | None = None,
) -> Weights:
    """The weights of a model for packed records.

    By field, `counts` say how many records hold each value of its list and `records` how many hold any; both
    are those of `packed` unless given.
    """
    counts = packed.counts if counts is None else counts
    records = packed.filled if records is None else records
    same = np.zeros((len(model.fields), _MOST_LEVELS))
    home = np.zeros_like(same)
    shared = np.array([Kind(field.kind) in SHARED_BY_HOUSEHOLD for field in model.fields], dtype=bool)
    column = np.full(len(model.fields), -1, dtype=np.int64)
    rarity = np.zeros((len(packed.hashes), 2), dtype=np.float32)
    for f, field in enumerate(model.fields):
        same[f, : len(field.m) + 1] = _bits(field.m, field.u)
        home[f, : len(field.h) + 1] = _bits(field.h, field.u)
        if field.weighs_frequency:
            column[f] = int(field.kind == Kind.FAMILY_NAME)
            first, end = packed.lists[f]
            bits = rarity_bits(counts[f], records[f], field.u[-1], model.prior, field.kind)
            rarity[first:end, column[f]] = bits
    plain = Weights(same, home, shared, rarity, column, np.empty((0, 6)), _odds(model))
    return rejoined(plain, model)


def rejoined(weights: Weights, model: Model) -> Weights:
    """The weights with the interactions and the calibration of a model that is the same in all else."""
    return weights._replace(joint=_joint(model, weights.shared), odds=_odds(model))


def _joint(model: Model, shared: npt.NDArray[np.bool_]) -> Floats:
    """The interactions of a model: households count one only if they share both fields."""
    position = {field.name: f for f, field in enumerate(model.fields)}
    rows = []
    for item in model.interactions:
        a, b = position[item.first], position[item.second]
        to_home = -item.u_bits if shared[a] and shared[b] else 0.0
        rows.append([a, b, item.first_level, item.second_level, item.weight_bits, to_home])
    return np.array(rows, dtype=np.float64).reshape(-1, 6)


def _odds(model: Model) -> Floats:
    """log2 shares of random pairs (same person, household, unrelated), then the calibration."""
    shares = (model.prior, max(model.household, _NEVER), 1 - model.prior - model.household)
    calibration = model.calibration
    line = (calibration.slope, calibration.intercept_bits) if calibration else (1.0, 0.0)
    return np.array([*np.log2(shares), *line], dtype=np.float64)


def list_of(field: str, kind: Kind) -> str:
    """The list of values that a field is written in: given and family names share one, as `standardise` has
    it."""
    return _NAMES if kind in (Kind.GIVEN_NAME, Kind.FAMILY_NAME) else field


def _bits(numerator: Sequence[float], denominator: Sequence[float]) -> Floats:
    """log2 ratios by level, 0 for missing."""
    return np.append(0.0, np.log2(np.array(numerator)) - np.log2(np.array(denominator)))


def rarity_bits(
    held: npt.NDArray[np.int64], records: float, average: float, prior: float, kind: str
) -> Floats:
    """log2 of the average chance agreement over that of each value, held by so many of the records.

    A value's chance of agreement is its share of the records; one record of it is the pair's own, and
    duplicates of one person are allowed for, so that a value seen twice is not taken for half as rare.
    """
    most = most_by_chance(Kind(kind))
    return np.asarray(rarities(held, float(records), average, prior, most, _COMMONEST_BITS, _RAREST_BITS))


def weight_bits(odds_bits: Floats, model: Model) -> Floats:
    """The evidence alone: odds less those of two records drawn at random."""
    return np.asarray(odds_bits - np.log2(model.prior / (1 - model.prior)))
