"""Resolving the records of the platform: read, decide, write, publish."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani import sources
from suzani.identity import lineage_store, store
from suzani.identity.changes import Partition, apply
from suzani.identity.constraints import Link, among
from suzani.identity.engine import Progress, Resolution, resolve_fields
from suzani.identity.estimates import Estimate
from suzani.identity.evidence import evidence_json
from suzani.identity.fields import build_fields
from suzani.identity.scoring import weight_bits
from suzani.identity.settling import Evidence, settle
from suzani.identity.types import Applied, Cause, NewChange
from suzani.infra import jobs
from suzani.infra.db import Tx
from suzani.infra.platform import Platform
from suzani.kernel import ATTRIBUTES, now

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did.

    `estimated_blocking_recall` is the share of true pairs that the blocking rules are estimated to reach;
    None when all pairs were compared. `lost_pairs` were in blocks that stayed too large even when refined.
    `estimate`: quality over pairs of records. `seconds` are per phase. `fingerprint` tells the state of
    records and constraints.
    """

    run_id: int
    fingerprint: str
    records: int
    persons: int
    new_persons: int
    retired_persons: int
    candidates: int
    edges: int
    blocking_rules: dict[str, int]
    lost_pairs: int
    estimated_blocking_recall: float | None
    estimate: Estimate | None
    prior: float
    seconds: dict[str, float]


async def resolve(platform: Platform, *, progress: Progress = lambda phase: None) -> RunReport:
    """Resolve all live records into persons, in one transaction: all of it happens or nothing.

    Waits for a run under way. Publishes `identity.changed`.
    """
    async with platform.db.transaction() as tx:
        await store.lock(tx)
        run_id = await store.start_run(tx, now())
        progress("read records")
        fingerprint = await _fingerprint(tx)
        records = await sources.records_for_identity(tx)
        before = await store.memberships(tx)
        links = await lineage_store.active_links(tx)
        resolution = await asyncio.to_thread(_resolve_table, records, progress)
        progress("write persons")
        record_id = records.column("record_id").to_numpy()
        applied = await apply(
            tx, NewChange(Cause.RUN, run_id), _partition(records, before, resolution, links), now()
        )
        await store.replace_edges(tx, await asyncio.to_thread(_edge_table, record_id, resolution))
        report = _report(run_id, fingerprint, resolution, len(record_id), applied)
        await store.finish_run(
            tx,
            run_id,
            now(),
            model=resolution.model.to_json(),
            report=json.dumps(asdict(report)),
            records=report.records,
            candidates=report.candidates,
            edges=report.edges,
            persons=report.persons,
        )
        await jobs.publish(tx, "identity.changed")
    return report


async def _fingerprint(tx: Tx) -> str:
    """Differs whenever records changed or a constraint was taken back; one that is added holds at once."""
    return f"{await sources.fingerprint(tx)}/{await lineage_store.count_revoked(tx)}"


async def resolve_if_changed(platform: Platform) -> RunReport | None:
    """Resolve, unless the last run saw the very records and constraints that are there now."""
    async with platform.db.transaction() as tx:
        last = await store.latest_report(tx)
        if last is not None and last.get("fingerprint") == await _fingerprint(tx):
            return None
    return await resolve(platform)


def _resolve_table(records: pa.Table, progress: Callable[[str], None]) -> Resolution:
    progress("standardise")
    kinds = {name: attribute.kind for name, attribute in ATTRIBUTES.items()}
    fields = build_fields(records.select([name for name in records.column_names if name in kinds]), kinds)
    return resolve_fields(fields, records.num_rows, progress=progress)


def _partition(
    records: pa.Table, before: store.Memberships, resolution: Resolution, links: Sequence[Link]
) -> Partition:
    """What the run found, beside what was before."""
    record_id = records.column("record_id").to_numpy()
    person, seen_us = before.of(record_id)
    updated_us = records.column("updated_at").cast(store.TIME).cast(pa.int64()).to_numpy()
    return Partition(
        record_id=record_id,
        cluster=_held(record_id, resolution, links),
        before=person,
        gone=np.setdiff1d(before.record_id, record_id),
        seen_us=(updated_us, seen_us),
    )


def _held(record_id: Ints, resolution: Resolution, links: Sequence[Link]) -> Ints:
    """The clusters under what stewards said; those that no constraint names are as the engine found them."""
    must, cannot = among(links, record_id)
    cluster = record_id[resolution.person]
    named = np.isin(record_id, [record for pair in (*must, *cannot) for record in pair])
    touched = np.isin(cluster, cluster[named])
    edges = resolution.edges
    inside = touched[edges.left] & touched[edges.right]
    evidence = Evidence(
        record_id[edges.left[inside]],
        record_id[edges.right[inside]],
        edges.odds_bits[inside].astype(np.float64),
    )
    held = cluster.copy()
    held[touched] = settle(record_id[touched], cluster[touched], must, cannot, evidence)
    return held


def _edge_table(record_id: Ints, resolution: Resolution) -> pa.Table:
    edges = resolution.edges
    a, b = record_id[edges.left], record_id[edges.right]
    return pa.table(
        {
            "record_a": np.minimum(a, b),
            "record_b": np.maximum(a, b),
            "weight_bits": np.round(weight_bits(edges.odds_bits, resolution.model), 2).astype(np.float32),
            "probability": edges.probability.astype(np.float32),
            "evidence": evidence_json(resolution.judged, edges),
        }
    )


def _report(
    run_id: int, fingerprint: str, resolution: Resolution, records: int, applied: Applied
) -> RunReport:
    recall = resolution.estimated_blocking_recall
    return RunReport(
        run_id=run_id,
        fingerprint=fingerprint,
        records=records,
        persons=resolution.persons,
        new_persons=applied.created,
        retired_persons=len(applied.retired),
        candidates=resolution.candidates,
        edges=len(resolution.edges.left),
        blocking_rules=resolution.rules,
        lost_pairs=resolution.lost,
        estimated_blocking_recall=None if recall is None else round(recall, 5),
        estimate=resolution.estimate.rounded() if resolution.estimate else None,
        prior=resolution.model.prior,
        seconds=resolution.seconds,
    )
