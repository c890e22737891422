"""Probabilities that hold: of the pairs given 0.8, eight in ten should be one person.

Sums of weights over fields that depend on one another run too far from zero, the more so the more records
there are to find chance agreement among. A straight line on the odds, learned from pairs that label
themselves, brings them back (Platt 1999); being a line that rises, it never changes the order of pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log, sqrt

import numpy as np
import numpy.typing as npt

from suzani.kernel import InvalidInput

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ENOUGH_ANCHORS = 200
"""Fewer pairs of either outcome teach no calibration."""
_UNCERTAIN_BITS = 15.0
_ENOUGH_UNCERTAIN = 20
_FURTHEST_BITS = 30.0
_STEADY = (0.01, 10.0)
_FLATTEST, _STEEPEST = 0.2, 2.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibrated odds are `intercept_bits + slope · odds`, in bits.

    `anchors`: the pairs it was learned on; `error_bits`: standard error of calibrated odds where they are
    even.
    """

    slope: float
    intercept_bits: float
    anchors: int
    error_bits: float

    def apply(self, odds_bits: Floats) -> Floats:
        """Calibrated log2 odds of log2 odds; rises wherever they rise."""
        return np.asarray(self.intercept_bits + self.slope * np.asarray(odds_bits, dtype=np.float64))

    def check(self, where: str) -> None:
        """Raise InvalidInput unless it is a line that rises."""
        numbers = (self.slope, self.intercept_bits, self.anchors, self.error_bits)
        if not all(isinstance(n, int | float) and isfinite(n) for n in numbers) or self.slope <= 0:
            raise InvalidInput(
                f"{where}: calibration needs a slope above 0, intercept_bits, anchors and error_bits",
                hint="Set calibration to null to go without.",
            )


def learn_calibration(odds_bits: Floats, same: Bools, counts: Floats | None = None) -> Calibration | None:
    """The line that fits the odds of self-labelled pairs, or None where too few of them tell anything.

    `odds_bits`: log2 odds without the fields by which the pairs were labelled; `same`: their labels;
    `counts`: how many pairs each stands for. The line is held towards no change as strongly as a handful of
    pairs would hold it. Deterministic.
    """
    odds = np.clip(np.asarray(odds_bits, dtype=np.float64), -_FURTHEST_BITS, _FURTHEST_BITS)
    uncertain = int((np.abs(odds) < _UNCERTAIN_BITS).sum())
    if min(int(same.sum()), int((~same).sum())) < ENOUGH_ANCHORS or uncertain < _ENOUGH_UNCERTAIN:
        return None
    counts = np.ones(len(odds)) if counts is None else counts / counts.mean()
    (shift, tilt), spread = _fitted(odds, same.astype(np.float64), counts)
    slope = float(np.clip(1 + tilt, _FLATTEST, _STEEPEST))
    even = np.array([1.0, -float(shift) / slope])
    error = sqrt(float(even @ spread @ even))
    return Calibration(round(slope, 4), round(float(shift), 4), len(odds), round(error, 4))


def _fitted(odds: Floats, same: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Shift and tilt (added slope) in bits by Newton's method with halved steps, and their covariance."""
    design = np.stack([np.ones_like(odds), odds], axis=1) * log(2)
    base, hold = odds * log(2), np.array(_STEADY)

    def loss_at(at: Floats) -> float:
        logits = base + design @ at
        return float(counts @ (np.logaddexp(0, logits) - same * logits) + 0.5 * (hold * at * at).sum())

    at = np.zeros(2)
    loss = loss_at(at)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(base + design @ at, -500, 500)))
        slope = design.T @ (counts * (chance - same)) + hold * at
        bend = (design * (counts * chance * (1 - chance))[:, None]).T @ design + np.diag(hold)
        step = np.linalg.solve(bend, slope)
        while (now := loss_at(at - step)) > loss and np.abs(step).max() > 1e-9:
            step = step / 2
        at = at - step
        if loss - now < 1e-9 * max(loss, 1.0):
            break
        loss = now
    return np.asarray(at), np.asarray(np.linalg.inv(bend))


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Pairs predicted between `low` and `high`: how many, their mean prediction, and the share that is one
    person with its 95 % interval (Wilson 1927)."""

    low: float
    high: float
    pairs: int
    predicted: float
    share: float
    share_low: float
    share_high: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far predictions hold: the curve; `error`, the mean gap between predicted and true share weighted
    by pairs (expected calibration error); log loss in nats and Brier score per pair; `uncertain_error`, the
    same gap among pairs predicted between 0.01 and 0.99 alone."""

    pairs: int
    uncertain: int
    bins: tuple[ReliabilityBin, ...]
    error: float
    uncertain_error: float
    log_loss: float
    brier: float


BIN_EDGES = (0.0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)


def wilson(hits: int, tries: int, z: float = 1.96) -> tuple[float, float]:
    """Interval of a share of which `hits` in `tries` were seen; (0, 1) when nothing was. Wilson 1927."""
    if tries == 0:
        return 0.0, 1.0
    share, room = hits / tries, z * z / tries
    centre = (share + room / 2) / (1 + room)
    half = sqrt(share * (1 - share) * room + room * room / 4) / (1 + room)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def reliability(probability: Floats, same: Bools, edges: Sequence[float] = BIN_EDGES) -> Reliability:
    """Compare predicted probabilities with what is true, or what anchors say. Empty bins are left out."""
    probability = np.asarray(probability, dtype=np.float64)
    uncertain = (probability > 0.01) & (probability < 0.99)
    bins = _bins(probability, same, edges)
    sure = np.clip(probability, 1e-12, 1 - 1e-12)
    count = max(len(probability), 1)
    return Reliability(
        len(probability),
        int(uncertain.sum()),
        bins,
        _gap(bins),
        _gap(_bins(probability[uncertain], same[uncertain], edges)),
        float(-np.log(np.where(same, sure, 1 - sure)).sum() / count),
        float(((probability - same) ** 2).sum() / count),
    )


def _bins(probability: Floats, same: Bools, edges: Sequence[float]) -> tuple[ReliabilityBin, ...]:
    place = np.clip(np.searchsorted(edges, probability, side="right") - 1, 0, len(edges) - 2)
    pairs = np.bincount(place, minlength=len(edges) - 1)
    total = np.bincount(place, weights=probability, minlength=len(edges) - 1)
    hits = np.bincount(place, weights=same.astype(np.float64), minlength=len(edges) - 1)
    return tuple(
        ReliabilityBin(
            edges[i], edges[i + 1], n, float(total[i]) / n, float(hits[i]) / n, *wilson(int(hits[i]), n)
        )
        for i, n in enumerate(pairs.tolist())
        if n
    )


def _gap(bins: Sequence[ReliabilityBin]) -> float:
    pairs = sum(item.pairs for item in bins)
    return sum(item.pairs * abs(item.predicted - item.share) for item in bins) / max(pairs, 1)
