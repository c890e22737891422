"""The only SQL of activity."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from psycopg import sql
from psycopg.rows import tuple_row

from suzani.activity.rows import EVENT_COLUMNS, microseconds
from suzani.activity.states import SubjectState
from suzani.infra import arrays
from suzani.infra.db import Tx, execute, fetch, fetch_one, load_queries
from suzani.infra.queries import compiled
from suzani.kernel import Conflict, InvalidInput
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


async def states(
    tx: Tx, plan: Plan, subjects: Collection[int], known: Mapping[int, SubjectState] | None = None
) -> dict[int, SubjectState]:
    """The states of these subjects; one without events has an empty one. Of a `known` one that the database
    has in the same version the very object is given."""
    known = known or {}
    found = {subject: known.get(subject) for subject in subjects}
    for row in await _differing(
        tx, {subject: state.version if state else 0 for subject, state in found.items()}
    ):
        found[row[0]] = _state(plan, *row[1:])
    return {subject: state or SubjectState(plan.empty()) for subject, state in found.items()}


async def _differing(tx: Tx, versions: Mapping[int, int]) -> list[tuple[Any, ...]]:
    """Rows of the states that are kept in other versions than these."""
    async with tx.cursor(binary=True, row_factory=tuple_row) as cursor:
        subjects, known = arrays.integers(versions), arrays.integers(versions.values())
        await cursor.execute(compiled(queries.states), {"subjects": subjects, "versions": known})
        return await cursor.fetchall()


def _state(
    plan: Plan, data: bytes, events: int, first_at: datetime | None, last_at: datetime | None, version: int,
    next_change: datetime | None,
) -> SubjectState:  # fmt: skip
    try:
        traits, is_lost = plan.decode(data), False
    except InvalidInput:
        traits, is_lost = plan.empty(), True
    return SubjectState(traits, events, _us(first_at), _us(last_at), version, _us(next_change), is_lost)


async def save_states(tx: Tx, plan: Plan, states: Mapping[int, SubjectState], now: int) -> None:
    """Keep the states of subjects, which thereby get their next version. `now` in microseconds: what no value
    can read any more is left out. Raises Conflict when one is not there any more."""
    old = {subject: state for subject, state in states.items() if state.version}
    new = {subject: state for subject, state in states.items() if not state.version}
    for query, some in ((queries.update_states, old), (queries.add_states, new)):
        if some and await execute(tx, query, **_columns(plan, some, now)) != len(some):
            raise Conflict("the state of a subject is gone", hint="Try again: somebody else changed it.")
    for state in states.values():
        state.version += 1


def _columns(plan: Plan, states: Mapping[int, SubjectState], now: int) -> dict[str, Any]:
    """States as parameters; the encoded traits as one text of bytes, which costs neither side much."""
    kept = states.values()
    encoded = [plan.encode(state.traits, now) for state in kept]
    lengths = list(map(len, encoded))
    return {
        "subjects": arrays.integers(states),
        "encoded": b"".join(encoded),
        "places": arrays.integers(accumulate(lengths[:-1], initial=1)),
        "lengths": arrays.integers(lengths),
        "events": arrays.integers([state.events for state in kept]),
        "first": arrays.integers([state.first_at for state in kept]),
        "last": arrays.integers([state.last_at for state in kept]),
        "next": arrays.integers([state.next_change for state in kept]),
    }


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
