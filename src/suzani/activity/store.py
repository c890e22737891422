"""The only SQL of activity."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from suzani.activity.rows import EVENT_COLUMNS, microseconds
from suzani.activity.states import SubjectState
from suzani.infra import arrays
from suzani.infra.db import Tx, execute, fetch, fetch_one, load_queries
from suzani.kernel import InvalidInput
from suzani.traits import Plan

queries = load_queries("suzani.activity")


async def seen(tx: Tx, messages: Sequence[bytes]) -> set[bytes]:
    """Which of these messages are kept already."""
    rows = await fetch(tx, queries.seen, messages=arrays.uuids(messages))
    return {row["message"].bytes for row in rows}


async def add_events(tx: Tx, rows: bytes) -> None:
    """Keep events, packed by `rows.packed`. Raises UniqueViolation for one that is kept already."""
    names = sql.SQL(", ").join(map(sql.Identifier, EVENT_COLUMNS))
    statement = sql.SQL("copy activity.event ({}) from stdin (format binary)").format(names)
    async with tx.cursor() as cursor, cursor.copy(statement) as copy:
        await copy.write(rows)


async def events_of(tx: Tx, subjects: Collection[int]) -> list[dict[str, Any]]:
    """Every event of some subjects, with `subject_id`, in order of the subjects."""
    return await fetch(tx, queries.events_of, subjects=arrays.integers(subjects))


async def states(tx: Tx, plan: Plan, subjects: Collection[int]) -> dict[int, SubjectState]:
    """The states of these subjects; one without events has an empty one."""
    found = {subject: SubjectState(plan.empty()) for subject in subjects}
    for row in await fetch(tx, queries.states, subjects=arrays.integers(subjects)):
        first_at, last_at = _us(row["first_at"]), _us(row["last_at"])
        try:
            traits, is_lost = plan.decode(row["state"]), False
        except InvalidInput:
            traits, is_lost = plan.empty(), True
        found[row["subject_id"]] = SubjectState(
            traits, row["events"], first_at, last_at, row["version"], _us(row["next_change"]), is_lost
        )
    return found


async def save_states(tx: Tx, plan: Plan, states: Mapping[int, SubjectState], now: int) -> None:
    """Keep the states of subjects. `now` in microseconds: what no value can read any more is left out."""
    if not states:
        return
    kept = states.values()
    await execute(
        tx,
        queries.save_states,
        subjects=arrays.integers(states),
        states=arrays.binaries([plan.encode(state.traits, now) for state in kept]),
        events=arrays.integers([state.events for state in kept]),
        first=arrays.integers([state.first_at for state in kept]),
        last=arrays.integers([state.last_at for state in kept]),
        next=arrays.integers([state.next_change for state in kept]),
    )


async def drop_states(tx: Tx, subjects: Collection[int]) -> None:
    """Forget the states of subjects that are no more."""
    if subjects:
        await execute(tx, queries.drop_states, subjects=arrays.integers(subjects))


async def timeline(tx: Tx, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Events newest first; `params` are those of the query."""
    return await fetch(tx, queries.timeline, **params)


async def facets(tx: Tx, subject_id: int) -> list[dict[str, Any]]:
    """Numbers of events by channel, type and name."""
    return await fetch(tx, queries.facets, subject_id=subject_id)


async def version(tx: Tx, subject_id: int) -> int:
    """The version of a subject's state; 0 for one without events."""
    row = await fetch_one(tx, queries.version, subject_id=subject_id)
    return row["version"] if row else 0


async def due(tx: Tx, now: datetime, limit: int) -> list[int]:
    """Subjects of which time alone has changed something by now, the longest due first."""
    return [row["subject_id"] for row in await fetch(tx, queries.due, now=now, limit=limit)]


@dataclass(frozen=True, slots=True)
class Sweep:
    """How far all subjects have been gone through by the rules of a digest; None: all of them."""

    digest: str
    position: int | None


async def sweep(tx: Tx) -> Sweep | None:
    """The sweep under way or the last one, held until `tx` ends; None while another process holds it."""
    row = await fetch_one(tx, queries.sweep)
    return Sweep(**row) if row else None


async def save_sweep(tx: Tx, sweep: Sweep) -> None:
    """Keep how far a sweep is."""
    await execute(tx, queries.save_sweep, digest=sweep.digest, position=sweep.position)


async def persons_of(tx: Tx, subjects: Collection[int]) -> dict[int, int | None]:
    """The person, or None, of each of these subjects."""
    rows = await fetch(tx, queries.persons_of, subjects=arrays.integers(subjects))
    return {row["subject_id"]: row["person_id"] for row in rows}


async def restart_sweep(tx: Tx) -> None:
    """Have all subjects gone through again."""
    await execute(tx, queries.restart_sweep)


async def subjects_after(tx: Tx, position: int, limit: int) -> list[int]:
    """The next living subjects in order of their ids."""
    rows = await fetch(tx, queries.subjects_after, position=position, limit=limit)
    return [row["subject_id"] for row in rows]


def _us(at: datetime | None) -> int | None:
    return None if at is None else microseconds(at)
