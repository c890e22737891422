"""All records of a bank in memory, to find one record's neighbours in, and what a change of it can reach.

Judged by what a full run learned, every pair has the weight and the chance to be found that the run would
give it. Records that say the same are one node, as in a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.blocking import block_as
from suzani.identity.comparisons import Rows
from suzani.identity.growing import Growing, Table
from suzani.identity.kernels import hashing, lookup
from suzani.identity.kernels.levels import levels_of
from suzani.identity.kernels.weights import Weights, field_bits, scores_of
from suzani.identity.knowledge import Learned
from suzani.identity.matching import Pairs
from suzani.identity.nodes import find_nodes, spread
from suzani.identity.packing import Packed, contents_of
from suzani.identity.partition import Constraints, Options, partition
from suzani.identity.pool import Pool
from suzani.kernel import InvalidInput

_APART = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Region:
    """What a change reaches: records, the cluster of each (named by one of its records), and the evidence
    between them as pairs of positions in `record_id`."""

    record_id: Rows
    cluster: Rows
    edges: Pairs


PROBE = -1
"""The record id of what is only looked up."""


@dataclass(frozen=True)
class Probe:
    """A record looked up: the persons that would come of it (`region`, in which it is called PROBE), and each
    node that it can reach: its records, the odds of the pair, levels and bits by field (as `field_bits`)."""

    region: Region
    records: list[tuple[int, ...]]
    odds_bits: npt.NDArray[np.float64]
    levels: npt.NDArray[np.uint8]
    bits: npt.NDArray[np.float64]

    @property
    def joins(self) -> list[int]:
        """The records with which it would be one person."""
        ids, cluster = self.region.record_id, self.region.cluster
        own = cluster[ids == PROBE]
        return [record for record in ids[np.isin(cluster, own)].tolist() if record != PROBE]


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
        self.options = options or Options()
        self._apart = set(apart)
        rows = np.flatnonzero(np.isin(record_id, np.array(sorted(self._apart), dtype=np.int64)))
        nodes = find_nodes(packed, rows, record_id.astype(np.uint64))
        contents = packed.contents.copy()
        contents[rows] = _parted(contents[rows], record_id[rows])
        packed = packed.take(nodes.first)
        self._packed = packed
        self._weights = learned.knowledge.weights(packed)
        blocked = block_as(packed, learned.knowledge.plan)
        self._rules = blocked.rules
        self._entries = np.concatenate([*blocked.entries, np.empty(0, np.uint64)])
        self._starts = np.cumsum([0, *map(len, blocked.entries)]).astype(np.int64)
        self.pool = Pool(learned, packed)
        self._codes, self._keys = Growing(packed.codes), Growing(packed.keys)
        self._contents = Growing(contents[nodes.first])
        self._numbered = Table(self._contents.view, np.arange(packed.rows, dtype=np.int32))
        self._records: list[list[int]] = [[] for _ in range(packed.rows)]
        self._node_of: dict[int, int] = {}
        for record, node in zip(record_id.tolist(), nodes.of_row.tolist(), strict=True):
            self._records[node].append(record)
            self._node_of[record] = node
        self._alive = Growing(np.ones(packed.rows, dtype=bool))
        self._met, self._turn = np.zeros(packed.rows + 1, dtype=np.int64), 0
        self._chains = Table(np.empty(0, np.uint64), np.empty(0, np.int32))
        self._chain_rows = Growing(np.empty(0, dtype=np.int32))
        self._chain_next = Growing(np.empty(0, dtype=np.int32))

    def __len__(self) -> int:
        """Number of records."""
        return len(self._node_of)

    def __contains__(self, record_id: int) -> bool:
        """Whether a record is in the index."""
        return record_id in self._node_of

    def records_like(self, record_id: int) -> list[int]:
        """The records that say the very same, itself included."""
        return list(self._records[self._node_of[record_id]])

    def nodes_of(self, record_id: Rows) -> Rows:
        """The node of each record."""
        return np.array([self._node_of[record] for record in record_id.tolist()], dtype=np.int64)

    def put(self, record_id: int, standard: Mapping[str, Sequence[str]], *, apart: bool = False) -> None:
        """Let a record say this from now on; `standard` as `standardise_record` gives it."""
        if apart:
            self._apart.add(record_id)
        codes = self.pool.codes_of(standard, keep=True)
        contents = self._content(codes, record_id if record_id in self._apart else None)
        node = int(self._numbered.find(contents)[0])
        if self._node_of.get(record_id) == node != lookup.NONE:
            return
        self.remove(record_id)
        if node == lookup.NONE:
            node = self._append(codes, contents)
            self._numbered.put(contents, np.array([node], dtype=np.int32))
            self._enter(node)
        self._records[node].append(record_id)
        self._records[node].sort()
        self._node_of[record_id] = node
        self._alive.view[node] = True

    def part(self, record_id: int) -> None:
        """A constraint names the record: it is a node of its own from now on."""
        if record_id in self._apart or record_id not in self._node_of:
            self._apart.add(record_id)
            return
        self._apart.add(record_id)
        old = self._node_of[record_id]
        codes = self._codes.view[old].copy()
        self.remove(record_id)
        contents = self._content(codes, record_id)
        node = self._append(codes, contents)
        self._numbered.put(contents, np.array([node], dtype=np.int32))
        self._enter(node)
        self._records[node].append(record_id)
        self._node_of[record_id] = node

    def remove(self, record_id: int) -> None:
        """Forget a record, if it is there."""
        node = self._node_of.pop(record_id, None)
        if node is not None:
            self._records[node].remove(record_id)
            self._alive.view[node] = bool(self._records[node])

    def _content(self, codes: npt.NDArray[np.int32], apart: int | None) -> npt.NDArray[np.uint64]:
        contents = contents_of(self.pool.fields, self.pool.layout, codes[None], self.pool.hashes)
        return contents if apart is None else _parted(contents, np.array([apart]))

    def _append(self, codes: npt.NDArray[np.int32], contents: npt.NDArray[np.uint64]) -> int:
        """A new node, in no block yet."""
        self._codes.extend(codes[None])
        table = self._packed.makers.table
        self._keys.extend(hashing.hash_keys(table, codes[None], self.pool.hashes, self.pool.values.form))
        self._contents.extend(contents)
        self._alive.extend(np.ones(1, dtype=bool))
        self._records.append([])
        if self._codes.size >= len(self._met):
            self._met = np.concatenate([self._met, np.zeros_like(self._met)])
        return self._codes.size - 1

    def _drop_last(self) -> None:
        """Take back the node appended last, which is in no block."""
        for array in (self._codes, self._keys, self._contents, self._alive):
            array.cut(array.size - 1)
        self._records.pop()

    def _enter(self, node: int) -> None:
        """Put a node into its blocks."""
        hashes = np.unique(lookup.block_hashes(node, self._rules, self._keys.view))
        heads = self._chains.find(hashes)
        links = np.arange(self._chain_rows.size, self._chain_rows.size + len(hashes), dtype=np.int32)
        self._chain_rows.extend(np.full(len(hashes), node, dtype=np.int32))
        self._chain_next.extend(heads)
        self._chains.put(hashes, links)

    def neighbours(self, node: int) -> Pairs:
        """The live nodes that share a block with a node and are near enough to be loosely connected."""
        self._turn += 1
        found = lookup.candidates(
            node, self._rules, self._keys.view, self._entries, self._starts, self._chains.keys,
            self._chains.numbers, self._chain_rows.view, self._chain_next.view, self._met, self._turn,
        )  # fmt: skip
        found = found[self._alive.view[found]]
        return self.scored(np.full(len(found), node), found, self.options.loose_bits)

    def scored(self, a: Rows, b: Rows, bound: float = -np.inf) -> Pairs:
        """Pairs of nodes with odds above a bound, scored as a run scores them: in the order of contents."""
        contents = self._contents.view
        swap = contents[a] > contents[b]
        left, right = np.where(swap, b, a), np.where(swap, a, b)
        codes = self._codes.view
        levels = levels_of(self._packed.layout, self.pool.values, codes, left, right)
        odds = scores_of(self.weights, self._packed.layout, levels, codes, left, right)
        return Pairs(left, right, odds, levels).where(np.flatnonzero(odds > bound))

    @property
    def weights(self) -> Weights:
        """The weights of all values."""
        return self._weights._replace(rarity=self.pool.rarity)

    def reach(self, record_ids: Iterable[int], joined: Mapping[int, Sequence[int]]) -> tuple[set[int], Pairs]:
        """The nodes that are connected with records, loosely or by what `joined` says (record → records that
        must be looked at with it), and the loose pairs among them."""
        return self._spread([self._node_of[r] for r in record_ids if r in self._node_of], joined)

    def _spread(self, waiting: list[int], joined: Mapping[int, Sequence[int]]) -> tuple[set[int], Pairs]:
        """`reach`, from nodes."""
        reached: set[int] = set()
        parts = []
        while waiting:
            node = waiting.pop()
            if node in reached:
                continue
            reached.add(node)
            near = self.neighbours(node)
            parts.append(near)
            waiting += near.left.tolist()
            waiting += near.right.tolist()
            for record in self._records[node]:
                waiting += [
                    self._node_of[other] for other in joined.get(record, ()) if other in self._node_of
                ]
        return reached, Pairs.joined(parts, len(self._packed.fields))

    def probe(self, standard: Mapping[str, Sequence[str]]) -> Probe:
        """What a record that says this would meet; nothing of it stays in the index."""
        mark = self.pool.mark()
        codes = self.pool.codes_of(standard, keep=False)
        node = self._append(codes, self._content(codes, None))
        try:
            self._records[node].append(PROBE)
            return self._probed(node)
        finally:
            self._drop_last()
            self.pool.forget(mark)

    def _probed(self, node: int) -> Probe:
        """The node appended last stands in no block: it finds others, but no other finds it."""
        loose = self.neighbours(node)
        reached, waiting, parts = {node}, [*loose.left.tolist(), *loose.right.tolist()], [loose]
        others, more = self._spread([other for other in waiting if other != node], {})
        reached |= others
        region = self._region(reached, Pairs.joined([*parts, more], len(self._packed.fields)), (), ())
        everyone = np.array(sorted(others), dtype=np.int64)
        pairs = self.scored(np.full(len(everyone), node), everyone)
        other = np.where(pairs.left == node, pairs.right, pairs.left)
        packed = self._packed
        bits = field_bits(
            self.weights, packed.layout, pairs.levels, self._codes.view, pairs.left, pairs.right
        )
        records = [tuple(self._records[n]) for n in other.tolist()]
        return Probe(region, records, pairs.odds_bits, pairs.levels, np.asarray(bits))

    def resolve(
        self, record_ids: Iterable[int], joined: Mapping[int, Sequence[int]],
        must: Sequence[tuple[int, int]] = (), cannot: Sequence[tuple[int, int]] = (),
    ) -> Region:  # fmt: skip
        """Persons among all records that a change of these records can reach.

        The very persons that a full run with the same knowledge finds. `must` and `cannot`: pairs of
        records, all of which must have been named as apart.
        """
        reached, loose = self.reach(record_ids, joined)
        return self._region(reached, loose, must, cannot)

    def _region(
        self, reached: Iterable[int], loose: Pairs, must: Sequence[tuple[int, int]],
        cannot: Sequence[tuple[int, int]],
    ) -> Region:  # fmt: skip
        nodes = np.array(sorted(reached), dtype=np.int64)
        nodes = nodes[np.argsort(self._contents.view[nodes], kind="stable")]
        place = {node: at for at, node in enumerate(nodes.tolist())}
        by_number = np.argsort(nodes)
        once = np.unique(loose.left << 32 | loose.right, return_index=True)[1]
        constraints = Constraints(self._rows(must, place), self._rows(cannot, place))
        loose = loose.where(once)
        left, right = (
            by_number[np.searchsorted(nodes, side, sorter=by_number)] for side in (loose.left, loose.right)
        )
        swap = left > right
        loose_rows = Pairs(
            np.where(swap, right, left), np.where(swap, left, right), loose.odds_bits, loose.levels
        )
        parted = partition(self.packed(nodes), self.weights, loose_rows, constraints, self.options)
        return self._of_records(nodes, parted.person, parted.edges)

    def _rows(self, pairs: Sequence[tuple[int, int]], place: Mapping[int, int]) -> tuple[Rows, Rows]:
        """Pairs of records as rows of a region; those with a record outside are left out."""
        found = [(self._node_of.get(a, -1), self._node_of.get(b, -1)) for a, b in pairs]
        rows = [(place[a], place[b]) for a, b in found if a in place and b in place and a != b]
        table = np.array(rows, dtype=np.int64).reshape(-1, 2)
        return table[:, 0].copy(), table[:, 1].copy()

    def _of_records(self, nodes: Rows, person: Rows, edges: Pairs) -> Region:
        """Persons and evidence of the records of nodes: a copy joins the first if that would match itself."""
        records = [self._records[node] for node in nodes.tolist()]
        sizes = np.array([len(held) for held in records], dtype=np.int64)
        starts = np.cumsum([0, *sizes]).astype(np.int64)
        record_id = np.array([record for held in records for record in held], dtype=np.int64)
        node_of = np.repeat(np.arange(len(nodes)), sizes)
        copied = np.flatnonzero(sizes > 1)
        selves = self.scored(nodes[copied], nodes[copied])
        cluster = record_id[starts[person[node_of]]]
        alone = np.isin(node_of, copied[selves.odds_bits <= self.options.cut_bits])
        alone[starts[:-1]] = False
        cluster[alone] = record_id[alone]
        joins = selves.odds_bits > self.options.cut_bits
        selves = Pairs(copied, copied, selves.odds_bits, selves.levels).where(joins)
        edges = spread(edges, selves, np.arange(len(record_id)), starts)
        return Region(record_id, cluster, edges)

    def packed(self, nodes: Rows) -> Packed:
        """Some nodes as packed records."""
        whole = self._packed
        return Packed(
            whole.fields, whole.layout, self.pool.values, self._codes.view[nodes], self.pool.hashes,
            self._contents.view[nodes], whole.counts, whole.filled, self._keys.view[nodes], whole.makers,
            whole.words,
        )  # fmt: skip


def _parted(contents: npt.NDArray[np.uint64], record_id: Rows) -> npt.NDArray[np.uint64]:
    """What tells records that constraints name apart from others that say the same; as `find_nodes` does."""
    return np.asarray(contents ^ ((record_id.astype(np.uint64) + np.uint64(1)) * _APART))
