"""Columns of 8-byte values into PostgreSQL by binary COPY: no text, no Python object per value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import sql

Ints = npt.NDArray[np.int64]

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_BATCH_ROWS: Final = 65_536
_YEAR_2000_US: Final = 946_684_800_000_000
_CELL: Final = (("length", 4), ("value", 8))


def moments(at_us: Ints) -> Ints:
    """Microseconds since 1970 as `timestamptz` columns hold them."""
    return at_us - _YEAR_2000_US


def moment(at: datetime) -> int:
    """An aware time as `timestamptz` columns hold it."""
    since = at - datetime(2000, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1)


async def copy_integers(
    tx: psycopg.AsyncConnection[dict[str, Any]], target: str, rows: int, columns: Mapping[str, Ints | int]
) -> None:
    """COPY `rows` rows into `target`, whose named columns are bigint or timestamptz; none is null.

    A column is an array of that many values, or one value for all rows. Runs in the caller's transaction.
    """
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(*target.split(".")), names
    )
    row = np.dtype(
        [
            ("width", ">i2"),
            *((f"{kind}{n}", f">i{size}") for n in range(len(columns)) for kind, size in _CELL),
        ]
    )
    async with tx.cursor() as cursor, cursor.copy(statement) as copy:
        await copy.write(_SIGNATURE)
        for start in range(0, rows, _BATCH_ROWS):
            end = min(start + _BATCH_ROWS, rows)
            batch = np.empty(end - start, dtype=row)
            batch["width"] = len(columns)
            for n, values in enumerate(columns.values()):
                batch[f"length{n}"] = 8
                batch[f"value{n}"] = values if isinstance(values, int) else values[start:end]
            await copy.write(batch.tobytes())
        await copy.write(_END)
