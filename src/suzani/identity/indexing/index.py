"""All records of a bank in memory, to find one record's neighbours in, and what a change of it can reach.

Judged by what a full run learned, every pair has the weight and the chance to be found that the run would
give it. Records that say the same are one node, as in a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from suzani.identity.indexing.copies import Copies
from suzani.identity.indexing.growing import Growing, Table
from suzani.identity.indexing.pool import Codes, Pool, Standard
from suzani.identity.kernels import hashing, lookup, regions
from suzani.identity.kernels.levels import COUNT, levels_of
from suzani.identity.kernels.lookup import Blocks, Bounds, Marks, Nodes
from suzani.identity.kernels.regions import Around, Linked, Persons, Rulings
from suzani.identity.kernels.weights import Judge, Weights, field_bits, scores_of
from suzani.identity.learning.knowledge import Learned
from suzani.identity.models.comparisons import LABELS, Levels, Rows
from suzani.identity.pairs.blocking import block_as, keyed
from suzani.identity.pairs.matching import Pairs
from suzani.identity.pairs.nodes import find_nodes
from suzani.identity.pairs.packing import Packed, contents_of
from suzani.identity.pairs.partition import Constraints, Held, Options, partition
from suzani.identity.standardising.single import Recorder
from suzani.kernel import InvalidInput, Kind

_APART = np.uint64(0x9E3779B97F4A7C15)
Links = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Region:
    """What a change reaches: records, the cluster of each (named by one of its records), and the evidence
    between them: pairs of records, the lower first, and what each field adds (as `field_bits`)."""

    record_id: Rows
    cluster: Rows
    edges: Pairs
    bits: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Probe:
    """A record looked up: the records with which it would be one person (`joins`), and each node that it can
    reach: its records, the odds of the pair, levels and bits by field (as `field_bits`)."""

    joins: list[int]
    records: list[list[int]]
    odds_bits: npt.NDArray[np.float64]
    levels: Levels
    bits: npt.NDArray[np.float64]


class Index:
    """Nodes (what records say) with their blocks, and the records of each."""

    def __init__(
        self, learned: Learned, packed: Packed, record_id: Rows, apart: Iterable[int] = (),
        options: Options | None = None,
    ) -> None:  # fmt: skip
        """`packed`: all records, standardised by the norms learned; `apart`: records that constraints name,
        each of which is a node of its own."""
        if learned.knowledge.plan is None:
            raise InvalidInput("so few records were learned from that there is nothing to look records up by")
        self.learned = learned
        self.labels = [(field.name, LABELS[Kind(field.kind)]) for field in learned.knowledge.model.fields]
        self.standardise = Recorder(learned.norms).read
        self.options = options = options or Options()
        self._bounds = Bounds(
            options.loose_bits, options.cut_bits, options.clip_bits, options.kept_bits, options.largest
        )
        self._apart = set(apart)
        rows = np.flatnonzero(np.isin(record_id, np.array(sorted(self._apart), dtype=np.int64)))
        found = find_nodes(packed, rows, record_id.astype(np.uint64))
        contents = packed.contents.copy()
        contents[rows] = _parted(contents[rows], record_id[rows])
        packed = keyed(packed.take(found.first), learned.knowledge.plan.rules)
        self._weights = learned.knowledge.weights(packed)
        blocked = block_as(packed, learned.knowledge.plan)
        self._rules = blocked.rules
        self._entries = np.concatenate([*blocked.entries, np.empty(0, np.uint64)])
        self._starts = np.cumsum([0, *map(len, blocked.entries)]).astype(np.int64)
        self.pool = Pool(learned, packed, self._weights.rarity)
        self._codes, self._keys = Growing(packed.codes), Growing(packed.keys)
        self._contents = Growing(contents[found.first])
        self._numbered = Table(self._contents.view, np.arange(packed.rows, dtype=np.int32))
        self._copies = Copies(record_id, found.of_row, packed.rows)
        self._alive = Growing(np.ones(packed.rows, dtype=bool))
        self._met, self._reached = (Growing(np.zeros(packed.rows, dtype=np.int64)) for _ in range(2))
        self._turn = np.zeros(1, dtype=np.int64)
        self._chains = Table(np.empty(0, np.uint64), np.empty(0, np.int32))
        self._chain_rows = Growing(np.empty(0, dtype=np.int32))
        self._chain_next = Growing(np.empty(0, dtype=np.int32))
        # What stays the same whatever comes; the rest has been copied into arrays that grow.
        self._shape = replace(
            packed.take(np.empty(0, np.int64)), values=self.pool.values, hashes=self.pool.hashes[:0],
            counts=(),
        )  # fmt: skip

    def __len__(self) -> int:
        """Number of records."""
        return len(self._copies.node_of)

    def __contains__(self, record_id: int) -> bool:
        """Whether a record is in the index."""
        return record_id in self._copies.node_of

    def nodes_of(self, record_id: Rows) -> Rows:
        """The node of each record."""
        return np.array([self._copies.node_of[record] for record in record_id.tolist()], dtype=np.int64)

    def put(self, record_id: int, standard: Standard) -> None:
        """Let a record say this from now on; `standard` as `standardise_record` gives it."""
        self.put_all([record_id], [standard])

    def put_all(self, record_ids: Sequence[int], standards: Sequence[Standard]) -> None:
        """`put`, for many records, each named once."""
        if record_ids:
            self._place(record_ids, self.pool.codes_of(standards, keep=True))

    def warm_up(self) -> None:
        """Load every kernel that a record takes, so that the first one does not wait; changes nothing."""
        self.pool.warm_up()
        self._numbered.put(_NOTHING, _NONE)
        self._enter(self._codes.size)
        counts = self.pool.layout.table[:, COUNT].tolist()
        self.probe({name: ("",) * n for (name, _), n in zip(self.pool.fields, counts, strict=True)})
        someone = next(iter(self._copies.node_of), None)
        if someone is not None:
            self.resolve([someone], {})

    def part(self, record_id: int) -> None:
        """A constraint names the record: it is a node of its own from now on."""
        if record_id in self._apart:
            return
        self._apart.add(record_id)
        if record_id in self:
            self._place([record_id], self._codes.view[self.nodes_of(np.array([record_id]))])

    def remove(self, record_id: int) -> None:
        """Forget a record, if it is there."""
        node = self._copies.remove(record_id)
        if node is not None:
            self._alive.view[node] = bool(self._copies.of(node))

    def _place(self, record_ids: Sequence[int], codes: Codes) -> None:
        """Let each record stand at the node that says the same, a new one where there is none."""
        contents = self._contents_of(codes, record_ids)
        said, nodes = contents.tolist(), self._numbered.find(contents).tolist()
        unknown = [at for at, node in enumerate(nodes) if node == lookup.NONE]
        if unknown:
            first = self._codes.size
            fresh = {said[at]: at for at in reversed(unknown)}
            rows = sorted(fresh.values())
            self._append(codes[rows], contents[rows])
            self._enter(first)
            self._numbered.put(contents[rows], np.arange(first, first + len(rows), dtype=np.int32))
            numbers = {said[at]: node for node, at in enumerate(rows, first)}
            for at in unknown:
                nodes[at] = numbers[said[at]]
        for record, at in zip(record_ids, nodes, strict=True):
            if self._copies.node_of.get(record) != at:
                self.remove(record)
                self._copies.add(record, at)
                self._alive.view[at] = True

    def _contents_of(self, codes: Codes, record_ids: Sequence[int]) -> npt.NDArray[np.uint64]:
        contents = contents_of(self.pool.fields, self.pool.layout, codes, self.pool.hashes)
        apart = [at for at, record in enumerate(record_ids) if record in self._apart]
        if apart:
            contents[apart] = _parted(contents[apart], np.array([record_ids[at] for at in apart]))
        return contents

    def _append(self, codes: Codes, contents: npt.NDArray[np.uint64]) -> None:
        """New nodes, in no block yet."""
        rows = len(codes)
        keys = hashing.hash_keys(self._shape.makers.table, codes, self.pool.hashes, self.pool.values.form)
        for array, added in (
            (self._codes, codes), (self._keys, keys), (self._contents, contents),
            (self._alive, np.ones(rows, dtype=bool)), (self._met, np.zeros(rows, dtype=np.int64)),
            (self._reached, np.zeros(rows, dtype=np.int64)),
        ):  # fmt: skip
            array.extend(added)
        self._copies.extend(rows)

    def _drop(self, first: int) -> None:
        """Take back the nodes from this one on, which are in no block."""
        for array in (self._codes, self._keys, self._contents, self._alive, self._met, self._reached):
            array.cut(first)
        self._copies.cut(first)

    def _enter(self, first: int) -> None:
        """Put the nodes from this one on into their blocks."""
        hashes, nodes = lookup.block_hashes(first, self._rules, self._keys.view)
        self._chain_next.extend(self._chains.chain(hashes, self._chain_rows.size))
        self._chain_rows.extend(nodes)

    def scored(self, a: Rows, b: Rows) -> Pairs:
        """Pairs of nodes, scored as a run scores them: in the order of contents."""
        contents = self._contents.view
        swap = contents[a] > contents[b]
        left, right = np.where(swap, b, a), np.where(swap, a, b)
        layout, values, weights = self._judge
        levels = levels_of(layout, values, self._codes.view, left, right)
        return Pairs(left, right, scores_of(weights, layout, levels, self._codes.view, left, right), levels)

    @property
    def weights(self) -> Weights:
        """The weights of all values."""
        return self._weights._replace(rarity=self.pool.rarity)

    @property
    def _judge(self) -> Judge:
        return Judge(self.pool.layout, self.pool.values, self.weights)

    @property
    def _found_by(self) -> tuple[Blocks, Nodes, Judge, Bounds, Marks]:
        """Everything that the kernels of `lookup` read; valid until the next addition."""
        chained = self._chains.keys, self._chains.numbers, self._chain_rows.view, self._chain_next.view
        nodes = Nodes(self._codes.view, self._keys.view, self._contents.view, self._alive.view)
        return (
            Blocks(self._rules, self._entries, self._starts, *chained), nodes, self._judge, self._bounds,
            Marks(self._met.view, self._reached.view, self._turn),
        )  # fmt: skip

    def _reach(self, record_ids: Iterable[int], joined: Mapping[int, Sequence[int]]) -> Around:
        """The nodes that are connected with records, loosely or by what `joined` says (record → records that
        must be looked at with it)."""
        node_of = self._copies.node_of
        seeds = {node_of[record] for record in record_ids if record in node_of}
        while True:
            found = regions.around(_sorted(seeds), *self._found_by)
            nodes = found.nodes.tolist()
            held = (record for node in nodes for record in self._copies.of(node))
            others = {node_of[one] for record in held for one in joined.get(record, ()) if one in node_of}
            if others <= set(nodes):
                return found
            seeds |= others

    def probe(self, standard: Standard) -> Probe:
        """What a record that says this would meet; nothing of it stays in the index."""
        mark, node = self.pool.mark(), self._codes.size
        codes = self.pool.codes_of([standard], keep=False)
        self._append(codes, self._contents_of(codes, ()))
        try:
            return self._probed(node)
        finally:
            self._drop(node)
            self.pool.forget(mark)

    def _probed(self, node: int) -> Probe:
        """The node appended last stands in no block: it finds others, but no other finds it."""
        nodes, found, bits, own, selves = regions.probe(node, *self._found_by)
        if len(found.label) < len(nodes):
            return self._probed_in_crowd(node, nodes)
        held = [self._copies.of(other) for other in nodes.tolist()]
        joins = np.flatnonzero(found.label == found.label[own])
        one = [
            record
            for at in joins.tolist()
            for record in (held[at] if selves[at] > self._bounds.cut else held[at][:1])
        ]
        others = (found.left + found.right - own).tolist()
        return Probe(one, [held[at] for at in others], found.odds, found.levels, bits)

    def _probed_in_crowd(self, node: int, nodes: Rows) -> Probe:
        """A node that reaches so many that not all their pairs are scored."""
        self._copies.add(_PROBE, node)
        try:
            region = self.resolve([_PROBE], {})
        finally:
            self._copies.remove(_PROBE)
        own = region.cluster[region.record_id == _PROBE]
        others = nodes[nodes != node]
        pairs = self.scored(np.full(len(others), node), others)
        layout, _, weights = self._judge
        bits = field_bits(weights, layout, pairs.levels, self._codes.view, pairs.left, pairs.right)
        joins = region.record_id[(region.cluster == own) & (region.record_id != _PROBE)].tolist()
        held = [self._copies.of(other) for other in others.tolist()]
        return Probe(joins, held, pairs.odds_bits, pairs.levels, np.asarray(bits))

    def resolve(
        self, record_ids: Iterable[int], joined: Mapping[int, Sequence[int]], must: Links = (),
        cannot: Links = (),
    ) -> Region:  # fmt: skip
        """Persons among all records that a change of these records can reach.

        The very persons that a full run with the same knowledge finds. `must` and `cannot`: pairs of
        records, all of which must have been named as apart.
        """
        copies = self._copies
        if joined or must or cannot:
            found = self._reach(record_ids, joined)
        else:
            seeds = {copies.node_of[record] for record in record_ids if record in copies.node_of}
            found, persons = regions.resolve(_sorted(seeds), *self._found_by, copies.first, copies.many)
            if len(persons.named) == len(found.nodes):
                return _region(copies.first[found.nodes], persons)
        constraints = Constraints(self._places(must, found.nodes), self._places(cannot, found.nodes))
        record_id, starts = copies.listed(found.nodes)
        held = Held.of(len(found.nodes), constraints)
        persons = regions.persons_among(
            _with(found, constraints.must), Rulings(held.together, held.cannot), self._codes.view,
            self._judge, self._bounds, record_id, starts,
        )  # fmt: skip
        if len(persons.named) < len(record_id):
            linked, codes = self._linked_crowd(found, constraints), self._codes.view[found.nodes]
            persons = regions.persons_of(linked, codes, self._judge, self._bounds, record_id, starts)
        return _region(record_id, persons)

    def _linked_crowd(self, found: Around, constraints: Constraints) -> Linked:
        """Where a component is so large that not all its pairs are scored: as a run does it."""
        nodes, left, right = found
        scored = self.scored(nodes[left], nodes[right])
        pairs = Pairs(np.minimum(left, right), np.maximum(left, right), scored.odds_bits, scored.levels)
        parted = partition(self.packed(nodes), self.weights, pairs, constraints, self.options)
        edges = parted.edges
        return Linked(parted.person, edges.left, edges.right, edges.odds_bits, edges.levels)

    def _places(self, pairs: Links, nodes: Rows) -> tuple[Rows, Rows]:
        """Pairs of records as places among nodes; those with a record outside are left out."""
        if not pairs:
            return _NOBODY, _NOBODY
        place = {node: at for at, node in enumerate(nodes.tolist())}
        node_of = self._copies.node_of
        found = [(node_of.get(a, -1), node_of.get(b, -1)) for a, b in pairs]
        rows = [(place[a], place[b]) for a, b in found if a in place and b in place and a != b]
        table = np.array(rows, dtype=np.int64).reshape(-1, 2)
        return table[:, 0].copy(), table[:, 1].copy()

    def everyone(self) -> tuple[Rows, Packed]:
        """All records, and what they say: values that later additions bring are not in it."""
        record_id = np.array(sorted(self._copies.node_of), dtype=np.int64)
        return record_id, self.packed(self.nodes_of(record_id))

    def packed(self, nodes: Rows) -> Packed:
        """Some nodes as packed records."""
        return replace(
            self._shape, values=self.pool.values, codes=self._codes.view[nodes], hashes=self.pool.hashes,
            contents=self._contents.view[nodes],
        )  # fmt: skip


def _sorted(nodes: Iterable[int]) -> Rows:
    return np.array(sorted(nodes), dtype=np.int64)


def _region(record_id: Rows, persons: Persons) -> Region:
    edges = Pairs(persons.a, persons.b, persons.odds, persons.levels)
    return Region(record_id, persons.named, edges, persons.bits)


def _with(found: Around, pairs: tuple[Rows, Rows]) -> Around:
    """What was found, and more pairs."""
    if not len(pairs[0]):
        return found
    left, right = (np.concatenate(sides) for sides in zip(found[1:], pairs, strict=True))
    return Around(found.nodes, left, right)


_NOBODY = np.empty(0, dtype=np.int64)
_NOTHING, _NONE = np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int32)
_PROBE = -2
"""The record id of what is only looked up."""


def _parted(contents: npt.NDArray[np.uint64], record_id: Rows) -> npt.NDArray[np.uint64]:
    """What tells records that constraints name apart from others that say the same; as `find_nodes` does."""
    return np.asarray(contents ^ ((record_id.astype(np.uint64) + np.uint64(1)) * _APART))
