"""What became of persons and records: every change with its cause, and who was who at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from suzani.identity.persons import lineage_store
from suzani.identity.persons.types import Change
from suzani.infra.db import Tx
from suzani.kernel import NotFound


@dataclass(frozen=True, slots=True)
class Moved:
    """A record that came from a person, or from none (new), and went to one, or to none (gone)."""

    record_id: int
    system: str | None
    key: str | None
    from_person: int | None
    to_person: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """One change in the life of a person: why, and which records came and left."""

    change: Change
    came: tuple[Moved, ...]
    left: tuple[Moved, ...]


@dataclass(frozen=True, slots=True)
class Stay:
    """A record's time with a person; `since` is None where it is not known, `until` where it lasts. `change`
    brought it there."""

    person_id: int
    since: datetime | None
    until: datetime | None
    change: Change | None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What an id stands for today.

    `current` is the id itself, or where it leads to, or None when all its records are gone; `records` are
    those of the id itself as (record id, system, key); `went_to` has the persons of today that hold records
    which left this one, with their number; `taken_over` the ids that were merged into this one.
    """

    person_id: int
    current: int | None
    created_at: datetime
    retired_at: datetime | None
    merged_into: int | None
    records: tuple[tuple[int, str, str], ...]
    went_to: dict[int, int]
    taken_over: tuple[int, ...]


async def whereabouts(tx: Tx, person_id: int) -> Whereabouts:
    """Where a person is today. Raises NotFound for an id that never was a person's."""
    row = await _person(tx, person_id)
    record_ids, _ = await lineage_store.records_of_persons(tx, [person_id])
    names = await lineage_store.record_names(tx, record_ids.tolist())
    return Whereabouts(
        person_id=person_id,
        current=await lineage_store.survivor(tx, person_id),
        created_at=row["created_at"],
        retired_at=row["retired_at"],
        merged_into=row["merged_into"],
        records=tuple((r["record_id"], r["system"], r["key"]) for r in names.values()),
        went_to=await lineage_store.went_to(tx, person_id),
        taken_over=await lineage_store.taken_over(tx, person_id),
    )


async def current_ids(tx: Tx, person_id: int) -> tuple[int, ...]:
    """The persons of today that an id stands for: itself or who took over first, then those that records went
    to. Raises NotFound for an id that never was a person's."""
    found = await whereabouts(tx, person_id)
    first = () if found.current is None else (found.current,)
    return (*first, *(person for person in found.went_to if person not in first))


async def history(tx: Tx, person_id: int) -> tuple[Event, ...]:
    """The changes of a person, earliest first. Raises NotFound for an id that never was a person's."""
    row = await _person(tx, person_id)
    moves: dict[int, list[Moved]] = {}
    for move in await lineage_store.person_moves(tx, person_id):
        moves.setdefault(move["change_id"], []).append(_moved(move))
    if row["change_id"] is not None:
        first = [
            _moved({**record, "from_person": None, "to_person": person_id})
            for record in await lineage_store.first_records(tx, person_id)
        ]
        known = {moved.record_id for moved in moves.get(row["change_id"], [])}
        own = moves.setdefault(row["change_id"], [])
        own += [moved for moved in first if moved.record_id not in known]
    changes = await lineage_store.changes(tx, list(moves))
    return tuple(
        Event(
            change,
            came=tuple(moved for moved in moves[change_id] if moved.to_person == person_id),
            left=tuple(moved for moved in moves[change_id] if moved.from_person == person_id),
        )
        for change_id, change in sorted(changes.items())
    )


async def record_history(tx: Tx, record_id: int) -> tuple[Stay, ...]:
    """The persons a record belonged to, earliest first. Raises NotFound for a record that never was."""
    if not await lineage_store.record_names(tx, [record_id]):
        raise NotFound(f"there is no record {record_id}")
    moves = await lineage_store.record_moves(tx, record_id)
    membership = await lineage_store.membership_of(tx, record_id)
    brought = [await _founding(tx, moves), *(move["change_id"] for move in moves)]
    if membership and not moves:
        brought = [membership["change_id"]]
    changes = await lineage_store.changes(tx, [number for number in brought if number])
    stays = [
        Stay(move["from_person"], move["from_since"], move["at"], changes.get(before or 0))
        for before, move in zip(brought, moves, strict=False)
        if move["from_person"] is not None
    ]
    if membership:
        last = changes.get(brought[-1] or 0)
        stays.append(Stay(membership["person_id"], membership["since"], None, last))
    return tuple(stays)


async def _founding(tx: Tx, moves: Sequence[dict[str, Any]]) -> int | None:
    """The change that brought a record to the person it first left; the first run keeps no moves, but made
    that person."""
    if not moves or moves[0]["from_person"] is None:
        return None
    person = await lineage_store.person(tx, moves[0]["from_person"])
    return person["change_id"] if person else None


async def persons_at(tx: Tx, record_ids: Sequence[int], moment: datetime) -> dict[int, int]:
    """The person of each of these records at a moment; a record that had none is left out."""
    return await lineage_store.persons_at(tx, record_ids, moment)


async def _person(tx: Tx, person_id: int) -> dict[str, Any]:
    row = await lineage_store.person(tx, person_id)
    if row is None:
        raise NotFound(f"no person has the id {person_id}")
    return row


def _moved(row: dict[str, Any]) -> Moved:
    return Moved(row["record_id"], row["system"], row["key"], row["from_person"], row["to_person"])
