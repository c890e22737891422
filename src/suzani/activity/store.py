"""The only SQL of activity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from suzani.infra.db import Tx, fetch, fetch_one, load_queries

queries = load_queries("suzani.activity")


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


async def subject_of(tx: Tx, person_id: int) -> int | None:
    """The subject of a person; None for one of whom no event is known."""
    row = await fetch_one(tx, queries.subject_of, person_id=person_id)
    return row["subject_id"] if row else None
