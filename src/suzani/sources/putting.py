"""Storing records that come one at a time: what a load does for a file, for a handful by one statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec
import pyarrow as pa

from suzani.infra.db import Tx, execute, load_queries
from suzani.infra.message import Message
from suzani.kernel import ATTRIBUTES, InvalidInput
from suzani.sources.reads import RECORD_SCHEMA
from suzani.sources.typed import Typed
from suzani.sources.types import Fate

_queries = load_queries("suzani.sources", "putting.sql")


@dataclass(frozen=True)
class PutResult:
    """What became of records at a moment, in their order: ids, fates (new, changed, restored, unchanged)."""

    rows: Sequence[Typed]
    stored: Sequence[dict[str, Any]]
    at: datetime

    @cached_property
    def record_ids(self) -> list[int]:
        """The id of each record."""
        return [row["record_id"] for row in self.stored]

    @cached_property
    def fates(self) -> list[Fate]:
        """The fate of each record."""
        return [Fate(row["fate"]) for row in self.stored]

    @cached_property
    def records(self) -> pa.Table:
        """The rows of `RECORD_SCHEMA` of all records that are not unchanged."""
        return _table(self.rows, self.stored, self.at)


async def put(tx: Tx, rows: Sequence[Typed], at: datetime) -> PutResult:
    """Store records of any systems, by system and key; what they were before is kept as a change.

    A record is replaced whole, but for products, extra columns and consent, which stay unless given. One that
    was deleted is there again. Raises InvalidInput when two have one system and key.
    """
    message = Message(tx)
    stored = add_put(message, rows, at)
    await message.send()
    return stored()


def add_put(message: Message, rows: Sequence[Typed], at: datetime) -> Callable[[], PutResult]:
    """`put` as a part of a message; what is returned gives what came of it once that is answered."""
    if len({(row.system, row.key) for row in rows}) < len(rows):
        raise InvalidInput("two records have the same system and key", hint="Put them one after the other.")
    _add_lock(message, rows)
    records = _json({"no": no, **_content(row)} for no, row in enumerate(rows))
    found = message.add(_queries.put_records, records=records, at=at)
    return lambda: PutResult(rows, found(), at)


def add_put_new(message: Message, rows: Sequence[Typed], record_ids: Sequence[int], at: datetime) -> None:
    """Store records under ids taken for them, as a part of a message, which fails with psycopg's
    UniqueViolation if one was stored before."""
    _add_lock(message, rows)
    numbered = enumerate(zip(record_ids, rows, strict=True))
    records = _json({"no": no, "record_id": id_, **_content(row)} for no, (id_, row) in numbered)
    message.add(_queries.put_new_records, records=records, at=at)


def add_taken_ids(message: Message, count: int) -> Callable[[], list[int]]:
    """That many ids for new records; what is returned gives them once the message is answered."""
    rows = message.add(_queries.take_record_ids, count=count)
    return lambda: list(rows()[0]["ids"])


def _add_lock(message: Message, rows: Sequence[Typed]) -> None:
    for system in sorted({row.system for row in rows}):
        message.add(_queries.lock_writes, system=system)


def _content(row: Typed) -> dict[str, Any]:
    return {"system": row.system, "key": row.key, "digest": row.digest.hex(), **row.values}


def _json(records: Iterable[dict[str, Any]]) -> str:
    return msgspec.json.encode([*records]).decode()


async def lock_writes(tx: Tx, system: str) -> None:
    """Wait until nobody else writes records of a system; held until the transaction ends."""
    await execute(tx, _queries.lock_writes, system=system)


def _table(rows: Sequence[Typed], found: Sequence[dict[str, Any]], at: datetime) -> pa.Table:
    """The stored rows as every reader of records sees them."""
    kept = [
        (row, stored) for row, stored in zip(rows, found, strict=True) if stored["fate"] != Fate.UNCHANGED
    ]
    texts = [row.attributes for row, _ in kept]
    columns: dict[str, list[Any]] = {name: [text.get(name) for text in texts] for name in ATTRIBUTES}
    columns |= {
        name: [stored[name] for _, stored in kept]
        for name in ("record_id", "marketing_consent", "consent_at", "created_at")
    }
    columns |= {
        "system": [row.system for row, _ in kept],
        "key": [row.key for row, _ in kept],
        "as_of": [None] * len(kept),
        "updated_at": [at] * len(kept),
    }
    return pa.table([pa.array(columns[field.name], field.type) for field in RECORD_SCHEMA], RECORD_SCHEMA)
