"""Learning a model from packed records: patterns of candidates, how random pairs compare, and the pairs whose
national ids tell whether they are one person."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels.levels import COUNT, FIRST
from suzani.identity.kernels.linkage import VALID
from suzani.identity.kernels.weights import HOUSEHOLD, PRIOR, UNRELATED, Weights, evidence_of, scores_of
from suzani.identity.learning.anchors import Anchors, find_anchors, told_labels, without_ids
from suzani.identity.learning.sampling import Sample
from suzani.identity.models.calibration import learn_calibration
from suzani.identity.models.comparisons import Levels, Rows, level_count
from suzani.identity.models.interactions import Expected, learn_interactions
from suzani.identity.models.model import Evidence, Labels, Model, Patterns, most_by_chance, train
from suzani.identity.pairs.matching import compare
from suzani.identity.pairs.nodes import Nodes
from suzani.identity.pairs.packing import Packed
from suzani.identity.pairs.scoring import rejoined, weights_of
from suzani.kernel import Kind

Floats = npt.NDArray[np.float64]

_RANDOM_PAIRS = 40_000
_COPIES_COUNTED = 20


@dataclass(frozen=True)
class Told:
    """Pairs of rows that stewards joined or parted: what they say of how people's records look."""

    same: tuple[Rows, Rows]
    different: tuple[Rows, Rows]

    @classmethod
    def nothing(cls) -> Told:
        """No stewards' words."""
        none = np.empty(0, dtype=np.int64)
        return cls((none, none), (none, none))

    def labels(self, patterns: Patterns) -> Labels | None:
        """The pairs as labels, they being the last that the patterns were counted on."""
        pairs, same, different = len(patterns.of_pair), len(self.same[0]), len(self.different[0])
        if not same + different:
            return None
        joined, parted = np.zeros(pairs, dtype=bool), np.zeros(pairs, dtype=bool)
        joined[pairs - same - different : pairs - different] = True
        parted[pairs - different :] = True
        return told_labels(patterns, joined, parted)


def train_on(packed: Packed, nodes: Nodes, sample: Sample, told: Told | None = None) -> Model:
    """A model learned without labels but those that pairs give themselves, and what stewards said.

    Copies of a record count as pairs too.
    """
    kinds = tuple(kind for _, kind in packed.fields)
    # A great many copies are a test record or a default, and teach nothing about people.
    copied = nodes.copied[nodes.sizes[nodes.copied] < _COPIES_COUNTED]
    copies = nodes.sizes[copied]
    told = told or Told.nothing()
    left = np.concatenate([copied, told.same[0], told.different[0]])
    right = np.concatenate([copied, told.same[1], told.different[1]])
    levels = np.concatenate([sample.levels, compare(packed, left, right)])
    patterns = Patterns.of(levels.T, kinds)
    stewards = len(told.same[0]) + len(told.different[0])
    each = [sample.pairs, copies * (copies - 1) / 2, np.ones(stewards)]
    counts = np.bincount(patterns.of_pair, weights=np.concatenate(each), minlength=len(patterns.counts))
    patterns = replace(patterns, counts=counts.astype(np.float64))
    model = train(patterns, _evidence(packed, nodes), told.labels(patterns))
    refined = _refined(packed, sample, model)
    return replace(refined, records=len(nodes.of_row))


def _refined(packed: Packed, sample: Sample, model: Model) -> Model:
    """The model with what fields say twice taken back, and its odds calibrated on pairs of known outcome."""
    names, kinds = zip(*packed.fields, strict=True) if packed.fields else ((), ())
    codes = [packed.codes[:, first] for first in packed.layout.table[:, FIRST]]
    weights = weights_of(model, packed)
    expected = _expected(packed, sample, weights)
    model = replace(model, interactions=learn_interactions(names, kinds, codes, expected))
    anchors = _anchors(packed, sample)
    telling = np.flatnonzero(anchors.telling)
    alone = np.ascontiguousarray(without_ids(kinds, sample.levels[telling].T).T)
    odds = scores_of(
        rejoined(weights, model), packed.layout, alone, packed.codes,
        sample.left[telling], sample.right[telling],
    )  # fmt: skip
    calibration = learn_calibration(odds, anchors.same[telling], sample.pairs[telling])
    return replace(model, calibration=calibration)


def _expected(packed: Packed, sample: Sample, weights: Weights) -> Expected:
    """How many pairs of one person, or of one household, the sampled pairs stand for."""
    same, home = evidence_of(weights, packed.layout, sample.levels, packed.codes, sample.left, sample.right)
    person, family = weights.odds[PRIOR] + same, weights.odds[HOUSEHOLD] + home
    total = np.logaddexp2(np.logaddexp2(person, family), weights.odds[UNRELATED])
    shares = sample.pairs * np.exp2(person - total), sample.pairs * np.exp2(family - total)
    return Expected(sample.levels.T, sample.left, sample.right, *shares)


def _anchors(packed: Packed, sample: Sample) -> Anchors:
    """The sampled pairs whose national ids tell whether they are one person."""
    kinds = tuple(kind for _, kind in packed.fields)
    both: list[npt.NDArray[np.bool_] | None] = [None] * len(kinds)
    for f in (f for f, kind in enumerate(kinds) if kind is Kind.NATIONAL_ID):
        first = packed.layout.table[f, FIRST]
        both[f] = np.ones(len(sample.left), dtype=bool)
        for rows in (sample.left, sample.right):
            codes = packed.codes[rows, first]
            both[f] &= (codes >= 0) & (packed.values.form[codes, VALID] > 0)
    return find_anchors(kinds, sample.levels.T, both, sample.found_by)


def _random_pairs(rows: int) -> tuple[Rows, Rows]:
    """Pairs of different rows drawn at random; all pairs where they are no more than would be drawn."""
    if rows * (rows - 1) // 2 <= _RANDOM_PAIRS:
        left, right = np.triu_indices(rows, 1)
    else:
        generator = np.random.default_rng(rows)
        left, right = generator.integers(0, rows, (2, _RANDOM_PAIRS))
    return left[left != right], right[left != right]


def _evidence(packed: Packed, nodes: Nodes) -> Evidence:
    """Level shares among random pairs: exact agreement from value frequencies, the rest from a sample.

    Copies of a record count as records, but a great many of them as no more than so many.
    """
    rows = int(np.minimum(nodes.sizes, _COPIES_COUNTED).sum())
    levels = compare(packed, *_random_pairs(packed.rows))
    agreeing, filled = _agreeing(packed, nodes)
    both = np.maximum(filled * (filled - 1.0), 1.0)
    random = [
        _random_levels(kind, levels[:, f], agreeing[f] / both[f], filled[f])
        for f, (_, kind) in enumerate(packed.fields)
    ]
    present = both / max(rows * (rows - 1.0), 1.0)
    return Evidence(
        tuple(kind for _, kind in packed.fields),
        tuple(name for name, _ in packed.fields),
        tuple(random),
        tuple(present.tolist()),
        max(rows * (rows - 1.0) / 2, 1.0),
        rows,
    )


def _agreeing(packed: Packed, nodes: Nodes) -> tuple[Floats, Floats]:
    """By field: ordered pairs of records that agree on a value, and records that have any."""
    many = np.flatnonzero(nodes.sizes > _COPIES_COUNTED)
    codes, uncounted = packed.codes[many], nodes.sizes[many] - _COPIES_COUNTED
    agreeing, filled = np.zeros(len(packed.fields)), packed.filled.copy()
    for f, (first, count) in enumerate(packed.layout.table[:, [FIRST, COUNT]].tolist()):
        mine = codes[:, first : first + count]
        filled[f] -= uncounted[(mine >= 0).any(axis=1)].sum()
        at, column = np.nonzero(mine >= 0)
        held = packed.counts[f].astype(np.float64)
        np.subtract.at(held, mine[at, column] - packed.lists[f, 0], uncounted[at])
        agreeing[f] = (held * (held - 1.0)).sum()
    return agreeing, filled


def _random_levels(kind: Kind, levels: Levels, agreeing: float, filled: float) -> npt.NDArray[np.float64]:
    """Shares of the levels of a field, 1 and up, among random pairs that have both values.

    `levels` of some random pairs; `agreeing`: the share of all pairs of the `filled` records that agree."""
    size = level_count(kind) - 1
    counts = np.bincount(levels, minlength=size + 1)[1:].astype(np.float64) + 0.5
    exact = float(np.clip(agreeing, 0.5 / max(filled * filled, 1.0), most_by_chance(kind)))
    counts[:-1] *= (1.0 - exact) / counts[:-1].sum()
    counts[-1] = exact
    return counts
