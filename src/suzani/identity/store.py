"""The SQL of identity: runs, persons, memberships and edges."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.infra.db import Tx, copy_in, copy_out, execute, fetch, fetch_one, load_queries

Ints = npt.NDArray[np.int64]

_queries = load_queries("suzani.identity")
_MEMBERSHIP = pa.schema([("record_id", pa.int64()), ("person_id", pa.int64())])


async def lock(tx: Tx) -> None:
    """Wait until no other run is under way; held until the transaction ends."""
    await execute(tx, _queries.lock)


async def memberships(tx: Tx) -> pa.Table:
    """Who belongs to whom now: record_id, person_id, by record."""
    return await copy_out(tx, _queries.memberships, _MEMBERSHIP)


async def start_run(tx: Tx, at: datetime) -> int:
    """A new run's id."""
    row = await fetch_one(tx, _queries.start_run, at=at)
    assert row is not None  # noqa: S101 - insert ... returning gives a row
    return int(row["run_id"])


async def finish_run(tx: Tx, run_id: int, at: datetime, **facts: Any) -> None:
    """Complete a run: model and report (JSON text), records, candidates, edges, persons."""
    await execute(tx, _queries.finish_run, run_id=run_id, at=at, **facts)


async def add_persons(tx: Tx, count: int, run_id: int, at: datetime) -> Ints:
    """Ids of that many new persons."""
    rows = await fetch(tx, _queries.new_person_ids, count=count)
    ids = np.fromiter((row["person_id"] for row in rows), np.int64, len(rows))
    table = pa.table(
        {
            "person_id": ids,
            "created_at": pa.array([at] * count, pa.timestamp("us", "UTC")),
            "run_id": pa.array(np.full(count, run_id)),
        }
    )
    await copy_in(tx, "identity.person", table)
    return ids


async def replace_memberships(tx: Tx, record_id: Ints, person_id: Ints, run_id: int, at: datetime) -> None:
    """Let every record belong to the given person; what did not change keeps its run and time."""
    await execute(tx, _queries.create_resolved)
    await copy_in(tx, "resolved", pa.table({"record_id": record_id, "person_id": person_id}))
    await execute(tx, _queries.analyze_resolved)
    await execute(tx, _queries.drop_memberships)
    await execute(tx, _queries.move_memberships, run_id=run_id, at=at)
    await execute(tx, _queries.add_memberships, run_id=run_id, at=at)
    await execute(tx, _queries.analyze_membership)


async def retire(tx: Tx, person_id: Ints, merged_into: Ints, at: datetime) -> None:
    """Persons whose records all went elsewhere; `merged_into` 0 when there is no such person."""
    await execute(tx, _queries.create_retired)
    into = pa.array(merged_into, mask=merged_into == 0)
    await copy_in(tx, "retired", pa.table({"person_id": person_id, "merged_into": into}))
    await execute(tx, _queries.retire_persons, at=at)


async def replace_edges(tx: Tx, edges: pa.Table) -> None:
    """All evidence anew: record_a, record_b, weight_bits, probability, evidence (JSON text)."""
    await execute(tx, _queries.drop_edges)
    await copy_in(tx, "identity.edge", edges)
    await execute(tx, _queries.analyze_edges)


async def latest_report(tx: Tx) -> dict[str, Any] | None:
    """The report of the last finished run, or None."""
    row = await fetch_one(tx, _queries.latest_report)
    return row["report"] if row else None
