"""Quality of a partition against the truth, by the measures the field compares itself with."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pairwise:
    """Precision, recall and their harmonic mean, over pairs of records (0 to 1)."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a partition compares with the truth.

    `pairwise` counts pairs of records, `b_cubed` averages over records (Bagga & Baldwin 1998). `exact` is
    the share of true persons recovered record for record. A `split` true person lies in several found ones;
    an `over_merged` found person holds records of several true ones.
    """

    records: int
    true_persons: int
    found_persons: int
    pairwise: Pairwise
    b_cubed: Pairwise
    exact: float
    splits: int
    over_merged: int

    def as_dict(self) -> dict[str, object]:
        """Plain numbers, nested, for JSON."""
        return asdict(self)


def evaluate_partition(found: Ints, truth: Ints) -> Evaluation:
    """Compare two partitions of the same records, each given as one integer label per record."""
    records = len(found)
    f = np.unique(found, return_inverse=True)[1].astype(np.int64)
    t = np.unique(truth, return_inverse=True)[1].astype(np.int64)
    found_sizes, true_sizes = np.bincount(f), np.bincount(t)
    cells, cell, overlap = np.unique(f * max(len(true_sizes), 1) + t, return_inverse=True, return_counts=True)
    cell_found, cell_true = np.divmod(cells, max(len(true_sizes), 1))
    both = _pairs(overlap)
    pairwise = _scores(both, _pairs(found_sizes), _pairs(true_sizes))
    b_precision = float(np.mean(overlap[cell] / found_sizes[f])) if records else 1.0
    b_recall = float(np.mean(overlap[cell] / true_sizes[t])) if records else 1.0
    whole = (overlap == found_sizes[cell_found]) & (overlap == true_sizes[cell_true])
    return Evaluation(
        records,
        len(true_sizes),
        len(found_sizes),
        pairwise,
        Pairwise(b_precision, b_recall, _harmonic(b_precision, b_recall)),
        float(whole.sum()) / max(len(true_sizes), 1),
        int((np.bincount(cell_true, minlength=len(true_sizes)) > 1).sum()),
        int((np.bincount(cell_found, minlength=len(found_sizes)) > 1).sum()),
    )


def _pairs(sizes: npt.NDArray[np.int64]) -> float:
    return float((sizes * (sizes - 1) // 2).sum())


def _scores(both: float, found: float, true: float) -> Pairwise:
    """No pairs found is perfect precision, and no pairs to find perfect recall."""
    precision = both / found if found else 1.0
    recall = both / true if true else 1.0
    return Pairwise(precision, recall, _harmonic(precision, recall))


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0
