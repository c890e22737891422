"""What training needs, gathered from packed records: patterns of candidates, and how random pairs compare."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from suzani.identity.comparisons import Levels, Rows, level_count
from suzani.identity.kernels.levels import COUNT, FIRST
from suzani.identity.matching import compare
from suzani.identity.model import Evidence, Model, Patterns, most_by_chance, train
from suzani.identity.nodes import Nodes
from suzani.identity.packing import Packed

_RANDOM_PAIRS = 150_000
_COPIES_COUNTED = 20


def train_on(packed: Packed, nodes: Nodes, left: Rows, right: Rows, one_in: int) -> Model:
    """A model learned from candidates, each standing for `one_in`, and from the copies of each record."""
    kinds = tuple(kind for _, kind in packed.fields)
    # A great many copies are a test record or a default, and teach nothing about people.
    copied = nodes.copied[nodes.sizes[nodes.copied] < _COPIES_COUNTED]
    levels = compare(packed, np.concatenate([left, copied]), np.concatenate([right, copied]))
    patterns = Patterns.of(levels.T, kinds)
    copies = nodes.sizes[copied]
    weights = np.concatenate([np.full(len(left), float(one_in)), copies * (copies - 1) / 2])
    counts = np.bincount(patterns.of_pair, weights=weights, minlength=len(patterns.counts))
    return train(replace(patterns, counts=counts), _evidence(packed))


def _random_pairs(rows: int) -> tuple[Rows, Rows]:
    """Pairs of different rows drawn at random; all pairs where they are no more than would be drawn."""
    if rows * (rows - 1) // 2 <= _RANDOM_PAIRS:
        left, right = np.triu_indices(rows, 1)
    else:
        generator = np.random.default_rng(rows)
        left, right = generator.integers(0, rows, (2, _RANDOM_PAIRS))
    return left[left != right], right[left != right]


def _evidence(packed: Packed) -> Evidence:
    """Level shares among random pairs: exact agreement from value frequencies, the rest from a sample."""
    rows = packed.rows
    levels = compare(packed, *_random_pairs(rows))
    random, present = [], []
    for f in range(len(packed.fields)):
        shares, both = _random_levels(packed, f, levels[:, f])
        random.append(shares)
        present.append(both / max(rows * (rows - 1.0), 1.0))
    return Evidence(
        tuple(kind for _, kind in packed.fields),
        tuple(name for name, _ in packed.fields),
        tuple(random),
        tuple(present),
        max(rows * (rows - 1.0) / 2, 1.0),
        rows,
    )


def _random_levels(
    packed: Packed, f: int, levels: Levels
) -> tuple[npt.NDArray[np.float64], float]:
    """Shares of the levels of a field, 1 and up, among random pairs; and how many pairs have both values."""
    kind = packed.fields[f][1]
    size = level_count(kind) - 1
    counts = np.bincount(levels, minlength=size + 1)[1:].astype(np.float64) + 0.5
    first, count = packed.layout.table[f, FIRST], packed.layout.table[f, COUNT]
    codes = packed.codes[:, first : first + count]
    held = np.bincount(codes[codes >= 0]).astype(np.float64)
    filled = float((codes >= 0).any(axis=1).sum())
    agreeing = float((held * (held - 1.0)).sum()) / max(filled * (filled - 1.0), 1.0)
    exact = float(np.clip(agreeing, 0.5 / max(filled * filled, 1.0), most_by_chance(kind)))
    counts[:-1] *= (1.0 - exact) / counts[:-1].sum()
    counts[-1] = exact
    return counts, max(filled * (filled - 1.0), 1.0)
