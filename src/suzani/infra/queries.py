"""Named SQL: a capability keeps its fixed queries in one `queries.sql`, under `-- name: some_name` lines.

What several capabilities know is read in one statement by nesting the queries of each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Generic, TypeAlias, TypeVar

import msgspec
from psycopg import sql

from suzani.kernel import InvalidInput

Row = TypeVar("Row")

_NAME_LINE = re.compile(r"^--\s*name:\s*(\w+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Query:
    """One SQL statement with `%(name)s` places for its parameters."""

    text: str
    name: str = ""


_PLACE = re.compile(r"%%|%\((\w+)\)s")


@cache
def numbered(query: Query) -> tuple[bytes, tuple[str, ...]] | None:
    """The statement as the server takes it, its places numbered, and their names in that order; None if a
    place states a format. The driver would do this each time for a statement of more than 4,096 characters.
    """
    names: dict[str, int] = {}

    def place(found: re.Match[str]) -> str:
        name = found.group(1)
        return "%" if name is None else f"${names.setdefault(name, len(names) + 1)}"

    text = _PLACE.sub(place, query.text)
    return None if "%(" in text else (text.encode(), tuple(names))


Statement: TypeAlias = Query | sql.SQL | sql.Composed
"""What can be run: a named or literal `Query`, or one composed of identifiers by `psycopg.sql`."""


def inlined(query: Query, places: Mapping[str, str]) -> sql.SQL:
    """A query to stand inside another one; `places`: what stands there for each of its parameters."""
    return sql.SQL(query.text.replace("%%", "%%%%") % places)


class Nested(Generic[Row]):
    """A query asked inside another one, where all its rows are one value: a list of `row`.

    A row that is a `dict` has numbers, texts, lists and dicts as JSON has them, fractions as Decimal.
    """

    def __init__(self, query: Query, row: type[Row]) -> None:
        self._query = query
        self._decode = msgspec.json.Decoder(list[row], float_hook=Decimal).decode  # type: ignore[valid-type]

    def column(self, name: str, /, **places: str) -> sql.Composed:
        """The query as a column of that name; `places`: what stands there for each of its parameters."""
        rows = inlined(self._query, places)
        return sql.SQL("(select json_agg(one)::text from ({}) as one) as {}").format(
            rows, sql.Identifier(name)
        )

    def read(self, value: str | None) -> list[Row]:
        """The rows in a value of that column."""
        return [] if value is None else self._decode(value)


class Queries:
    """The queries of one file, as attributes: `queries.strong_edges`."""

    def __init__(self, source: str, queries: dict[str, Query]) -> None:
        self._source = source
        self._queries = queries

    def __getattr__(self, name: str) -> Query:
        try:
            return self._queries[name]
        except KeyError:
            known = ", ".join(sorted(self._queries)) or "none"
            raise AttributeError(f"{self._source} has no query {name!r}; it has: {known}") from None

    def __dir__(self) -> list[str]:
        return sorted(self._queries)


@cache
def load_queries(package: str, file: str = "queries.sql") -> Queries:
    """The queries in `file` of a package, read once.

    Raises InvalidInput when a name is given twice or a block is empty, FileNotFoundError without the file.
    """
    text = (resources.files(package) / file).read_text(encoding="utf-8")
    return Queries(f"{package}/{file}", parse_queries(text, f"{package}/{file}"))


def parse_queries(text: str, source: str) -> dict[str, Query]:
    """Queries by name from the text of a file; what stands before the first name line is a comment."""
    parts = _NAME_LINE.split(text)[1:]
    queries: dict[str, Query] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        statement = body.strip()
        if name in queries or not statement:
            raise InvalidInput(f"{source}: query {name!r} is {'given twice' if name in queries else 'empty'}")
        queries[name] = Query(statement, name)
    return queries


def compiled(statement: Statement) -> sql.SQL | sql.Composed:
    """A statement in the form that psycopg runs; its text comes from the project, never from data."""
    return sql.SQL(statement.text) if isinstance(statement, Query) else statement
