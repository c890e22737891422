"""The SQL of a mirror: where it stands, what it missed, and what it writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from suzani.infra.arrays import integers
from suzani.infra.db import Database, Tx, execute, fetch, fetch_one, load_queries
from suzani.infra.message import Message

_queries = load_queries("suzani.identity.indexing", "mirror.sql")


@dataclass(frozen=True, slots=True)
class Position:
    """The latest run that left its knowledge (None: none did), and the latest change of persons."""

    run_id: int | None
    change_id: int


async def position(tx: Tx) -> Position:
    """Where the database stands."""
    message = Message(tx)
    found = add_position(message)
    await message.send()
    return found()


def add_position(message: Message) -> Callable[[], Position]:
    """`position` as a part of a message; what is returned gives it once that is answered."""
    rows = message.add(_queries.position)

    def found() -> Position:
        [row] = rows()
        return Position(row["run_id"], int(row["change_id"]))

    return found


async def position_now(db: Database) -> Position:
    """`position` without a transaction around it: one message there and one back."""
    async with db.autocommit() as tx:
        return await position(tx)


async def at_one_moment(tx: Tx) -> None:
    """Let all that follows see the database as it is now; must come first in its transaction."""
    await execute(tx, _queries.one_moment)


async def keep_knowledge(tx: Tx, run_id: int, data: bytes) -> str:
    """Keep what a run learned, and return its digest; what was touched before it is in it."""
    digest = blake2b(data, digest_size=16).hexdigest()
    await execute(tx, _queries.keep_knowledge, run_id=run_id, digest=digest, data=data)
    await execute(tx, _queries.drop_knowledge)
    await execute(tx, _queries.drop_touched)
    return digest


async def knowledge(tx: Tx, run_id: int) -> bytes:
    """What a run learned."""
    row = await fetch_one(tx, _queries.knowledge, run_id=run_id)
    assert row is not None  # noqa: S101 - `position` named the run
    return bytes(row["data"])


async def latest_digest(tx: Tx) -> tuple[int, str] | None:
    """The latest run that left its knowledge, and the digest of that; None if none did."""
    row = await fetch_one(tx, _queries.latest_digest)
    return (row["run_id"], row["digest"]) if row else None


async def time_of(tx: Tx, change_id: int) -> datetime | None:
    """When a change was made; None where there is none of this number."""
    row = await fetch_one(tx, _queries.time_of, change_id=change_id)
    return row["at"] if row else None


async def touched_since(tx: Tx, change_id: int) -> list[int]:
    """Records whose content changes after this one took over."""
    return [row["record_id"] for row in await fetch(tx, _queries.touched_since, after=change_id)]


async def moves_since(tx: Tx, change_id: int) -> dict[int, int | None]:
    """The person of every record that moved after a change; None for one that is gone."""
    rows = await fetch(tx, _queries.moves_since, after=change_id)
    return {row["record_id"]: row["to_person"] for row in rows}


async def persons_of(tx: Tx, records: Sequence[int]) -> dict[int, int]:
    """The person of each record that has one."""
    found = await fetch(tx, _queries.persons_of, records=list(records))
    return {row["record_id"]: row["person_id"] for row in found}


async def joined_by_edges(tx: Tx, records: Sequence[int]) -> list[int]:
    """The records that have an edge to one of these."""
    return [row["record_id"] for row in await fetch(tx, _queries.joined_by_edges, records=list(records))]


async def drop_edges_of(tx: Tx, records: Sequence[int]) -> None:
    """Forget the evidence for and against these records."""
    message = Message(tx)
    add_drop_edges(message, records)
    await message.send()


def add_drop_edges(message: Message, records: Sequence[int]) -> None:
    """`drop_edges_of` as a part of a message."""
    message.add(_queries.drop_edges, records=integers(records))
