"""What the driver learns, from all records or from a sample, and what of it the cluster then counts anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity.cluster.options import ClusterOptions
from suzani.identity.learning.engine import resolve_fields
from suzani.identity.learning.knowledge import Knowledge, Learned
from suzani.identity.models.model import Model
from suzani.identity.pairs.blocking import Plan
from suzani.identity.standardising.fields import standardise
from suzani.kernel import Kind

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_PAIRS_PER_RECORD, _FEWEST_PAIRS = 4, 200_000
_CAP = 60
"""Records in a block from which on it is refined, as in the local engine for more than 50,000 records."""
_SHARES = 1 << 20


def learn(
    frame: DataFrame, records: int, kinds: Mapping[str, Kind], model: Model | None, options: ClusterOptions
) -> Learned:
    """Norms and knowledge from all of `frame` or, where it is too large, from a sample by record number."""
    table = _ordered(_sample(frame, records, options.learn_from).toArrow())
    fields, norms = standardise(table.drop_columns(["record"]), kinds)
    resolution = resolve_fields(fields, table.num_rows, model=model, options=options.matching)
    return Learned(norms, resolution.knowledge)


def _sample(frame: DataFrame, records: int, most: int) -> DataFrame:
    """Every record, or those whose numbers' hashes fall into the share wanted."""
    if records <= most:
        return frame
    share = int(_SHARES * most / records)
    return frame.where(f"pmod(xxhash64(record), {_SHARES}) < {share}")


def _ordered(table: pa.Table) -> pa.Table:
    return table.take(pc.sort_indices(table, [("record", "ascending")])).combine_chunks()


def replanned(knowledge: Knowledge, records: int, count: Callable[[Knowledge], pa.Table]) -> Knowledge:
    """Knowledge of a sample with its blocks counted among all records.

    In a sample blocks are smaller than they are: those that are too large among all are found and refined,
    one key more in each round. Then rules are kept, the most selective first, while the budget of pairs
    lasts. `count` gives the blocks of two records and more by some knowledge: rule, hash, size.
    """
    if knowledge.plan is None:
        return knowledge
    while True:
        blocks = count(knowledge)
        grown = _refined(knowledge.plan, blocks)
        if sum(map(len, grown.oversized)) == sum(map(len, knowledge.plan.oversized)):
            return replace(knowledge, plan=_affordable(knowledge.plan, records, blocks))
        knowledge = replace(knowledge, plan=grown)


def _refined(plan: Plan, blocks: pa.Table) -> Plan:
    """The plan with every block refined that is above the cap."""
    large = blocks.filter(pc.greater(blocks.column("size"), _CAP))
    rules, hashes = large.column("rule").to_numpy(), large.column("hash").to_numpy().astype(np.uint64)
    return Plan(
        plan.rules, tuple(np.union1d(known, hashes[rules == r]) for r, known in enumerate(plan.oversized))
    )


def _affordable(plan: Plan, records: int, blocks: pa.Table) -> Plan:
    """The rules that the budget for so many records allows."""
    size = blocks.column("size").to_numpy().astype(np.float64)
    pairs = np.bincount(blocks.column("rule").to_numpy(), size * (size - 1) / 2, minlength=len(plan.rules))
    order = np.argsort(pairs, kind="stable")
    spent = np.cumsum(pairs[order])
    kept = order[(spent <= max(_PAIRS_PER_RECORD * records, _FEWEST_PAIRS)) | (np.arange(len(order)) < 3)]
    kept = np.sort(kept)
    return Plan(tuple(plan.rules[r] for r in kept), tuple(plan.oversized[r] for r in kept))
