"""The only SQL of segments."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from suzani.infra.arrays import integers
from suzani.infra.db import Nested, Tx, execute, fetch, load_queries
from suzani.segments.reading import Segment
from suzani.segments.types import Change, Membership

queries = load_queries("suzani.segments")

SEGMENTS_OF = Nested(queries.segments_of, Membership)
"""The segments of a `subject_id`, by name."""


async def lock_definitions(tx: Tx) -> None:
    """Wait for others who put definitions in force, until the end of `tx`."""
    await execute(tx, queries.lock_definitions)


async def definitions(tx: Tx) -> dict[str, dict[str, Any]]:
    """The definitions in force, by name."""
    return {row["name"]: row for row in await fetch(tx, queries.definitions)}


async def put_in_force(tx: Tx, segments: Sequence[Segment], at: datetime) -> None:
    """Keep these definitions, in place of those of the same names."""
    await execute(
        tx,
        queries.put_in_force,
        names=[segment.name for segment in segments],
        titles=[segment.title for segment in segments],
        rules=[json.dumps(segment.declared, default=str) for segment in segments],
        digests=[segment.digest for segment in segments],
        at=at,
    )


async def retire(tx: Tx, declared: Iterable[str], at: datetime) -> list[str]:
    """Retire every definition but the declared ones; returns their names."""
    return [row["name"] for row in await fetch(tx, queries.retire, names=list(declared), at=at)]


async def leave_retired(tx: Tx, at: datetime) -> list[Change]:
    """Let everyone leave the segments that are retired."""
    rows = await fetch(tx, queries.leave_retired, at=at)
    return [Change(row["subject_id"], row["segment"], entered=False, at=at) for row in rows]


async def settle(tx: Tx, names: Collection[str]) -> None:
    """Note that everyone has been held against these definitions as they are."""
    await execute(tx, queries.settle, names=list(names))


async def apply_changes(tx: Tx, changes: Sequence[Change], at: datetime) -> list[Change]:
    """Write changes and their history; returns, in order, those that were not so already."""
    if not changes:
        return []
    rows = await fetch(
        tx,
        queries.apply_changes,
        subjects=integers([change.subject_id for change in changes]),
        segments=[change.segment for change in changes],
        entered=[change.entered for change in changes],
        at=at,
    )
    done = {(row["subject_id"], row["segment"], row["entered"]) for row in rows}
    return [change for change in changes if (change.subject_id, change.segment, change.entered) in done]


async def memberships(tx: Tx, subjects: Collection[int]) -> dict[int, frozenset[str]]:
    """The segments of these subjects; none for those left out."""
    rows = await fetch(tx, queries.memberships, subjects=integers(subjects)) if subjects else []
    return {row["subject_id"]: frozenset(row["segments"]) for row in rows}


async def segments_of(tx: Tx, subject_id: int) -> list[Membership]:
    """The segments of a subject, by name."""
    return [Membership(**row) for row in await fetch(tx, queries.segments_of, subject_id=subject_id)]


async def members(tx: Tx, segment: str, after: int, limit: int) -> list[Membership]:
    """At most `limit` members of a segment with greater ids than `after`, ascending."""
    rows = await fetch(tx, queries.members, segment=segment, after=after, limit=limit)
    return [Membership(**row) for row in rows]


async def counts(tx: Tx) -> dict[str, int]:
    """How many members each segment has."""
    return {row["name"]: row["members"] for row in await fetch(tx, queries.counts)}


async def history(tx: Tx, subject_id: int, limit: int) -> list[Change]:
    """What a subject has entered and left, newest first."""
    return [Change(**row) for row in await fetch(tx, queries.history, subject_id=subject_id, limit=limit)]
