"""The statements of events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from suzani.events.reading import Refused
from suzani.events.types import Reason
from suzani.infra.db import Tx, execute, fetch, fetch_one, load_queries

queries = load_queries("suzani.events")

_LONGEST_DETAIL = 1000


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An event in quarantine: `raw` is the sender's own bytes, `head` the envelope up to them."""

    quarantine_id: int
    source: str
    way: str
    reason: Reason
    place: str
    detail: str
    raw: bytes
    head: bytes
    message_id: str
    state: str
    times: int
    at: datetime
    last_at: datetime
    note: str | None


@dataclass(frozen=True, slots=True)
class QuarantineCount:
    """How many events of a source are in quarantine for one reason; `last_at`: when the last one came."""

    source: str
    reason: Reason
    state: str
    events: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """Which events of the quarantine are meant; None: whichever."""

    source: str | None = None
    reason: str | None = None
    state: str | None = "open"
    ids: Sequence[int] | None = None
    after: int = 0
    limit: int = 1000


async def keep(tx: Tx, refused: Iterable[Refused], now: datetime) -> None:
    """Put events into quarantine; equal ones are one, and counted."""
    rows: dict[bytes, Refused] = {}
    times: Counter[bytes] = Counter()
    for one in refused:
        rows[one.digest] = one
        times[one.digest] += 1
    if not rows:
        return
    kept = rows.values()
    await execute(
        tx, queries.quarantine, now=now,
        digest=list(rows),
        times=[times[digest] for digest in rows],
        source=[one.source for one in kept],
        way=[_storable(one.way) for one in kept],
        reason=[str(one.violation.reason) for one in kept],
        place=[_storable(one.violation.place) for one in kept],
        detail=[_storable(one.violation.detail) for one in kept],
        head=[one.head for one in kept],
        raw=[one.raw for one in kept],
        message_id=[one.message_id for one in kept],
    )  # fmt: skip


def _storable(text: str) -> str:
    return text[:_LONGEST_DETAIL].replace("\0", "\\0").encode("utf-8", "replace").decode()


async def quarantined(tx: Tx, asked: Asked) -> list[Quarantined]:
    """Events in quarantine, oldest first."""
    ids = None if asked.ids is None else list(asked.ids)
    rows = await fetch(
        tx, queries.quarantined, source=asked.source, reason=asked.reason, state=asked.state, ids=ids,
        after=asked.after, limit=asked.limit,
    )  # fmt: skip
    return [_row(row) for row in rows]


def _row(row: dict[str, Any]) -> Quarantined:
    return Quarantined(
        **row | {"reason": Reason(row["reason"]), "raw": bytes(row["raw"]), "head": bytes(row["head"])}
    )


async def quarantine_counts(tx: Tx) -> list[QuarantineCount]:
    """Events in quarantine by source, reason and state."""
    rows = await fetch(tx, queries.quarantine_counts)
    return [QuarantineCount(**row | {"reason": Reason(row["reason"])}) for row in rows]


async def hold_open(tx: Tx, ids: Sequence[int]) -> set[int]:
    """Which of these are open; nobody else can settle them until this transaction ends."""
    return {row["quarantine_id"] for row in await fetch(tx, queries.hold_open, ids=list(ids))}


async def settle(tx: Tx, ids: Sequence[int], state: str, note: str, now: datetime) -> int:
    """Mark open events as replayed or dismissed; returns how many were open."""
    return await execute(tx, queries.settle, ids=list(ids), state=state, note=note, now=now)


async def drop_settled(tx: Tx, before: datetime, limit: int) -> int:
    """Drop events that were settled before a time, at most so many; returns how many."""
    return await execute(tx, queries.drop_settled, before=before, limit=limit)


async def begin_load(tx: Tx, source: str, file: str, digest: bytes, now: datetime) -> dict[str, Any]:
    """The load of this content: a new one, or how far the one before came."""
    row = await fetch_one(tx, queries.begin_load, source=source, file=file, digest=digest, now=now)
    assert row is not None  # noqa: S101 - an insert or update returns its row
    return row


async def move_load(tx: Tx, load_id: int, rows_read: int, accepted: int, quarantined: int) -> bool:
    """Count rows beyond `rows_read`; False when another process has got further meanwhile."""
    moved = await execute(
        tx,
        queries.move_load,
        load_id=load_id,
        rows_read=rows_read,
        accepted=accepted,
        quarantined=quarantined,
    )
    return moved == 1


async def finish_load(tx: Tx, load_id: int, now: datetime) -> None:
    """Mark a load as done."""
    await execute(tx, queries.finish_load, load_id=load_id, now=now)


async def followed(tx: Tx, source: str, topic: str) -> dict[int, int]:
    """Where to go on in each partition of a foreign topic that was read before."""
    rows = await fetch(tx, queries.followed, source=source, topic=topic)
    return {row["partition"]: row["next_offset"] for row in rows}


async def move_followed(
    tx: Tx, source: str, topic: str, partition: int, place: int | None, reached: int
) -> bool:
    """Go on from `place` to `reached`; False when another process has gone on meanwhile."""
    moved = await execute(
        tx, queries.move_followed, source=source, topic=topic, partition=partition, place=place,
        reached=reached,
    )  # fmt: skip
    return moved == 1
