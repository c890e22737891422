"""Resolving the records of the platform: read, decide, write, publish."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani import sources
from suzani.identity.indexing import mirror_store
from suzani.identity.indexing.mirror import Mirror, Said, edge_table
from suzani.identity.indexing.opening import keep, snapshot_in
from suzani.identity.indexing.snapshot import Snapshot, State
from suzani.identity.learning.engine import Progress, Resolution, resolve_fields
from suzani.identity.learning.estimates import Estimate
from suzani.identity.learning.knowledge import Learned
from suzani.identity.pairs.partition import Constraints
from suzani.identity.persons import lineage_store, store
from suzani.identity.persons.changes import Partition, apply
from suzani.identity.persons.constraints import Link, among, rows_of
from suzani.identity.persons.types import Applied, Cause, NewChange
from suzani.identity.standardising.fields import standardise
from suzani.identity.standardising.norms import Norms
from suzani.infra import jobs, memory
from suzani.infra.db import Database, Tx
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
        resolution, norms = await asyncio.to_thread(_resolve_table, records, links, progress)
        progress("write persons")
        record_id = records.column("record_id").to_numpy()
        applied = await apply(
            tx, NewChange(Cause.RUN, run_id), _partition(records, before, resolution), now()
        )
        edges = await asyncio.to_thread(
            edge_table, record_id, resolution.edges, resolution.judged, resolution.model
        )
        await store.replace_edges(tx, edges)
        learned = Learned(norms, resolution.knowledge)
        digest = await mirror_store.keep_knowledge(tx, run_id, await asyncio.to_thread(learned.to_bytes))
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
    # What the run read and standardised is what the next process would have to.
    state = State(run_id, digest, applied.change_id, applied.at)
    await keep(snapshot_in(platform), Snapshot(state, record_id, resolution.judged.records))
    return report


async def _fingerprint(tx: Tx) -> str:
    """Differs whenever records changed or a constraint was taken back; one that is added holds at once."""
    return f"{await sources.fingerprint(tx)}/{await lineage_store.count_revoked(tx)}"


@dataclass(frozen=True, slots=True)
class DeltaReport:
    """What resolving a delta did: records that were new, changed or gone; how many records these could
    reach; persons that are new or retired."""

    change_id: int
    new: int
    changed: int
    gone: int
    reached: int
    new_persons: int
    retired_persons: int


async def resolve_if_changed(platform: Platform) -> RunReport | DeltaReport | None:
    """Resolve what changed since records were last resolved; None if nothing did.

    Only what the changed records can reach is looked at, by what the last run learned; all records are, and
    the model is trained anew, when much has changed since or a constraint was taken back.
    """
    async with platform.db.transaction() as tx:
        await store.lock(tx)
        last = await store.latest_report(tx)
        stale = await store.stale(tx)
        if last is not None and await _constraints_stand(tx, last):
            if not stale.num_rows:
                return None
            if await _fits_delta(tx, last, stale.num_rows):
                return await _resolve_delta(platform, tx, stale)
    return await resolve(platform)


async def _constraints_stand(tx: Tx, last: dict[str, Any]) -> bool:
    """Whether no constraint was taken back since a run."""
    return str(last["fingerprint"]).rpartition("/")[2] == str(await lineage_store.count_revoked(tx))


_SMALL = 200
_LARGEST_SHARE = 0.1
_OUTGROWN = 1.5


async def _fits_delta(tx: Tx, last: dict[str, Any], stale: int) -> bool:
    """Whether what the last run learned still stands for the data."""
    at = await mirror_store.position(tx)
    if at.run_id != last.get("run_id") or not last.get("blocking_rules"):
        return False
    live = await sources.count_live(tx)
    few = stale <= max(_SMALL, _LARGEST_SHARE * live)
    return few and live <= _OUTGROWN * max(int(last["records"]), 1)


async def _resolve_delta(platform: Platform, tx: Tx, stale: pa.Table) -> DeltaReport:
    kinds = stale.column("kind")
    ids = {kind: stale.filter(pc.equal(kinds, kind)).column("record_id").to_pylist()
           for kind in ("new", "changed", "gone")}  # fmt: skip
    mirror = await mirror_of(platform)
    await mirror.catch_up(tx)
    records = await sources.records_for_identity(tx, [*ids["new"], *ids["changed"]])
    try:
        said = await asyncio.to_thread(Said.of, records, mirror.index)
        settled, applied = await mirror.settle(tx, NewChange(Cause.DELTA), said, ids["gone"], now())
    except BaseException:
        mirror.forget([*ids["new"], *ids["changed"], *ids["gone"]])
        raise
    await jobs.publish(tx, "identity.changed")
    return DeltaReport(
        applied.change_id,
        len(ids["new"]),
        len(ids["changed"]),
        len(ids["gone"]),
        len(settled.person),
        applied.created,
        len(applied.retired),
    )


_mirrors: WeakKeyDictionary[Database, Mirror] = WeakKeyDictionary()


async def mirror_of(platform: Platform) -> Mirror:
    """The mirror of this process, opened when it is first asked for."""
    mirror = _mirrors.get(platform.db)
    if mirror is None:
        mirror = _mirrors[platform.db] = await Mirror.opened(platform)
    return mirror


@memory.kept()
def _resolve_table(
    records: pa.Table, links: Sequence[Link], progress: Callable[[str], None]
) -> tuple[Resolution, Norms]:
    progress("standardise")
    kinds = {name: attribute.kind for name, attribute in ATTRIBUTES.items()}
    fields, norms = standardise(
        records.select([name for name in kinds if name in records.column_names]), kinds
    )
    record_id = records.column("record_id").to_numpy()
    must, cannot = among(links, record_id)
    resolution = resolve_fields(
        fields,
        records.num_rows,
        constraints=Constraints(rows_of(record_id, must), rows_of(record_id, cannot)),
        numbers=record_id.astype(np.uint64),
        progress=progress,
    )
    return resolution, norms


def _partition(records: pa.Table, before: store.Memberships, resolution: Resolution) -> Partition:
    """What the run found, beside what was before."""
    record_id = records.column("record_id").to_numpy()
    person, seen_us = before.of(record_id)
    updated_us = records.column("updated_at").cast(store.TIME).cast(pa.int64()).to_numpy()
    return Partition(
        record_id=record_id,
        cluster=record_id[resolution.person],
        before=person,
        gone=np.setdiff1d(before.record_id, record_id),
        seen_us=(updated_us, seen_us),
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
