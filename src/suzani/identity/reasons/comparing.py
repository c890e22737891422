"""Two records compared when somebody asks, by what the latest run learned."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pyarrow as pa

from suzani import sources
from suzani.identity.indexing import mirror_store
from suzani.identity.learning.engine import Judged
from suzani.identity.learning.evidence import evidence_json
from suzani.identity.learning.knowledge import Learned
from suzani.identity.pairs.matching import score
from suzani.identity.pairs.packing import pack
from suzani.identity.pairs.scoring import weight_bits
from suzani.identity.reasons.explaining import Scored, scored_of
from suzani.identity.standardising.fields import standardise
from suzani.infra.db import Tx


async def compare_records(tx: Tx, record_a: int, record_b: int) -> Scored | None:
    """The weight of two live records as the latest run would have given it, and its parts.

    None where no run left its knowledge yet, or a record is gone.
    """
    latest = await mirror_store.latest_digest(tx)
    if latest is None:
        return None
    records = await sources.records_for_identity(tx, [record_a, record_b])
    if records.num_rows != 2:
        return None
    run_id, digest = latest
    if digest not in _kept:
        data = await mirror_store.knowledge(tx, run_id)
        # One is enough: it changes with each full run only.
        _kept.clear()
        _kept[digest] = await asyncio.to_thread(Learned.from_bytes, data)
    return await asyncio.to_thread(_compared, _kept[digest], records)


_kept: dict[str, Learned] = {}
"""The knowledge used last, by its digest."""


def _compared(learned: Learned, records: pa.Table) -> Scored:
    fields, _ = standardise(records, {}, learned.norms)
    packed = pack(fields, 2, learned.knowledge.words)
    # Pairs are scored in the order of what their records say, as in a run.
    left, right = np.argsort(packed.contents, kind="stable")
    weights = learned.knowledge.weights(packed)
    pairs = score(packed, weights, np.array([left]), np.array([right]))
    evidence = json.loads(evidence_json(Judged(packed, weights), pairs)[0].as_py())
    weight = float(weight_bits(pairs.odds_bits, learned.knowledge.model)[0])
    return scored_of(round(weight, 2), evidence)
