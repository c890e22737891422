"""Use cases that write golden records: all of them, or those of some persons."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import pyarrow as pa

from suzani.infra.db import Tx
from suzani.profiles import golden, store
from suzani.profiles.survivorship import Survivorship

BATCH_PERSONS = 40_000
"""Persons computed at once; bounds memory to some hundred MiB."""

Progress = Callable[[int, int], None]
"""Called with batches done and batches in all."""


def _silent(done: int, total: int) -> None:
    """Show nothing."""


async def rebuild_all(
    tx: Tx,
    survivorship: Survivorship,
    now: datetime,
    *,
    progress: Progress = _silent,
    batch: int = BATCH_PERSONS,
) -> int:
    """Build every golden record anew and replace the old ones at once when `tx` commits; returns the persons.

    `tx` must be fresh: its first statement fixes the moment of the database that the rebuild sees.
    """
    await store.begin_rebuild(tx)
    await store.create_next(tx)
    ranges = await store.batches(tx, batch)
    computing: asyncio.Task[pa.Table] | None = None
    written = 0
    for done, (first, after) in enumerate(ranges):
        progress(done, len(ranges))
        records, products = await store.batch_between(tx, first, after, now.date())
        ready, computing = computing, asyncio.create_task(_computed(records, products, survivorship, now))
        written += await store.append(tx, store.NEXT, await ready) if ready else 0
    written += await store.append(tx, store.NEXT, await computing) if computing else 0
    await store.swap(tx)
    progress(len(ranges), len(ranges))
    return written


async def rebuild(tx: Tx, persons: Sequence[int], survivorship: Survivorship, now: datetime) -> int:
    """Build the golden records of these persons anew; one without live records loses the profile.

    Returns the profiles written. `tx` must be fresh, as for `rebuild_all`.
    """
    await store.begin_rebuild(tx)
    records, products = await store.batch_of(tx, persons, now.date())
    rows = await _computed(records, products, survivorship, now)
    await store.delete(tx, persons)
    return await store.append(tx, store.CURRENT, rows)


async def _computed(
    records: pa.Table, products: pa.Table, survivorship: Survivorship, now: datetime
) -> pa.Table:
    """The profiles of one batch, computed in a thread so that the database works meanwhile."""
    return await asyncio.to_thread(_profiles, records, products, survivorship, now)


def _profiles(records: pa.Table, products: pa.Table, survivorship: Survivorship, now: datetime) -> pa.Table:
    rows = golden.compute(records, products, survivorship, now.date())
    built_at = pa.array([now] * rows.num_rows, golden.TIMESTAMP)
    return rows.append_column("built_at", built_at)
