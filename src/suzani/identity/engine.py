"""Batch resolution: fields → candidates → levels → model → scores → persons, on arrays alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np
import numpy.typing as npt

from suzani.identity.candidates import Candidates, Width, find_candidates
from suzani.identity.comparisons import DIFFERENT, Comparator, Levels, Rows, level_count
from suzani.identity.copies import Copies, find_copies
from suzani.identity.fields import Field
from suzani.identity.model import Evidence, Model, Patterns, most_by_chance, train
from suzani.identity.partition import FORBIDDEN, average_linkage, components, pairs_within
from suzani.identity.scoring import Scorer
from suzani.kernel import InvalidInput

Progress = Callable[[str], None]

_RANDOM_PAIRS = 150_000


@dataclass(frozen=True, slots=True)
class Options:
    """How pairs become persons.

    `loose_bits`: log2 odds from which two records belong to one component to look into; `cut_bits`: average
    log2 odds from which clusters join; `clip_bits`: no single pair counts for more than this either way;
    `largest`: components up to this size have all their pairs scored; `kept_bits`: pairs kept as edges;
    `enough_recall`: estimated share of true pairs below which blocking is widened.
    """

    loose_bits: float = -2.0
    cut_bits: float = 0.0
    clip_bits: float = 15.0
    largest: int = 400
    unscored_bits: float = -6.0
    kept_bits: float = -3.0
    enough_recall: float = 0.98


@dataclass(frozen=True)
class Edges:
    """Scored pairs of rows, `left` < `right`."""

    left: Rows
    right: Rows
    levels: Levels
    weight_bits: npt.NDArray[np.float32]
    odds_bits: npt.NDArray[np.float32]

    def joined(self, other: Edges) -> Edges:
        """These pairs and others."""
        return Edges(
            np.concatenate([self.left, other.left]),
            np.concatenate([self.right, other.right]),
            np.concatenate([self.levels, other.levels], axis=1),
            np.concatenate([self.weight_bits, other.weight_bits]),
            np.concatenate([self.odds_bits, other.odds_bits]),
        )

    def renumbered(self, rows: Rows) -> Edges:
        """The same pairs, row i now being called `rows[i]`."""
        a, b = rows[self.left], rows[self.right]
        low, high = np.minimum(a, b), np.maximum(a, b)
        return Edges(low, high, self.levels, self.weight_bits, self.odds_bits)

    @property
    def probability(self) -> npt.NDArray[np.float64]:
        """Probability of being one person."""
        return np.asarray(1 / (1 + np.exp2(-self.odds_bits.astype(np.float64))))


@dataclass(frozen=True)
class Resolution:
    """The outcome: `person[i]` is the smallest row number of row i's person; the evidence; and a report.

    `scorer` gave the edges their weights; `windowed` pairs were left out of blocks too large to refine.
    """

    person: npt.NDArray[np.int64]
    edges: Edges
    scorer: Scorer
    candidates: int
    rules: dict[str, int]
    windowed: int
    estimated_blocking_recall: float | None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        """The model that was trained or given."""
        return self.scorer.model

    @property
    def fields(self) -> Sequence[Field]:
        """The evidence about every record, in the order of the input."""
        return self.scorer.fields

    @property
    def persons(self) -> int:
        """Number of persons."""
        return len(np.unique(self.person))


class _Watch:
    """Seconds per phase, told to `progress` as each begins."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()
        self._phase = ""

    def begin(self, phase: str) -> None:
        now = time.perf_counter()
        if self._phase:
            spent = self.seconds.get(self._phase, 0.0) + now - self._since
            self.seconds[self._phase] = round(spent, 3)
        self._since, self._phase = now, phase
        if phase:
            self.progress(phase)


def resolve_fields(
    fields: Sequence[Field],
    rows: int,
    *,
    model: Model | None = None,
    options: Options | None = None,
    progress: Progress = lambda phase: None,
) -> Resolution:
    """Persons among `rows` records described by `fields`; trains a model unless one is given.

    Deterministic: the same records give the same persons. Raises InvalidInput when a given model does not
    fit the fields.
    """
    options = options or Options()
    watch = _Watch(progress)
    watch.begin("order")
    order = canonical_order(fields, rows)
    fields = [item.reordered(order) for item in fields]
    if model is not None:
        check_fit(model, fields)
    copies = find_copies(fields, rows)
    distinct = [item.reordered(copies.originals) for item in fields]
    comparator = Comparator(distinct)
    found = _find(comparator, len(copies.originals), Width.NARROW, model, watch)
    if not found.is_enough(options.enough_recall):
        found = _find(comparator, len(copies.originals), Width.WIDE, model, watch)
    watch.begin("partition")
    scorer = Scorer(found.model, distinct)
    person, edges = _partition(comparator, scorer, found.edges, len(copies.originals), options)
    person, edges = _with_copies(copies, comparator, scorer, person, edges, options)
    watch.begin("")
    back = np.argsort(order)
    return Resolution(
        person=_first_rows(person[back]),
        edges=edges.renumbered(order),
        scorer=scorer.on([item.reordered(back) for item in fields]),
        candidates=len(found.candidates.left),
        rules=found.candidates.rules,
        windowed=found.candidates.windowed,
        estimated_blocking_recall=found.recall,
        seconds=watch.seconds,
    )


@dataclass(frozen=True)
class _Found:
    """Candidates with their scores, the model that gave these, and the share of true pairs among them."""

    candidates: Candidates
    edges: Edges
    model: Model
    recall: float | None
    all_pairs: bool

    def is_enough(self, enough_recall: float) -> bool:
        """Whether more candidates would hardly find more true pairs."""
        return self.all_pairs or (self.recall is not None and self.recall >= enough_recall)


def _find(comparator: Comparator, rows: int, width: Width, model: Model | None, watch: _Watch) -> _Found:
    """Block, compare, train unless a model is given, and score."""
    watch.begin("candidates")
    found = find_candidates(comparator.fields, rows, width) if comparator.fields else _no_candidates()
    watch.begin("compare")
    levels = comparator.compare(found.left, found.right)
    watch.begin("train")
    model = model or _train(comparator, levels, rows)
    watch.begin("score")
    edges = _score(Scorer(model, comparator.fields), levels, found.left, found.right)
    recall = found.estimated_recall(edges.probability.astype(np.float32))
    return _Found(found, edges, model, recall, len(found.left) == rows * (rows - 1) // 2)


def canonical_order(fields: Sequence[Field], rows: int) -> Rows:
    """Row numbers in an order that depends on what the records say, not on how they came.

    Sampling and ties then fall alike whatever the order of the input, and so do the persons.
    """
    mixed = np.zeros(rows, dtype=np.uint64)
    for item in fields:
        hashes = np.fromiter((crc32(v.encode()) for v in item.values), np.uint64, len(item.values))
        hashes = np.append(hashes * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1), np.uint64(0))
        for codes in item.codes.T:
            mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9) + hashes[codes]
    return np.argsort(mixed, kind="stable")


def _with_copies(
    copies: Copies,
    comparator: Comparator,
    scorer: Scorer,
    person: npt.NDArray[np.int64],
    edges: Edges,
    options: Options,
) -> tuple[npt.NDArray[np.int64], Edges]:
    """Persons and edges of all records: a copy joins its original if that would match itself."""
    original = np.flatnonzero(copies.counted)
    left, right = copies.originals[original].repeat(copies.counted[original]), copies.copies
    among = original.repeat(copies.counted[original])
    selves = _score(scorer, comparator.compare(among, among), among, among)
    whole = np.arange(len(copies.originals) + len(copies.copies))
    whole[copies.originals] = copies.originals[person]
    joins = selves.odds_bits > options.cut_bits
    whole[right[joins]] = whole[left[joins]]
    edges = edges.renumbered(copies.originals)
    return whole, edges.joined(_keep(replace(selves, left=left, right=right), joins))


def _first_rows(label: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The same partition, each person labelled by the smallest of its row numbers."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.asarray(first[inverse], dtype=np.int64)


def _no_candidates() -> Candidates:
    nothing = np.empty(0, dtype=np.int64)
    return Candidates(nothing, nothing, nothing, {}, 0)


def check_fit(model: Model, fields: Sequence[Field]) -> None:
    """Raise InvalidInput unless the model was trained on fields of the same names and kinds."""
    wanted = [(learned.name, learned.kind) for learned in model.fields]
    present = [(item.name, item.kind.value) for item in fields]
    if wanted != present:
        raise InvalidInput(
            f"the model was trained on the fields {_names(wanted)}; these records have {_names(present)}",
            hint="Use a model trained on the same fields, or leave the model out to train one.",
        )


def _names(fields: Sequence[tuple[str, str]]) -> str:
    return ", ".join(name for name, _ in fields) or "none"


def _train(comparator: Comparator, levels: Levels, rows: int) -> Model:
    kinds = tuple(item.kind for item in comparator.fields)
    patterns = Patterns.of(levels, kinds)
    return train(patterns, _evidence(comparator, rows))


def _random_pairs(rows: int) -> tuple[Rows, Rows]:
    """Pairs of different rows drawn at random; all pairs where they are no more than would be drawn."""
    if rows * (rows - 1) // 2 <= _RANDOM_PAIRS:
        left, right = np.triu_indices(rows, 1)
    else:
        generator = np.random.default_rng(rows)
        left, right = generator.integers(0, rows, (2, _RANDOM_PAIRS))
    return left[left != right], right[left != right]


def _evidence(comparator: Comparator, rows: int) -> Evidence:
    """Level shares among random pairs: exact agreement from value frequencies, the rest from a sample."""
    levels = comparator.compare(*_random_pairs(rows))
    random, present = [], []
    for item, row in zip(comparator.fields, levels, strict=True):
        size = level_count(item.kind) - 1
        counts = np.bincount(row, minlength=size + 1)[1:].astype(np.float64) + 0.5
        filled = float(item.filled.sum())
        agreeing = float((item.counts * (item.counts - 1.0)).sum()) / max(filled * (filled - 1.0), 1.0)
        exact = float(np.clip(agreeing, 0.5 / max(filled * filled, 1.0), most_by_chance(item.kind)))
        counts[:-1] *= (1.0 - exact) / counts[:-1].sum()
        counts[-1] = exact
        random.append(counts)
        present.append(max(filled * (filled - 1.0), 1.0) / max(rows * (rows - 1.0), 1.0))
    return Evidence(
        tuple(item.kind for item in comparator.fields),
        tuple(item.name for item in comparator.fields),
        tuple(random),
        tuple(present),
        max(rows * (rows - 1.0) / 2, 1.0),
        rows,
    )


def _score(scorer: Scorer, levels: Levels, left: Rows, right: Rows) -> Edges:
    scores = scorer.score(levels, left, right)
    return Edges(left, right, levels, scores.weight_bits, scores.odds_bits)


def _keep(edges: Edges, mask: npt.NDArray[np.bool_]) -> Edges:
    return Edges(
        edges.left[mask],
        edges.right[mask],
        edges.levels[:, mask],
        edges.weight_bits[mask],
        edges.odds_bits[mask],
    )


def _partition(
    comparator: Comparator, scorer: Scorer, edges: Edges, rows: int, options: Options
) -> tuple[npt.NDArray[np.int64], Edges]:
    """Score every pair inside loose components, then link by average."""
    edges = _keep(edges, edges.odds_bits > options.loose_bits)
    label = components(rows, edges.left, edges.right)
    left, right = pairs_within(label, options.largest)
    scored = _score(scorer, comparator.compare(left, right), left, right)
    sizes = np.bincount(label, minlength=rows)[label]
    rest = _keep(edges, (sizes[edges.left] < 3) | (sizes[edges.left] > options.largest))
    everything = rest.joined(scored)
    odds = np.clip(everything.odds_bits, -options.clip_bits, options.clip_bits).astype(np.float64)
    odds[conflicts(comparator.fields, everything)] = FORBIDDEN
    person = average_linkage(
        rows,
        everything.left,
        everything.right,
        odds,
        cut_bits=options.cut_bits,
        unscored_bits=options.unscored_bits,
    )
    together = person[everything.left] == person[everything.right]
    return person, _keep(everything, together | (everything.odds_bits > options.kept_bits))


def conflicts(fields: Sequence[Field], edges: Edges) -> npt.NDArray[np.bool_]:
    """Pairs with two national ids that both pass their check digit and differ by more than slips.

    Two valid ids a slip or two apart are more often one id mistyped than two people's.
    """
    result = np.zeros(len(edges.left), dtype=bool)
    for item, levels in zip(fields, edges.levels, strict=True):
        if item.scheme is not None:
            valid = item.valid[item.codes[:, 0]]
            result |= valid[edges.left] & valid[edges.right] & (levels == DIFFERENT)
    return result
