"""The timeline of a subject: every event of every identifier it has, newest first, a page at a time."""

from __future__ import annotations

import re
from typing import Any, Final

from suzani import stitching
from suzani.activity import store
from suzani.activity.types import Cursor, Facet, TimelineEntry, TimelineFilter, TimelinePage
from suzani.infra.db import Tx

EVERYTHING: Final = TimelineFilter()
_LIKE = re.compile(r"([\\%_])")


async def timeline(
    tx: Tx,
    subject_id: int,
    wanted: TimelineFilter = EVERYTHING,
    before: Cursor | None = None,
    limit: int = 50,
) -> TimelinePage:
    """At most `limit` events of a subject, older than `before`, newest first."""
    rows = await store.timeline(tx, _params(subject_id, wanted, before, limit + 1))
    entries = tuple(TimelineEntry(**row) for row in rows[:limit])
    last = entries[-1] if len(rows) > limit else None
    return TimelinePage(entries, Cursor(last.at, last.message) if last else None)


async def facets(tx: Tx, subject_id: int) -> list[Facet]:
    """What there is to filter by, most frequent first."""
    return [Facet(**row) for row in await store.facets(tx, subject_id)]


async def subject_of(tx: Tx, person_id: int) -> int | None:
    """The subject of a person; None for one of whom nothing was ever seen."""
    subject = await stitching.subject_of_person(tx, person_id)
    return subject.subject_id if subject else None


async def version(tx: Tx, subject_id: int) -> int:
    """A number that grows with every event of a subject; 0 without events."""
    return await store.version(tx, subject_id)


def _params(subject_id: int, wanted: TimelineFilter, before: Cursor | None, limit: int) -> dict[str, Any]:
    text = wanted.text.strip()
    return {
        "subject_id": subject_id,
        "at": before.at if before else None,
        "message": before.message if before else None,
        "channels": sorted(wanted.channels) or None,
        "types": sorted(wanted.types) or None,
        "names": sorted(wanted.names) or None,
        "since": wanted.since,
        "until": wanted.until,
        "pattern": f"%{_escaped(text)}%" if text else None,
        "limit": limit,
    }


def _escaped(text: str) -> str:
    """Text without any meaning to LIKE."""
    return _LIKE.sub(r"\\\1", text)
