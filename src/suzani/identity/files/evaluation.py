"""Quality of a partition against the truth, by the measures the field compares itself with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity.models.calibration import Reliability, reliability
from suzani.kernel import InvalidInput

_LIKELY = 0.5

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


@dataclass(frozen=True)
class Comparison:
    """An evaluation, with the records that only one of the two files has (left out of it)."""

    evaluation: Evaluation
    without_truth: int
    without_person: int


@dataclass(frozen=True)
class Labelled:
    """The records that both files have: their keys, and the found and the true person of each.

    `by_source`: the keys are source/id, not ids alone. `without_truth` and `without_person` count the others.
    """

    keys: tuple[str, ...]
    found: tuple[str, ...]
    true: tuple[str, ...]
    by_source: bool
    without_truth: int
    without_person: int

    def compared(self) -> Comparison:
        """How the found persons compare with the true ones."""
        evaluation = evaluate_partition(_numbered(self.found), _numbered(self.true))
        return Comparison(evaluation, self.without_truth, self.without_person)


def labelled(persons: pa.Table, truth: pa.Table, id_column: str, truth_column: str) -> Labelled:
    """The records of a persons table (source, record_id, person_id) and of a truth table of strings.

    Records meet by id, and by source too where the truth has a column `source`. Raises InvalidInput when a
    column is missing, ids repeat, or nothing meets.
    """
    _require(persons, ["record_id", "person_id"], "the persons file")
    _require(truth, [id_column, truth_column], "the truth file")
    by_source = "source" in persons.column_names and "source" in truth.column_names
    found = _labels(persons, ["source", "record_id"] if by_source else ["record_id"], "person_id", "persons")
    true = _labels(truth, ["source", id_column] if by_source else [id_column], truth_column, "truth")
    common = tuple(key for key in found if key in true)
    if not common:
        raise InvalidInput(
            "the persons file and the truth file have no record in common",
            hint=f"Compare the ids: {list(found)[:2]} and {list(true)[:2]}.",
        )
    return Labelled(
        keys=common,
        found=tuple(found[key] for key in common),
        true=tuple(true[key] for key in common),
        by_source=by_source,
        without_truth=len(found) - len(common),
        without_person=len(true) - len(common),
    )


def evaluate_tables(persons: pa.Table, truth: pa.Table, id_column: str, truth_column: str) -> Comparison:
    """Evaluate a persons table against a truth table; see `labelled` for how they meet, and for errors."""
    return labelled(persons, truth, id_column, truth_column).compared()


def reliability_of_edges(edges: pa.Table, truth: pa.Table, id_column: str, truth_column: str) -> Reliability:
    """How far the probabilities of an edges table (source_a, record_id_a, source_b, record_id_b, probability)
    hold against a truth table of strings.

    Edges of records without truth are left out, and so are those below 0.5: they are there only if other
    evidence joined their records, and so are true more often than all pairs given as little. Raises
    InvalidInput when a column is missing, ids repeat, a probability is none, or nothing meets.
    """
    sides = [[f"source_{side}", f"record_id_{side}"] for side in "ab"]
    _require(edges, [*sides[0], *sides[1], "probability"], "the edges file")
    _require(truth, [id_column, truth_column], "the truth file")
    by_source = "source" in truth.column_names
    true = _labels(truth, ["source", id_column] if by_source else [id_column], truth_column, "truth")
    first, second = ([true.get(key) for key in keys_of(edges, side[not by_source :])] for side in sides)
    known = np.array(
        [a is not None and b is not None for a, b in zip(first, second, strict=True)], dtype=bool
    )
    if not known.any():
        raise InvalidInput(
            "the edges file and the truth file have no pair of records in common",
            hint=f"Compare the ids: {keys_of(edges, sides[0][not by_source :])[:2]} and {list(true)[:2]}.",
        )
    same = np.array([a == b for a, b in zip(first, second, strict=True)], dtype=bool)
    given = _probabilities(edges)
    counted = known & (given >= _LIKELY)
    return reliability(given[counted], same[counted])


def _probabilities(edges: pa.Table) -> npt.NDArray[np.float64]:
    try:
        column = pc.cast(edges.column("probability"), pa.float64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"the edges file has a probability that is none: {error}") from None
    outside = ~((column >= 0) & (column <= 1))
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise InvalidInput(f"the edges file, row {row + 1}: {column[row]} is no probability")
    return np.asarray(column, dtype=np.float64)


def keys_of(table: pa.Table, columns: list[str]) -> list[str]:
    """One key for each row; several columns are joined by a slash."""
    texts = [[str(text or "").strip() for text in table.column(name).to_pylist()] for name in columns]
    return ["/".join(parts) for parts in zip(*texts, strict=True)]


def _require(table: pa.Table, columns: list[str], where: str) -> None:
    for column in columns:
        if column not in table.column_names:
            raise InvalidInput(
                f"{where} has no column {column!r}", hint=f"Its columns: {', '.join(table.column_names)}."
            )


def _labels(table: pa.Table, keys: list[str], value: str, where: str) -> dict[str, str]:
    """Value by key, records without a value left out; several key columns are joined by a slash."""
    joined = keys_of(table, keys)
    values = ("" if v is None else str(v).strip() for v in table.column(value).to_pylist())
    labels = dict(zip(joined, values, strict=True))
    if len(labels) != len(joined):
        repeated = next(key for key, count in Counter(joined).items() if count > 1)
        raise InvalidInput(
            f"the {where} file has the record {repeated!r} more than once",
            hint="Ids must be unique in a file; where files repeat them, the truth needs a `source`.",
        )
    return {key: label for key, label in labels.items() if label}


def _numbered(labels: Sequence[str]) -> Ints:
    index: dict[str, int] = {}
    return np.fromiter((index.setdefault(label, len(index)) for label in labels), np.int64, len(labels))
