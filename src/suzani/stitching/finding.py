"""Subjects as they are found and shown: by an identifier, by their person, with identifiers and evidence."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

from suzani.infra import arrays
from suzani.infra.db import Nested, Tx, fetch, fetch_one, load_queries
from suzani.stitching.rules import Rules
from suzani.stitching.stewarding_store import changes_of
from suzani.stitching.types import Change, Identifier, Link, Subject, Verdict

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_queries = load_queries("suzani.stitching", "finding.sql")

BY_IDENTIFIER: Final = _queries.by_identifier
"""Whose an identifier is, by `kind` and the standard form of its `value`."""

BY_PERSON: Final = _queries.by_person
"""The subject of a person, by `person_id`."""

BY_SUBJECT: Final = _queries.current
"""Who a subject is today, by a `subject_id` that it has or had."""

IDENTIFIERS_OF: Final = Nested(_queries.identifiers, Identifier)
"""The identifiers of `subjects`, of each in the order in which they were first seen."""


async def find(tx: Tx, rules: Rules, kind: str, value: str) -> Subject | None:
    """Whose an identifier is, as people type it; None for one that was never seen.

    Raises NotFound for an unknown kind, InvalidInput for a value that identifies nobody.
    """
    row = await fetch_one(tx, BY_IDENTIFIER, kind=kind, value=rules.name(kind, value))
    return Subject(**row) if row else None


async def subject_of_person(tx: Tx, person_id: int) -> Subject | None:
    """The subject of a person."""
    row = await fetch_one(tx, BY_PERSON, person_id=person_id)
    return Subject(**row) if row else None


async def current_subject(tx: Tx, subject_id: int) -> Subject | None:
    """Who a subject is today, which may have become part of another; None for an unknown id."""
    row = await fetch_one(tx, BY_SUBJECT, subject_id=subject_id)
    return Subject(**row) if row else None


async def identifiers(tx: Tx, subjects: Collection[int]) -> list[Identifier]:
    """The identifiers of subjects, of each in the order in which they were first seen."""
    rows = await fetch(tx, _queries.identifiers, subjects=arrays.integers(subjects))
    return [Identifier(**row) for row in rows]


async def identifiers_by_id(tx: Tx, ids: Collection[int]) -> dict[int, Identifier]:
    """These identifiers, by id."""
    rows = await fetch(tx, _queries.identifiers_by_id, ids=arrays.integers(ids))
    return {row["identifier_id"]: Identifier(**row) for row in rows}


async def links(tx: Tx, subject_id: int) -> list[Link]:
    """All evidence about a subject's identifiers, earliest first, what was refused or taken back as well."""
    rows = await fetch(tx, _queries.links, subject_id=subject_id)
    by_id = await identifiers_by_id(tx, {end for row in rows for end in (row["weak_id"], row["strong_id"])})
    return [
        Link(
            weak=by_id[row["weak_id"]],
            strong=by_id[row["strong_id"]],
            at=_EPOCH + timedelta(microseconds=row["at"]),
            message=row["message"],
            alias=row["alias"],
            verdict=Verdict(row["reason"]),
            change_id=row["change_id"],
        )
        for row in rows
    ]


async def history(tx: Tx, subject_id: int) -> list[Change]:
    """The changes that identifiers went through which a subject has or had, the earliest first."""
    return await changes_of(tx, subject_id)


async def lock_subjects(tx: Tx, subjects: Collection[int]) -> dict[int, int | None]:
    """Lock subjects until `tx` ends, in the order of their ids; the person, or None, of those that live."""
    rows = await fetch(tx, _queries.lock_living, subjects=arrays.integers(subjects)) if subjects else []
    return {row["subject_id"]: row["person_id"] for row in rows}
