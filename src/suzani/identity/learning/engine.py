"""Batch resolution: fields → packed records → candidates → model → odds → persons, on arrays alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels.copies import clusters
from suzani.identity.kernels.weights import Weights, scores_of
from suzani.identity.learning import sampling
from suzani.identity.learning.choosing import choose
from suzani.identity.learning.estimates import Estimate, Found, probability
from suzani.identity.learning.estimating import estimated_quality, expected_pairs
from suzani.identity.learning.knowledge import Knowledge
from suzani.identity.learning.sampling import Sample
from suzani.identity.learning.training import Told, train_on
from suzani.identity.models.comparisons import Rows
from suzani.identity.models.model import Model
from suzani.identity.pairs import blocking, matching
from suzani.identity.pairs.blocking import Rule
from suzani.identity.pairs.matching import Pairs
from suzani.identity.pairs.nodes import Nodes, find_nodes, spread
from suzani.identity.pairs.packing import Packed, pack
from suzani.identity.pairs.partition import Constraints, Options, Partition, partition
from suzani.identity.pairs.scoring import weights_of
from suzani.identity.standardising.fields import Field
from suzani.kernel import InvalidInput

Progress = Callable[[str], None]

ALL_PAIRS_BELOW = 50
"""Up to this many records every pair is compared."""


@dataclass(frozen=True)
class Judged:
    """The records of a run and the weights of their pairs: what was scored is what is explained."""

    records: Packed
    weights: Weights


@dataclass(frozen=True)
class Resolution:
    """The outcome: `person[i]` is the smallest row number of row i's person; the evidence; and a report.

    `edges` are pairs of rows whose weights `judged` explains. `lost` pairs were in blocks that stayed too
    large however refined. `estimate` is the quality over pairs of records; None without any evidence.
    """

    person: npt.NDArray[np.int64]
    edges: Pairs
    judged: Judged
    knowledge: Knowledge
    candidates: int
    rules: dict[str, int]
    lost: int
    estimated_blocking_recall: float | None
    estimate: Estimate | None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        """The model that was trained or given."""
        return self.knowledge.model

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
    knowledge: Knowledge | None = None,
    constraints: Constraints | None = None,
    numbers: npt.NDArray[np.uint64] | None = None,
    options: Options | None = None,
    progress: Progress = lambda phase: None,
) -> Resolution:
    """Persons among `rows` records described by `fields`; trains a model unless one is given.

    With `knowledge` of an earlier run nothing is learned: each pair is judged as it was then. `numbers` tell
    the rows apart for good (their own numbers unless given). Deterministic: the same records give the same
    persons in any order. Raises InvalidInput when a given model does not fit the fields.
    """
    options = options or Options()
    watch = _Watch(progress)
    watch.begin("pack")
    given = knowledge.model if knowledge else model
    if given is not None:
        check_fit(given, fields)
    records = pack(fields, rows, knowledge.words if knowledge else None)
    constraints = constraints or Constraints.none()
    numbers = np.arange(rows, dtype=np.uint64) if numbers is None else numbers
    watch.begin("copies")
    nodes = find_nodes(records, constraints.rows, numbers)
    packed = records.take(nodes.first)
    held = constraints.on(nodes.of_row)
    told = Told(held.must, held.cannot)
    found = _find(packed, nodes, given, knowledge, told, options, watch)
    watch.begin("partition")
    parted = partition(packed, found.weights, found.loose, held, options)
    person, edges = _of_rows(packed, nodes, found.weights, parted, options)
    person = _first_rows(person)
    watch.begin("estimate")
    beyond = found.beyond(parted)
    quality = estimated_quality(
        records, person, edges, found.expected, beyond, found.knowledge.model, options
    )
    watch.begin("")
    return Resolution(
        person=person,
        edges=edges,
        judged=Judged(records, found.weights),
        knowledge=found.knowledge,
        candidates=sum(found.rules.values()) if found.rules else packed.rows * (packed.rows - 1) // 2,
        rules=found.rules,
        lost=found.lost,
        estimated_blocking_recall=found.recall,
        estimate=quality if len(fields) else None,
        seconds=watch.seconds,
    )


@dataclass(frozen=True)
class _Found:
    """The candidates above the loose bound and how they were weighed; how many new ones each rule gave
    (nothing when all pairs were compared), the true pairs expected among them, the share of all true pairs
    that these are, and pairs lost in blocks that stayed too large."""

    loose: Pairs
    weights: Weights
    knowledge: Knowledge
    rules: dict[str, int]
    expected: Found
    recall: float | None = None
    lost: int = 0

    def beyond(self, parted: Partition) -> int:
        """How many pairs inside persons no rule had found."""
        inside, found = (
            int(np.count_nonzero(parted.person[pairs.left] == parted.person[pairs.right]))
            for pairs in (parted.edges, self.loose)
        )
        return max(inside - found, 0) if self.rules else 0


def _find(
    packed: Packed, nodes: Nodes, model: Model | None, knowledge: Knowledge | None, told: Told,
    options: Options, watch: _Watch,
) -> _Found:  # fmt: skip
    """Block and score; train unless a model is given."""
    if knowledge is not None:
        return _found_as_known(packed, knowledge, options, watch)
    if packed.rows <= ALL_PAIRS_BELOW and options.rules is None:
        return _found_among_all(packed, nodes, model, told, options, watch)
    if model is not None and options.rules is not None:
        return _found_by_rules(packed, weights_of(model, packed), model, options.rules, options, watch)
    watch.begin("train")
    sample = sampling.draw(packed, options.rules)
    model = model or train_on(packed, nodes, sample, told)
    weights = weights_of(model, packed)
    rules = options.rules if options.rules is not None else _worthwhile(packed, weights, sample, options)
    return _found_by_rules(packed, weights, model, rules, options, watch)


def _worthwhile(packed: Packed, weights: Weights, sample: Sample, options: Options) -> list[Rule]:
    """The rules that find true pairs which others do not: pairs that would be joined."""
    odds = scores_of(weights, packed.layout, sample.levels, packed.codes, sample.left, sample.right)
    true = np.where(odds > options.cut_bits, sample.pairs * probability(odds), 0.0)
    return [sample.rules[r] for r in choose(sample.finders, sample.pairs, true, packed.rows)]


def _found_by_rules(
    packed: Packed, weights: Weights, model: Model, rules: Sequence[Rule], options: Options, watch: _Watch
) -> _Found:
    """Block by rules and score."""
    watch.begin("block")
    largest = blocking.largest_block(packed.rows, told=options.rules is not None)
    blocked = blocking.block(blocking.keyed(packed, rules), rules, largest)
    known = Knowledge.of(packed, model, blocked.plan)
    watch.begin("score")
    found = matching.candidates(packed, blocked, weights, options.loose_bits)
    expected = expected_pairs(found.pairs, found.found_by)
    return _Found(found.pairs, weights, known, found.by_rule, expected, expected.recall, blocked.lost)


def _found_among_all(
    packed: Packed, nodes: Nodes, model: Model | None, told: Told, options: Options, watch: _Watch
) -> _Found:
    """Few records: every pair is compared."""
    watch.begin("train")
    sample = Sample.every_pair(packed)
    model = model or train_on(packed, nodes, sample, told)
    watch.begin("score")
    weights = weights_of(model, packed)
    pairs = matching.score(packed, weights, sample.left, sample.right)
    loose = pairs.where(pairs.odds_bits > options.loose_bits)
    return _Found(loose, weights, Knowledge.of(packed, model, None), {}, expected_pairs(loose, None))


def _found_as_known(packed: Packed, knowledge: Knowledge, options: Options, watch: _Watch) -> _Found:
    """Nothing is learned: every pair is judged as the run did that the knowledge comes from."""
    watch.begin("block")
    weights = knowledge.weights(packed)
    if knowledge.plan is None:
        left, right = map(np.asarray, np.triu_indices(packed.rows, 1))
        pairs = matching.score(packed, weights, left, right)
        loose = pairs.where(pairs.odds_bits > options.loose_bits)
        return _Found(loose, weights, knowledge, {}, expected_pairs(loose, None))
    blocked = blocking.block_as(blocking.keyed(packed, knowledge.plan.rules), knowledge.plan)
    watch.begin("score")
    found = matching.candidates(packed, blocked, weights, options.loose_bits)
    expected = expected_pairs(found.pairs, found.found_by)
    return _Found(found.pairs, weights, knowledge, found.by_rule, expected, lost=blocked.lost)


def _of_rows(
    packed: Packed, nodes: Nodes, weights: Weights, parted: Partition, options: Options
) -> tuple[Rows, Pairs]:
    """Persons and edges of all rows: a copy joins the first of its node if that would match itself."""
    if not len(nodes.copied):
        return nodes.first[parted.person[nodes.of_row]], parted.edges.on(nodes.first)
    selves = matching.score(packed, weights, nodes.copied, nodes.copied)
    odds = np.zeros(len(nodes.first))
    odds[nodes.copied] = selves.odds_bits
    starts = np.append(0, np.cumsum(nodes.sizes))
    person = np.empty(len(nodes.of_row), dtype=np.int64)
    person[nodes.members] = clusters(parted.person, odds, options.cut_bits, nodes.members, starts)
    joins = selves.where(selves.odds_bits > options.cut_bits)
    return person, spread(parted.edges, joins, nodes.members, starts)


def _first_rows(label: Rows) -> Rows:
    """The same partition, each person labelled by the smallest of its row numbers."""
    first = np.empty(len(label), dtype=np.int64)
    # Of all rows with a label the last to be written is the smallest.
    first[label[::-1]] = np.arange(len(label))[::-1]
    return first[label]


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
