"""The SQL of identity: runs, changes, persons, memberships, edges, and writing the feed of affected persons.

Everything that writes holds `lock`, so that changes come one after the other, in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.identity.persons.types import Applied, NewChange
from suzani.infra.db import Tx, copy_in, copy_out, execute, fetch, fetch_one, load_queries
from suzani.infra.integers import copy_integers, moment, moments
from suzani.infra.message import Message

Ints = npt.NDArray[np.int64]

TIME = pa.timestamp("us", "UTC")
EVERYONE_FROM = 5_000
"""From so many affected persons on it is asked whether that is half of all."""

NEVER = -1
_queries = load_queries("suzani.identity.persons")
_YEAR_2000_US = 946_684_800_000_000
_STALE = pa.schema([("record_id", pa.int64()), ("kind", pa.string())])
_EDGE = pa.schema([("record_a", pa.int64()), ("record_b", pa.int64()), ("probability", pa.float64())])


@dataclass(frozen=True)
class Memberships:
    """Records in the order of their ids, the person of each, and what the record's `updated_at` was when it
    was last resolved, in microseconds since 1970 (NEVER: not known)."""

    record_id: Ints
    person_id: Ints
    seen_us: Ints

    def of(self, record_id: Ints) -> tuple[Ints, Ints]:
        """Person and `seen_us` of each of these records; 0 and NEVER for one without a person."""
        if not len(self.record_id):
            return np.zeros(len(record_id), np.int64), np.full(len(record_id), NEVER)
        at = np.minimum(np.searchsorted(self.record_id, record_id), len(self.record_id) - 1)
        known = self.record_id[at] == record_id
        return np.where(known, self.person_id[at], 0), np.where(known, self.seen_us[at], NEVER)


async def lock(tx: Tx) -> None:
    """Wait until nobody else changes persons; held until the transaction ends."""
    await execute(tx, _queries.lock)


async def lock_within(tx: Tx, lock_seconds: float, statement_seconds: float) -> None:
    """`lock`, but raises psycopg's LockNotAvailable after some seconds; later statements are bounded, too."""
    message = Message(tx)
    add_lock_within(message, lock_seconds, statement_seconds)
    await message.send()


def add_lock_within(message: Message, lock_seconds: float, statement_seconds: float) -> None:
    """`lock_within` as a part of a message."""
    milliseconds = {"lock": f"{lock_seconds * 1000:.0f}", "statement": f"{statement_seconds * 1000:.0f}"}
    message.add(_queries.lock_within, **milliseconds)


async def memberships(tx: Tx) -> Memberships:
    """Who belongs to whom now."""
    row = await fetch_one(tx, _queries.memberships) or {}
    record_id, person_id, seen = (
        np.frombuffer(row[name] or b"", ">i8").astype(np.int64) for name in ("record_id", "person_id", "seen")
    )
    known = seen != np.iinfo(np.int64).min
    return Memberships(record_id, person_id, np.where(known, seen + known * _YEAR_2000_US, NEVER))


async def stale(tx: Tx) -> pa.Table:
    """Records not resolved as they are now, by record: record_id, kind (`new`, `changed`, `gone`)."""
    return await copy_out(tx, _queries.stale, _STALE)


async def start_run(tx: Tx, at: datetime) -> int:
    """A new run's id."""
    row = await fetch_one(tx, _queries.start_run, at=at)
    assert row is not None  # noqa: S101 - insert ... returning gives a row
    return int(row["run_id"])


async def finish_run(tx: Tx, run_id: int, at: datetime, **facts: Any) -> None:
    """Complete a run: model and report (JSON text), records, candidates, edges, persons."""
    await execute(tx, _queries.finish_run, run_id=run_id, at=at, **facts)


async def latest_report(tx: Tx) -> dict[str, Any] | None:
    """The report of the last finished run, or None."""
    row = await fetch_one(tx, _queries.latest_report)
    return row["report"] if row else None


async def start_change(tx: Tx, change: NewChange, at: datetime) -> tuple[int, datetime]:
    """Id and time of a new change; never earlier than the change before."""
    row = await fetch_one(
        tx,
        _queries.start_change,
        at=at,
        cause=change.cause.value,
        run_id=change.run_id,
        actor=change.actor,
        reason=change.reason,
        undoes=change.undoes,
        only=list(change.persons) if change.persons is not None else None,
        after=None,
    )
    assert row is not None  # noqa: S101 - insert ... returning gives a row
    return int(row["change_id"]), row["at"]


async def has_history(tx: Tx) -> bool:
    """Whether any record ever had a person."""
    row = await fetch_one(tx, _queries.has_history)
    return bool(row and row["found"])


async def take_person_ids(tx: Tx, count: int) -> Ints:
    """That many ids for new persons, consecutive; the caller holds `lock`."""
    if not count:
        return np.empty(0, np.int64)
    message = Message(tx)
    ids = add_taken_ids(message, count)
    await message.send()
    return ids()


def add_taken_ids(message: Message, count: int) -> Callable[[], Ints]:
    """`take_person_ids` as a part of a message; what is returned gives them once that is answered."""
    rows = message.add(_queries.take_person_ids, count=count)

    def taken() -> Ints:
        [row] = rows()
        return np.arange(row["last"] - count + 1, row["last"] + 1, dtype=np.int64)

    return taken


async def add_persons(tx: Tx, count: int, change: NewChange, change_id: int, at: datetime) -> Ints:
    """Ids of that many new persons, consecutive."""
    ids = await take_person_ids(tx, count)
    if not count:
        return ids
    columns: dict[str, Ints | int] = {
        "person_id": ids,
        "created_at": moment(at),
        "change_id": change_id,
        **_run(change),
    }
    await copy_integers(tx, "identity.person", count, columns)
    return ids


def _run(change: NewChange) -> dict[str, int]:
    """The column of the run, left out where there is none."""
    return {} if change.run_id is None else {"run_id": change.run_id}


async def former_persons(tx: Tx, record_id: Ints) -> dict[int, int]:
    """The retired person that each of these records left last, by record, where there is one."""
    found = await fetch(tx, _queries.former_persons, records=record_id.tolist())
    return {row["record_id"]: row["person_id"] for row in found}


async def add_first_memberships(
    tx: Tx, change: NewChange, change_id: int, at: datetime, columns: Mapping[str, Ints]
) -> None:
    """The memberships of a bank that had none ever: record_id, person_id, and seen_us unless not known."""
    own = {name: values for name, values in columns.items() if name != "seen_us"}
    seen = {"seen": moments(columns["seen_us"])} if "seen_us" in columns else {}
    rows = len(columns["record_id"])
    constant = {"change_id": change_id, "since": moment(at), **_run(change)}
    await copy_integers(tx, "identity.membership", rows, {**own, **seen, **constant})
    await execute(tx, _queries.analyze_membership)


async def replace_memberships(
    tx: Tx, change: NewChange, change_id: int, at: datetime, memberships: pa.Table
) -> tuple[int, Ints]:
    """Let records belong to persons: record_id, person_id (null: the record is gone), seen (null: as it was).

    Records that are not named stay where they are; what did not change keeps its change and time. Writes the
    moves; returns how many, and the persons whose records moved or say something else than before.
    """
    await execute(tx, _queries.create_resolved)
    await execute(tx, _queries.empty_resolved)
    await copy_in(tx, "resolved", memberships)
    await execute(tx, _queries.analyze_resolved)
    moves = await execute(tx, _queries.add_moves, change_id=change_id)
    affected = await fetch(tx, _queries.affected_persons, change_id=change_id)
    await execute(tx, _queries.renew_memberships)
    facts = {"run_id": change.run_id, "change_id": change_id, "at": at}
    if moves:
        await execute(tx, _queries.drop_memberships)
        await execute(tx, _queries.move_memberships, **facts)
        await execute(tx, _queries.add_memberships, **facts)
    await execute(tx, _queries.analyze_membership)
    return moves, np.fromiter((row["person_id"] for row in affected), np.int64, len(affected))


async def touch_resolved(tx: Tx, change_id: int) -> None:
    """Tell other processes that a change took over the content of the records just resolved."""
    await execute(tx, _queries.touch_resolved, change_id=change_id)


async def add_edges(tx: Tx, edges: str) -> None:
    """New evidence; rows of `identity.edge` as JSON."""
    await execute(tx, _queries.add_edges, edges=edges)


async def settle_persons(tx: Tx, change_id: int, at: datetime) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Retire the persons that a change left without records, revive those it gave some; returns both."""
    retired = await fetch(tx, _queries.retire_persons, change_id=change_id, at=at)
    revived = await fetch(tx, _queries.revive_persons, change_id=change_id)
    return _sorted(retired), _sorted(revived)


def _sorted(rows: Sequence[dict[str, Any]]) -> tuple[int, ...]:
    return tuple(sorted(row["person_id"] for row in rows))


async def feed_everyone(tx: Tx, change_id: int) -> None:
    """Tell the readers of the feed that everyone may have changed."""
    await execute(tx, _queries.everyone_changed, change_id=change_id)


async def feed(tx: Tx, applied: Applied, affected: Ints, created: Ints) -> Applied:
    """Tell the readers of the feed who changed; one word for everyone where it is more than half."""
    if len(affected) >= EVERYONE_FROM:
        row = await fetch_one(tx, _queries.count_persons)
        if row and 2 * len(affected) > row["count"]:
            await feed_everyone(tx, applied.change_id)
            return applied
    kinds = np.full(len(affected), "changed", dtype=object)
    kinds[np.isin(affected, created)] = "created"
    kinds[np.isin(affected, applied.retired)] = "retired"
    kinds[np.isin(affected, applied.revived)] = "revived"
    change_id = np.full(len(affected), applied.change_id)
    table = {"change_id": change_id, "person_id": affected, "kind": pa.array(kinds, pa.string())}
    await copy_in(tx, "identity.person_change", pa.table(table))
    return replace(applied, affected=tuple(affected.tolist()))


async def replace_edges(tx: Tx, edges: pa.Table) -> None:
    """All evidence anew: record_a, record_b, weight_bits, probability, evidence (JSON text)."""
    await execute(tx, _queries.delete_edges)
    await copy_in(tx, "identity.edge", edges)
    await execute(tx, _queries.analyze_edges)


async def edges_among(tx: Tx, record_id: Ints) -> pa.Table:
    """Evidence between any two of these records: record_a, record_b, probability."""
    return await copy_out(tx, _queries.edges_among, _EDGE, records=record_id.tolist())
