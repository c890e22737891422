"""Making one file of many: engines read large files fast and small ones slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from suzani.infra.db import Database
from suzani.infra.lake import store
from suzani.infra.lake.showing import show
from suzani.infra.lake.store import Small, Written
from suzani.infra.lake.types import Lake
from suzani.infra.lake.writing import COMPRESSION, ROWS_OF_GROUP, flush

_SMALL_BYTES: Final = 256 * 1024 * 1024
_MANY: Final = 100


async def compact(db: Database, lake: Lake, *, quiet_seconds: float = 900.0) -> int:
    """Make the small files of a day one, where nothing came for `quiet_seconds`, or a hundred have gathered.

    Returns how many days changed; none while another process compacts. Files of 256 MiB or more are left.
    """
    done = 0
    async with db.transaction() as tx:
        if not await store.is_alone(tx, "compacting"):
            return 0
        due = await store.to_compact(tx, small_bytes=_SMALL_BYTES, quiet_seconds=quiet_seconds, many=_MANY)
        for small in due:
            await _compact_day(db, lake, small)
            done += 1
    return done


async def _compact_day(db: Database, lake: Lake, small: Small) -> None:
    written = await asyncio.to_thread(merged, lake, small)
    async with db.transaction() as tx:
        await store.replace(tx, small.files, written)
    await show(db, lake)


def merged(lake: Lake, small: Small) -> Written:
    """The rows of the files in one that is flushed to the disk, and not known yet."""
    file = uuid4()
    path = lake.stored(small.dataset, file)
    rows = _merge([lake.stored(small.dataset, old) for old in small.files], path)
    flush(path)
    flush(path.parent)
    return Written(file, small.dataset, small.day, rows, path.stat().st_size)


def _merge(sources: Sequence[Path], target: Path) -> int:
    """Write the rows of some files to one, in their order; returns how many. Holds one group in memory."""
    rows = 0
    with pq.ParquetWriter(target, _schema(sources), compression=COMPRESSION) as writer:
        for group in _groups(sources, writer.schema):
            writer.write_table(group)
            rows += group.num_rows
    return rows


def _schema(sources: Sequence[Path]) -> pa.Schema:
    """The columns of all the files; a column that older files lack is null there."""
    return pa.unify_schemas([pq.read_schema(source) for source in sources])


def _groups(sources: Sequence[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    gathered: list[pa.Table] = []
    for source in sources:
        with pq.ParquetFile(source) as file:
            for batch in file.iter_batches(ROWS_OF_GROUP):
                gathered.append(_as(schema, pa.Table.from_batches([batch])))
                if sum(table.num_rows for table in gathered) >= ROWS_OF_GROUP:
                    yield pa.concat_tables(gathered)
                    gathered = []
    if gathered:
        yield pa.concat_tables(gathered)


def _as(schema: pa.Schema, table: pa.Table) -> pa.Table:
    return pa.table(
        [
            table.column(field.name)
            if field.name in table.schema.names
            else pa.nulls(table.num_rows, field.type)
            for field in schema
        ],
        schema=schema,
    )
