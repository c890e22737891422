"""The statements of the quarantine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from suzani.infra.db import Tx, execute, fetch, fetch_one, load_queries
from suzani.sources.types import QuarantinedRow, Reason

queries = load_queries("suzani.sources")
PAGE_ROWS = 1000


async def rows(
    tx: Tx,
    *,
    system: str | None = None,
    reason: str | None = None,
    state: str | None = "open",
    ids: Sequence[int] | None = None,
    limit: int | None = None,
) -> AsyncIterator[QuarantinedRow]:
    """Quarantined rows by id, a page at a time; at most `limit` of them."""
    after, left = 0, limit
    while left is None or left > 0:
        size = PAGE_ROWS if left is None else min(left, PAGE_ROWS)
        asked = {"system": system, "reason": reason, "state": state, "ids": list(ids) if ids else None}
        page = await fetch(tx, queries.quarantine_list, **asked, after=after, limit=size)
        for row in page:
            yield _row(row)
        if len(page) < size:
            return
        after = page[-1]["quarantine_id"]
        left = None if left is None else left - len(page)


def _row(row: dict[str, Any]) -> QuarantinedRow:
    names = "quarantine_id load_id system file field detail state at key note".split()
    return QuarantinedRow(
        **{name: row[name] for name in names},
        row=row["row_no"],
        reason=Reason(row["reason"]),
        raw=bytes(row["raw"]),
        values=row["fields"],
        damaged=tuple(row["damaged"]),
        columns=tuple(row["columns"]),
    )


async def counts(tx: Tx) -> list[dict[str, Any]]:
    """Rows in quarantine by system, reason and state."""
    return await fetch(tx, queries.quarantine_counts)


async def settle(tx: Tx, ids: Sequence[int], state: str, note: str) -> int:
    """Mark open rows as replayed or dismissed; returns how many were open."""
    return await execute(tx, queries.settle_quarantine, ids=list(ids), state=state, note=note)


async def load_of_key(tx: Tx, system: str) -> int | None:
    """The load that last changed the record whose key the incoming row has; None without such a record."""
    row = await fetch_one(tx, queries.load_of_key, system=system)
    return int(row["load_id"]) if row else None


async def drop_incoming(tx: Tx) -> None:
    """Clear the temporary tables, for the next row of the same transaction."""
    await execute(tx, queries.drop_incoming)


async def forget_finished(tx: Tx, system: str) -> None:
    """Forget what replays of rows of finished loads have met."""
    await execute(tx, queries.drop_seen_of_finished, system=system)
