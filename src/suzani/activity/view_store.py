"""The SQL by which a profile is read: what every capability knows of somebody, in one statement."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from psycopg import sql

from suzani import profiles, segments, stitching
from suzani.infra.db import Query, Tx, fetch_one, load_queries

_queries = load_queries("suzani.activity", "view.sql")

_GOLDEN: Final = profiles.GOLDEN_OF.column("golden", persons="array[who.person_id]")
_COLUMNS: Final[Mapping[str, sql.Composable]] = {
    "profile": _GOLDEN,
    "consent": _GOLDEN,
    "products": profiles.PRODUCTS_OF.column("products", persons="array[who.person_id]"),
    "traits": sql.SQL("kept.state, kept.events, kept.first_at, kept.last_at"),
    "segments": segments.SEGMENTS_OF.column("segments", subject_id="who.subject_id"),
    "identifiers": stitching.IDENTIFIERS_OF.column("identifiers", subjects="array[who.subject_id]"),
}

PARTS: Final = tuple(_COLUMNS)
"""What a profile consists of; a channel may ask for some."""


class Who(NamedTuple):
    """A query that finds a subject, and its parameters."""

    query: Query
    params: Mapping[str, Any]


async def subject(tx: Tx, who: Who) -> dict[str, Any] | None:
    """The subject that is found, None for nobody."""
    return await fetch_one(tx, who.query, **who.params)


async def profile(tx: Tx, who: Who, parts: Collection[str]) -> dict[str, Any] | None:
    """The subject that is found, with the columns of some of PARTS; None for nobody."""
    cursor = tx.cursor(binary=True)
    await cursor.execute(_statement(who.query, frozenset(parts)), who.params, prepare=True)
    return await cursor.fetchone()


@lru_cache(256)
def _statement(who: Query, parts: frozenset[str]) -> bytes:
    columns = dict.fromkeys(column.as_string() for part, column in _COLUMNS.items() if part in parts)
    statement = sql.SQL(_queries.profile.text).format(
        who=sql.SQL(who.text), columns=sql.SQL(", ").join(map(sql.SQL, columns))
    )
    return statement.as_bytes()
