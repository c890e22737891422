"""Adding rows: files written and flushed first, made part of the lake by the caller's transaction."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from suzani.infra.db import Tx
from suzani.infra.lake import store
from suzani.infra.lake.store import Written
from suzani.infra.lake.types import Lake

COMPRESSION: Final = "zstd"
ROWS_OF_GROUP: Final = 128 * 1024


async def write(tx: Tx, lake: Lake, dataset: str, table: pa.Table, time_column: str) -> None:
    """Add the rows of a table, by the days (UTC) of its time column, once the transaction is committed.

    They are shown where engines read within seconds of that, by `keep`.
    """
    for written in await asyncio.to_thread(_written, lake, dataset, table, time_column):
        await store.add(tx, written)


def _written(lake: Lake, dataset: str, table: pa.Table, time_column: str) -> list[Written]:
    found = []
    for day, rows in by_day(table, time_column):
        file = uuid4()
        path = lake.stored(dataset, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, path, compression=COMPRESSION, row_group_size=ROWS_OF_GROUP)
        flush(path)
        found.append(Written(file, dataset, day, rows.num_rows, path.stat().st_size))
    if found:
        flush(lake.stored(dataset, found[0].file).parent)
    return found


def by_day(table: pa.Table, time_column: str) -> Iterator[tuple[date, pa.Table]]:
    """The rows of each day of a column of times, in their order; pure."""
    days = pc.cast(table.column(time_column), pa.date32()).combine_chunks()
    for day in pc.unique(days).sort():
        yield day.as_py(), table.filter(pc.equal(days, day))


def flush(path: Path) -> None:
    """Return once a file, or the names in a folder, would survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
