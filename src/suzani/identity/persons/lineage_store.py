"""The SQL of lineage and of stewards' constraints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from suzani.identity.persons.constraints import Link
from suzani.identity.persons.types import Cause, Change, Constraint, Kind, NewChange
from suzani.infra.db import Tx, execute, fetch, fetch_one, load_queries

Ints = npt.NDArray[np.int64]
Row = dict[str, Any]

_queries = load_queries("suzani.identity.persons", "lineage.sql")


async def change(tx: Tx, change_id: int) -> Change | None:
    """A change, None when there is none with this id."""
    row = await fetch_one(tx, _queries.change, change_id=change_id)
    return _change(row) if row else None


async def changes(tx: Tx, change_ids: Sequence[int]) -> dict[int, Change]:
    """These changes by id."""
    rows = await fetch(tx, _queries.changes, changes=list(change_ids))
    return {row["change_id"]: _change(row) for row in rows}


def _change(row: Row) -> Change:
    persons = None if row["persons"] is None else tuple(row["persons"])
    return Change(**{**row, "cause": Cause(row["cause"]), "persons": persons})


async def undos(tx: Tx, change_id: int) -> list[Row]:
    """All undos of a change, undos of these, and so on: change_id, undoes, persons."""
    return await fetch(tx, _queries.undos, change_id=change_id)


async def merges_and_splits(tx: Tx, change_id: int) -> list[tuple[int, int]]:
    """Which persons gave records to which in a change."""
    rows = await fetch(tx, _queries.merges_and_splits, change_id=change_id)
    return [(row["from_person"], row["to_person"]) for row in rows]


async def before_change(tx: Tx, change_id: int, persons: Sequence[int]) -> list[Row]:
    """Records that still live of persons as they were just before a change: record_id, and then_person,
    after_person and now_person: theirs before the change, after it, and now."""
    return await fetch(tx, _queries.before_change, change_id=change_id, persons=list(persons))


def _column(rows: Sequence[Row], name: str) -> Ints:
    return np.array([row[name] for row in rows], dtype=np.int64)


async def persons_at(tx: Tx, record_ids: Sequence[int], at: datetime) -> dict[int, int]:
    """The person of each record at a moment; a record that had none is left out."""
    rows = await fetch(tx, _queries.persons_at, records=list(record_ids), at=at)
    return {row["record_id"]: row["person_id"] for row in rows}


async def person(tx: Tx, person_id: int) -> Row | None:
    """person_id, created_at, retired_at, merged_into, and the change_id that created the person."""
    return await fetch_one(tx, _queries.person, person_id=person_id)


async def survivor(tx: Tx, person_id: int) -> int | None:
    """The live person that an id leads to; None where it leads to nobody."""
    row = await fetch_one(tx, _queries.survivor, person_id=person_id)
    return row["person_id"] if row else None


async def retired_among(tx: Tx, persons: Sequence[int]) -> tuple[int, ...]:
    """Those of these persons that are retired."""
    rows = await fetch(tx, _queries.retired_among, persons=list(persons))
    return tuple(row["person_id"] for row in rows)


async def taken_over(tx: Tx, person_id: int) -> tuple[int, ...]:
    """Persons that were merged into this one."""
    return tuple(row["person_id"] for row in await fetch(tx, _queries.taken_over, person_id=person_id))


async def went_to(tx: Tx, person_id: int) -> dict[int, int]:
    """Persons of today with records that left this one, and how many."""
    rows = await fetch(tx, _queries.went_to, person_id=person_id)
    return {row["person_id"]: row["records"] for row in rows}


async def records_of_persons(tx: Tx, persons: Sequence[int]) -> tuple[Ints, Ints]:
    """Records of these persons and the person of each, by record."""
    rows = await fetch(tx, _queries.records_of_persons, persons=list(persons))
    return _column(rows, "record_id"), _column(rows, "person_id")


async def persons_of_records(tx: Tx, records: Sequence[int]) -> dict[int, int]:
    """The person of each of these records that has one."""
    rows = await fetch(tx, _queries.persons_of_records, records=list(records))
    return {row["record_id"]: row["person_id"] for row in rows}


async def record_names(tx: Tx, records: Sequence[int]) -> dict[int, Row]:
    """record_id, system, key and deleted_at of records, by id."""
    rows = await fetch(tx, _queries.record_names, records=list(records))
    return {row["record_id"]: row for row in rows}


async def records_named(tx: Tx, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Ids of records by system and key; unknown ones are left out."""
    systems, keys = [system for system, _ in names], [key for _, key in names]
    rows = await fetch(tx, _queries.records_named, systems=systems, keys=keys)
    return {(row["system"], row["key"]): row["record_id"] for row in rows}


async def person_moves(tx: Tx, person_id: int) -> list[Row]:
    """Moves from and to a person: change_id, record_id, from_person, to_person, system, key."""
    return await fetch(tx, _queries.person_moves, person_id=person_id)


async def first_records(tx: Tx, person_id: int) -> list[Row]:
    """Records that a person was created with in a run that kept no moves: record_id, system, key."""
    return await fetch(tx, _queries.first_records, person_id=person_id)


async def record_moves(tx: Tx, record_id: int) -> list[Row]:
    """Moves of a record, earliest first."""
    return await fetch(tx, _queries.record_moves, record_id=record_id)


async def membership_of(tx: Tx, record_id: int) -> Row | None:
    """person_id, since and change_id of a record's membership."""
    return await fetch_one(tx, _queries.membership_of, record_id=record_id)


async def active_links(tx: Tx) -> list[Link]:
    """Everything that stewards said and nobody took back."""
    return _links(await fetch(tx, _queries.active_links))


async def active_of_change(tx: Tx, change_id: int) -> list[Link]:
    """What a change said and nobody took back."""
    return _links(await fetch(tx, _queries.active_of_change, change_id=change_id))


async def revoked_by_change(tx: Tx, change_id: int) -> list[Link]:
    """What a change took back."""
    return _links(await fetch(tx, _queries.revoked_by_change, change_id=change_id))


def _links(rows: Sequence[Row]) -> list[Link]:
    return [Link(Kind(r["kind"]), r["record_a"], r["record_b"], r["constraint_id"]) for r in rows]


async def constraints(
    tx: Tx,
    *,
    ids: Sequence[int] | None = None,
    records: Sequence[int] | None = None,
    active: bool = True,
) -> list[Constraint]:
    """Constraints with these ids, about these records, or all; revoked ones too if not `active`."""
    given = {"ids": ids, "records": records}
    lists = {name: None if values is None else list(values) for name, values in given.items()}
    rows = await fetch(tx, _queries.constraints, **lists, active=active)
    return [Constraint(**{**row, "kind": Kind(row["kind"])}) for row in rows]


async def add_constraints(
    tx: Tx, links: Sequence[Link], new: NewChange, change_id: int, at: datetime
) -> tuple[int, ...]:
    """Store what a change said, but for pairs about which it is said already; returns the ids."""
    columns = {
        "kinds": [link.kind.value for link in links],
        "a": [link.a for link in links],
        "b": [link.b for link in links],
    }
    facts = {"actor": new.actor, "reason": new.reason, "change_id": change_id, "at": at}
    rows = await fetch(tx, _queries.add_constraints, **columns, **facts)
    return tuple(row["constraint_id"] for row in rows)


async def revoke_constraints(
    tx: Tx, ids: Sequence[int], new: NewChange, change_id: int, at: datetime
) -> None:
    """Take constraints back."""
    facts = {"actor": new.actor, "change_id": change_id, "at": at}
    await execute(tx, _queries.revoke_constraints, ids=list(ids), **facts)


async def count_revoked(tx: Tx) -> int:
    """How many constraints were ever taken back."""
    row = await fetch_one(tx, _queries.count_revoked)
    return int(row["count"]) if row else 0
