"""The SQL that lets subjects follow their persons."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from suzani.infra.arrays import integers
from suzani.infra.db import Tx, execute, fetch, load_queries
from suzani.stitching.store import Pointer, joined
from suzani.stitching.types import Name

_queries = load_queries("suzani.stitching", "following.sql")

Persons = Collection[int] | None
"""Some persons; None for everyone."""


class Pointing(NamedTuple):
    """An identifier of a kind that points to records, and what it points to."""

    identifier_id: int
    kind: str
    value: str
    subject_id: int
    record_id: int | None
    record_by: str | None


def _persons(persons: Persons) -> str | None:
    return None if persons is None else integers(persons)


async def add_missing_subjects(tx: Tx, persons: Persons, at: datetime) -> int:
    """A subject for each of these persons that lives and has none; returns how many."""
    return await execute(tx, _queries.add_missing_subjects, persons=_persons(persons), at=at)


async def values_of_persons(tx: Tx, persons: Collection[int]) -> list[dict[str, Any]]:
    """system, key, phone, phone_2, email and products of every record of some persons."""
    return await fetch(tx, _queries.values_of_persons, persons=integers(persons))


async def pointing_named(tx: Tx, names: Sequence[Name]) -> list[Pointing]:
    """The identifiers with these names."""
    return [Pointing(**row) for row in await fetch(tx, _queries.pointing_named, **joined(names))]


async def pointing_to_persons(tx: Tx, persons: Collection[int]) -> list[Pointing]:
    """The identifiers that point to records of some persons."""
    rows = await fetch(tx, _queries.pointing_to_persons, persons=integers(persons))
    return [Pointing(**row) for row in rows]


async def pointing_after(tx: Tx, after: int, kinds: Sequence[str], limit: int) -> list[Pointing]:
    """The next identifiers of some kinds by id, but those found by key, which stay."""
    rows = await fetch(tx, _queries.pointing_after, after=after, kinds=list(kinds), limit=limit)
    return [Pointing(**row) for row in rows]


async def misplaced(tx: Tx, persons: Persons) -> set[int]:
    """Subjects with identifiers that lead to other persons than the subject's, as far as these are among
    some."""
    return {row["subject_id"] for row in await fetch(tx, _queries.misplaced, persons=_persons(persons))}


async def followers(tx: Tx, identifiers: Iterable[int]) -> set[int]:
    """Subjects of the users that were seen with some products."""
    rows = await fetch(tx, _queries.followers, identifiers=integers(identifiers))
    return {row["subject_id"] for row in rows}


async def versions(tx: Tx, subjects: Iterable[int]) -> dict[int, int]:
    """The version of each subject."""
    rows = await fetch(tx, _queries.versions, subjects=integers(subjects))
    return {row["subject_id"]: row["version"] for row in rows}


async def persons_at_records(tx: Tx, subjects: Iterable[int]) -> set[int]:
    """The persons that the identifiers of some subjects lead to."""
    rows = await fetch(tx, _queries.persons_at_records, subjects=integers(subjects))
    return {row["person_id"] for row in rows}


async def unsettled(tx: Tx, persons: Persons) -> dict[int, int | None]:
    """Subjects of persons that retired or came back, and the subject that each is part of now, or None."""
    rows = await fetch(tx, _queries.unsettled, persons=_persons(persons))
    return {row["subject_id"]: row["target"] for row in rows}


async def settle(tx: Tx, targets: Mapping[int, int | None]) -> None:
    """Let subjects be part of others, or of none."""
    await execute(tx, _queries.settle, subjects=integers(targets), targets=integers(targets.values()))


async def point(tx: Tx, pointers: Mapping[int, Pointer | None]) -> None:
    """Let identifiers lead to records, or to none."""
    found = list(pointers.values())
    await execute(
        tx,
        _queries.point,
        ids=integers(pointers),
        records=integers(one.record_id if one else None for one in found),
        by=[one.by if one else None for one in found],
    )


async def subjects_of_persons(tx: Tx, persons: Collection[int]) -> set[int]:
    """The subjects of some persons."""
    rows = await fetch(tx, _queries.subjects_of_affected, persons=integers(persons))
    return {row["subject_id"] for row in rows}
