"""The SQL by which profiles are read: what every capability knows of somebody, in one statement."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from psycopg import sql

from suzani import profiles, segments, stitching
from suzani.infra.db import Query, Tx, fetch_one, load_queries
from suzani.infra.queries import inlined

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
    """A query that finds a subject, and its parameters: numbers and texts."""

    query: Query
    params: Mapping[str, int | str]


async def subject(tx: Tx, who: Who) -> dict[str, Any] | None:
    """The subject that is found, None for nobody."""
    return await fetch_one(tx, who.query, **who.params)


async def profiles_of(tx: Tx, who: Sequence[Who], parts: Collection[str]) -> dict[int, dict[str, Any]]:
    """The subjects that are found, with the columns of some of PARTS, by place in `who`; its queries are one
    and the same."""
    statement = _statement(who[0].query, tuple(map(_typed, who[0].params.items())), frozenset(parts))
    asked = [{"place": place, **one.params} for place, one in enumerate(who)]
    cursor = tx.cursor(binary=True)
    await cursor.execute(statement, {"asked": msgspec.json.encode(asked).decode()}, prepare=True)
    return {row["place"]: row for row in await cursor.fetchall()}


def _typed(param: tuple[str, int | str]) -> tuple[str, str]:
    """A parameter's name, and the database's type of its value."""
    name, value = param
    return name, "text" if isinstance(value, str) else "bigint"


@lru_cache(256)
def _statement(who: Query, names: Sequence[tuple[str, str]], parts: frozenset[str]) -> bytes:
    columns = dict.fromkeys(column.as_string() for part, column in _COLUMNS.items() if part in parts)
    statement = sql.SQL(_queries.profiles.text).format(
        who=inlined(who, {name: f"asked.{name}" for name, _ in names}),
        names=sql.SQL(", ".join(f"{name} {kind}" for name, kind in names)),
        columns=sql.SQL(", ").join(map(sql.SQL, columns)),
    )
    return statement.as_bytes()
