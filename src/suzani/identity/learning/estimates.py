"""How good a partition is, estimated without anyone having labelled anything.

Calibrated probabilities count true pairs: inside persons their sum over the pairs is precision; beside what
lies between persons, and what blocking never brought up, it is recall. What makes the answer uncertain is
drawn at random many times, always from the same seed: chance (pairs of one component go right or wrong
together), the calibration's own error (all odds too high or too low at once), and the number of true pairs
that blocking missed (Chao 1987, with his variance).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log1p, sqrt

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels.trees import spanning_links
from suzani.identity.pairs.ordering import stable_order

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DRAWS = 1_000
_FEW_FOUND = 20
_SEED = 20_231
_TAILS = (0.05, 0.95)
_BINS = np.arange(-40.0, 40.125, 0.25)
UNCALIBRATED_ERROR_BITS = 2.0
"""Standard error of odds that no calibration has been learned for."""
_LEAST_ERROR_BITS = 0.8
"""A line is never the whole truth: odds are not trusted to be nearer than this. So far (root mean
square) were estimated shares of wrong pairs from the true ones on nine banks of 20,000 to 800,000 records."""
_MODEL_ERROR = 0.9
"""Blocking rules overlap, so Chao's estimate is off by more than chance: by a factor of 1.6 to 2.3 where the
truth was known. This is the standard error of its logarithm."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the bounds between which it lies with nine chances in ten."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """0.9985 (0.9970–0.9991)."""
        return f"{self.value:.4f} ({self.low:.4f}–{self.high:.4f})"

    def rounded(self) -> Interval:
        """To five digits."""
        return Interval(round(self.value, 5), round(self.low, 5), round(self.high, 5))


@dataclass(frozen=True, slots=True)
class Estimate:
    """Estimated quality over pairs of records. `true_pairs_inside`: expected pairs inside persons that are
    one person; `true_pairs`: expected pairs that are one person, found or not."""

    precision: Interval
    recall: Interval
    f1: Interval
    blocking_recall: Interval
    pairs_inside: int
    true_pairs_inside: float
    true_pairs: float

    def __str__(self) -> str:
        """One line for people."""
        return f"Estimated precision {self.precision}, recall {self.recall}, F1 {self.f1}"

    def rounded(self) -> Estimate:
        """As reports keep it."""
        return Estimate(
            self.precision.rounded(),
            self.recall.rounded(),
            self.f1.rounded(),
            self.blocking_recall.rounded(),
            self.pairs_inside,
            round(self.true_pairs_inside, 1),
            round(self.true_pairs, 1),
        )


@dataclass(frozen=True, slots=True)
class Found:
    """Expected true pairs among the candidates: all, and those that exactly one and exactly two blocking
    rules found. `Found.every_pair(n)`: nothing could be missed."""

    total: float
    once: float
    twice: float

    @classmethod
    def every_pair(cls, total: float) -> Found:
        """All pairs of records were compared."""
        return cls(total, 0.0, 0.0)

    @classmethod
    def of(cls, odds_bits: Floats, found_by: Ints) -> Found:
        """Count over candidates by calibrated log2 odds and the number of rules that found each."""
        chance = probability(odds_bits)
        return cls(
            float(chance.sum()), float(chance[found_by == 1].sum()), float(chance[found_by == 2].sum())
        )

    @property
    def missed(self) -> float:
        """Expected true pairs that no rule found; bias-corrected form of Chao 1987."""
        return self.once * max(self.once - 1, 0.0) / (2 * (self.twice + 1))

    @property
    def recall(self) -> float | None:
        """Share of all true pairs that the rules found; None when too few were found to tell."""
        return self.total / (self.total + self.missed) if self.total >= _FEW_FOUND else None

    @property
    def missed_error(self) -> float:
        """Standard error of `missed`, Chao 1987 eq. 12 in its bias-corrected form."""
        once, twice = self.once, self.twice + 1
        variance = (
            once * max(once - 1, 0.0) / (2 * twice)
            + once * max(2 * once - 1, 0.0) ** 2 / (4 * twice**2)
            + once**2 * self.twice * max(once - 1, 0.0) ** 2 / (4 * twice**4)
        )
        return sqrt(variance)


def probability(odds_bits: Floats) -> Floats:
    """Probability of log2 odds."""
    return np.asarray(1 / (1 + np.exp2(-np.clip(np.asarray(odds_bits, dtype=np.float64), -500, 500))))


@dataclass(frozen=True)
class Scored:
    """Scored pairs of rows, each once, with calibrated log2 odds."""

    left: Ints
    right: Ints
    odds_bits: Floats


@dataclass(frozen=True)
class _Claims:
    """Claims that groups of pairs are one person: how many pairs hang on each, and its log2 odds."""

    pairs: Floats
    odds: Floats

    @property
    def expected(self) -> float:
        return float((self.pairs * probability(self.odds)).sum())

    def drawn(self, shift: Floats, generator: np.random.Generator) -> Floats:
        """Numbers of true pairs when all odds are shifted, with chance claim by claim on top."""
        chance = probability(self.odds)
        deviation = sqrt(float((self.pairs**2 * chance * (1 - chance)).sum()))
        counts, _ = np.histogram(np.clip(self.odds, _BINS[0], _BINS[-1]), _BINS, weights=self.pairs)
        middle = (_BINS[:-1] + _BINS[1:]) / 2
        step = self.expected - float(counts @ probability(middle))
        expected = probability(middle[None, :] + shift[:, None]) @ counts + step
        chances = generator.normal(0, 1, len(shift)) * deviation
        return np.asarray(np.clip(expected + chances, 0, self.pairs.sum()))


def estimate(
    person: Ints,
    scored: Scored,
    found: Found,
    *,
    beyond: int = 0,
    error_bits: float = UNCALIBRATED_ERROR_BITS,
    unscored_bits: float = -6.0,
) -> Estimate:
    """Estimated precision, recall and F1 over pairs, with 90 % intervals.

    `person`: a label per row, itself a row number; `scored`: scored pairs, those inside persons and those
    between them that are near enough to matter; `found`: expected true pairs by the rules that found them;
    `beyond`: how many pairs inside persons no rule had found, scored because they lie in one component;
    `error_bits`: standard error of the odds; `unscored_bits`: what another pair between two persons counts
    that `scored` joins. Records of a person vouch for one another: the pairs between two parts of it stand or
    fall with the strongest link between them, those between two persons with the average link.
    Deterministic.
    """
    together = person[scored.left] == person[scored.right]
    inside = _inside(person, scored, together)
    outside = _outside(person, scored, ~together, unscored_bits)
    pairs = int(inside.pairs.sum())
    generator = np.random.default_rng(_SEED)
    shift = generator.normal(0, max(error_bits, _LEAST_ERROR_BITS), DRAWS)
    within, between = inside.drawn(shift, generator), outside.drawn(shift, generator)
    missed = found.missed * _spread(found, generator)
    here, there, beyond_us = (
        np.array([value]) for value in (inside.expected, outside.expected, found.missed)
    )
    point = _qualities(here, there, beyond_us, beyond, pairs)
    drawn = _qualities(within, between, missed, beyond, pairs)
    values = [_interval(float(value[0]), draws) for value, draws in zip(point, drawn, strict=True)]
    total = inside.expected + outside.expected + max(found.missed - beyond, 0.0)
    return Estimate(values[0], values[1], values[2], values[3], pairs, inside.expected, total)


def _inside(person: Ints, scored: Scored, together: npt.NDArray[np.bool_]) -> _Claims:
    """One claim per link that holds a person together: the strongest links that close no circle."""
    odds = scored.odds_bits[together]
    order = stable_order(-odds)
    left, right = scored.left[together][order], scored.right[together][order]
    joined = spanning_links(len(person), left, right)
    pairs, odds = joined[joined > 0].astype(np.float64), odds[order][joined > 0]
    sizes = np.bincount(person).astype(np.float64)
    unscored = (sizes * (sizes - 1) / 2).sum() - pairs.sum()
    if unscored > 0:
        pairs, odds = np.append(pairs, unscored), np.append(odds, 0.0)
    return _Claims(pairs, odds)


def _outside(person: Ints, scored: Scored, apart: npt.NDArray[np.bool_], unscored_bits: float) -> _Claims:
    """One claim per pair of persons between which anything was scored."""
    sizes = np.bincount(person)
    a, b = person[scored.left[apart]], person[scored.right[apart]]
    key, place = np.unique(np.minimum(a, b) * len(sizes) + np.maximum(a, b), return_inverse=True)
    pairs = (sizes[key // max(len(sizes), 1)] * sizes[key % max(len(sizes), 1)]).astype(np.float64)
    total = np.bincount(place, weights=scored.odds_bits[apart], minlength=len(key))
    unscored = np.maximum(pairs - np.bincount(place, minlength=len(key)), 0)
    return _Claims(pairs, (total + unscored * unscored_bits) / np.maximum(pairs, 1))


def _spread(found: Found, generator: np.random.Generator) -> Floats:
    """Factors by which the missed pairs may be more or fewer: log-normal, as Chao has it."""
    relative = found.missed_error / found.missed if found.missed > 0 else 0.0
    width = sqrt(log1p(relative**2) + _MODEL_ERROR**2) if found.missed > 0 else 0.0
    return np.asarray(np.exp(generator.normal(0, 1, DRAWS) * width))


def _qualities(
    within: Floats, between: Floats, missed: Floats, beyond: int, pairs: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Precision, recall, F1 and blocking recall. `beyond`: pairs inside persons that no rule had found, of
    which as many are no longer missed."""
    lost = np.maximum(missed - beyond, 0.0)
    total = within + between + lost
    precision = within / pairs if pairs else np.ones_like(within)
    recall = _ratio(within, total)
    reached = _ratio(np.maximum(total - lost - beyond, 0.0), total)
    return precision, recall, _ratio(2 * within, total + pairs), reached


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.ones_like(whole), where=whole > 0))


def _interval(value: float, draws: Floats) -> Interval:
    low, high = (float(bound) for bound in np.quantile(draws, _TAILS))
    return Interval(value, min(low, value), max(high, value))
