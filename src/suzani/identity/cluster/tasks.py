"""What Spark executors run: Arrow tables in, Arrow tables out, our kernels between.

A *node* is all records of equal contents; its number is the hash of these as a signed 64-bit integer, as
Spark has no unsigned ones. Rows are put in the order of the unsigned hash before they are matched, as in the
local engine, so that ties fall alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.identity.cluster.columns import Ints, column_names, to_columns, to_fields
from suzani.identity.kernels import blocks
from suzani.identity.learning.knowledge import Learned
from suzani.identity.pairs import matching
from suzani.identity.pairs.blocking import Blocked, Plan, keyed
from suzani.identity.pairs.matching import Pairs
from suzani.identity.pairs.packing import Packed, pack
from suzani.identity.pairs.partition import Constraints, Options, partition
from suzani.identity.standardising.fields import standardise

if TYPE_CHECKING:
    from pyspark import Broadcast

Batches = Iterator[pa.RecordBatch]


@lru_cache(maxsize=2)
def _unpacked(data: bytes) -> Learned:
    """Once per worker process."""
    return Learned.from_bytes(data)


@dataclass(frozen=True)
class Judge:
    """What every task needs: norms and knowledge, sent once to each executor, and the engine's options."""

    learned: Broadcast[bytes]
    options: Options

    @property
    def known(self) -> Learned:
        """Norms and knowledge."""
        return _unpacked(self.learned.value)

    def packed(self, table: pa.Table) -> Packed:
        """Records of standard values as the kernels read them."""
        known = self.known
        return pack(to_fields(table, known.norms), table.num_rows, known.knowledge.words)


def _whole(batches: Batches) -> pa.Table | None:
    held = list(batches)
    return pa.Table.from_batches(held) if held else None


def _ints(table: pa.Table | pa.RecordBatch, name: str) -> Ints:
    column = table.column(name)
    return np.asarray(column.to_numpy() if isinstance(column, pa.ChunkedArray) else column.to_numpy(False))


def _in_order(table: pa.Table) -> tuple[pa.Table, npt.NDArray[np.uint64]]:
    """Rows of nodes in the order of their hashes, and these."""
    nodes = _ints(table, "node").view(np.uint64)
    order = np.argsort(nodes, kind="stable")
    return table.take(pa.array(order)), nodes[order]


def _signed(nodes: npt.NDArray[np.uint64]) -> Ints:
    return np.ascontiguousarray(nodes).view(np.int64)


def standardised(judge: Judge) -> Callable[[Batches], Batches]:
    """record, raw columns → record, node, standard values."""

    def work(batches: Batches) -> Batches:
        for batch in batches:
            raw = pa.Table.from_batches([batch]).drop_columns(["record"])
            fields, _ = standardise(raw, {}, judge.known.norms)
            packed = pack(fields, batch.num_rows, judge.known.knowledge.words)
            columns = {
                "record": batch.column("record"),
                "node": pa.array(_signed(packed.contents)),
                **to_columns(fields),
            }
            yield pa.RecordBatch.from_pydict(columns)

    return work


def grouped_equal(judge: Judge) -> Callable[[Batches], Batches]:
    """All records of some contents → node, its first record, its copies, whether these join, its values."""

    def work(batches: Batches) -> Batches:
        table = _whole(batches)
        if table is None:
            return
        order = np.lexsort((_ints(table, "record"), _ints(table, "node")))
        node, record = _ints(table, "node")[order], _ints(table, "record")[order]
        first = np.flatnonzero(np.append(True, node[1:] != node[:-1]))
        ends = np.append(first[1:], len(node))
        is_copy = np.ones(len(node), dtype=bool)
        is_copy[first] = False
        starts = np.append(0, np.cumsum(ends - first - 1)).astype(np.int32)
        values = table.select(column_names(judge.known.norms)).take(pa.array(order[first]))
        columns = {
            "node": pa.array(node[first]),
            "first": pa.array(record[first]),
            "copies": pa.ListArray.from_arrays(pa.array(starts), pa.array(record[is_copy])),
            "joined": pa.array(_match_themselves(judge, values, np.flatnonzero(ends - first > 1))),
        }
        found = pa.table({**columns, **dict(zip(values.column_names, values.columns, strict=True))})
        yield from found.combine_chunks().to_batches()

    return work


def _match_themselves(judge: Judge, values: pa.Table, copied: Ints) -> npt.NDArray[np.bool_]:
    """Which nodes say enough that a copy is the same person."""
    joins = np.zeros(values.num_rows, dtype=bool)
    if len(copied):
        packed = judge.packed(values.take(pa.array(copied)))
        own = np.arange(len(copied))
        scored = matching.score(packed, judge.known.knowledge.weights(packed), own, own)
        joins[copied] = scored.odds_bits > judge.options.cut_bits
    return joins


def entered(judge: Judge, buckets: int) -> Callable[[Batches], Batches]:
    """node, values → bucket, rule, hash, node: the blocks that each node is in."""

    def work(batches: Batches) -> Batches:
        for batch in batches:
            nodes = _ints(batch, "node")
            for rule, hashes, rows in _entries(judge, pa.Table.from_batches([batch])):
                yield pa.RecordBatch.from_pydict(
                    {
                        "bucket": pa.array((hashes % buckets).astype(np.int32)),
                        "rule": pa.array(np.full(len(rows), rule, dtype=np.int16)),
                        "hash": pa.array(hashes),
                        "node": pa.array(nodes[rows]),
                    }
                )

    return work


def _entries(judge: Judge, table: pa.Table) -> Iterator[tuple[int, Ints, Ints]]:
    """By rule: hashes of blocks and the rows in them; without a plan, one block of all."""
    plan = judge.known.knowledge.plan
    if plan is None:
        yield 0, np.zeros(table.num_rows, dtype=np.int64), np.arange(table.num_rows)
        return
    packed = keyed(judge.packed(table), plan.rules)
    compiled = plan.compiled(packed.sources)
    found, begins, ends = blocks.entries(compiled, 0, len(plan.rules), packed.keys)
    for rule, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
        entries = found[begin:end]
        yield rule, _signed(entries >> blocks.ROW_BITS), _signed(entries & blocks.ROW_MASK)


def kept_blocks(batches: Batches) -> Batches:
    """Whole blocks → those of two nodes and more; `fresh` marks a node's first entry in a bucket."""
    table = _whole(batches)
    if table is None:
        return
    hashes, rules = _ints(table, "hash"), _ints(table, "rule")
    order = np.lexsort((rules, hashes))
    same = (hashes[order][1:] == hashes[order][:-1]) & (rules[order][1:] == rules[order][:-1])
    kept = order[np.append(same, False) | np.append(False, same)]
    table = table.take(pa.array(kept))
    buckets, nodes = _ints(table, "bucket"), _ints(table, "node")
    order = np.lexsort((nodes, buckets))
    fresh = np.zeros(len(order), dtype=bool)
    new = (nodes[order][1:] != nodes[order][:-1]) | (buckets[order][1:] != buckets[order][:-1])
    fresh[order] = np.append(True, new) if len(order) else fresh
    yield from table.append_column("fresh", pa.array(fresh)).combine_chunks().to_batches()


def scanned(judge: Judge) -> Callable[[pa.Table, pa.Table], pa.Table]:
    """The entries of one bucket and the values of the nodes in it → pairs of nodes above the loose bound."""

    def work(entries: pa.Table, values: pa.Table) -> pa.Table:
        table, nodes = _in_order(values)
        packed = judge.packed(table)
        knowledge = judge.known.knowledge
        weights = knowledge.weights(packed)
        bound = judge.options.loose_bits
        if knowledge.plan is None:
            left, right = map(np.asarray, np.triu_indices(packed.rows, 1))
            pairs = matching.score(packed, weights, left, right)
            pairs = pairs.where(pairs.odds_bits > bound)
        else:
            blocked = _blocked(entries, nodes, packed, knowledge.plan)
            pairs = matching.candidates(packed, blocked, weights, bound).pairs
        return pa.table({"a": _signed(nodes[pairs.left]), "b": _signed(nodes[pairs.right])})

    return work


def _blocked(table: pa.Table, nodes: npt.NDArray[np.uint64], packed: Packed, plan: Plan) -> Blocked:
    """The blocks of one bucket as sorted entries of its rows."""
    rows = np.searchsorted(nodes, _ints(table, "node").view(np.uint64)).astype(np.uint64)
    entries = (_ints(table, "hash").view(np.uint64) << blocks.ROW_BITS) | rows
    rules = _ints(table, "rule")
    by_rule = tuple(np.sort(entries[rules == rule]) for rule in range(len(plan.rules)))
    pairs = tuple(int(blocks.pairs_in(mine)) for mine in by_rule)
    return Blocked(plan, plan.compiled(packed.sources), by_rule, pairs, 0)


def parted(judge: Judge) -> Callable[[pa.Table, pa.Table], pa.Table]:
    """Whole components: their pairs and their nodes' values → node, the node that names its person."""

    def work(pairs: pa.Table, values: pa.Table) -> pa.Table:
        table, nodes = _in_order(values)
        packed = judge.packed(table)
        weights = judge.known.knowledge.weights(packed)
        left, right = (np.searchsorted(nodes, _ints(pairs, side).view(np.uint64)) for side in "ab")
        low, high = np.minimum(left, right), np.maximum(left, right)
        order = np.lexsort((high, low))
        loose: Pairs = matching.score(packed, weights, low[order], high[order])
        person = partition(packed, weights, loose, Constraints.none(), judge.options).person
        return pa.table({"node": _signed(nodes), "person_node": _signed(nodes[person])})

    return work
