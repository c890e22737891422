"""The rows of a query on another database, through SQLAlchemy, fetched a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from suzani.kernel import InvalidInput, Unavailable
from suzani.sources.readers.rows import Row, Source, batch_of_rows, json_of, text_of, unique_names
from suzani.sources.types import Limits, RawBatch, Sql


@contextmanager
def open_sql(sql: Sql, wanted: tuple[str, ...] | None, limits: Limits) -> Iterator[Source]:
    """The rows of a query. Raises `InvalidInput` for a wrong address or query, else `Unavailable`."""
    try:
        engine = sa.create_engine(sql.url)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise InvalidInput(
            f"cannot use the database address: {error}", hint="Example: postgresql+psycopg://user@host/name"
        ) from error
    try:
        with engine.connect() as connection:
            result = connection.execution_options(stream_results=True).execute(sa.text(sql.query))
            if not result.returns_rows:
                raise InvalidInput("the statement gives no rows", hint="Give a SELECT.")
            names = unique_names(list(result.keys()))
            with closing(result):
                yield Source(names, True, _batches(result, names, wanted, limits))
    except sa.exc.OperationalError as error:
        raise Unavailable(f"the other database does not answer or refuses: {_first_line(error)}") from error
    except SQLAlchemyError as error:
        raise InvalidInput(f"the query failed: {_first_line(error)}") from error
    finally:
        engine.dispose()


def _first_line(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]


def _batches(
    result: sa.CursorResult[Any], names: tuple[str, ...], wanted: tuple[str, ...] | None, limits: Limits
) -> Iterator[RawBatch]:
    kept = names if wanted is None else wanted
    places = [names.index(name) if name in names else None for name in kept]
    first = 1
    while part := result.fetchmany(limits.batch_rows):
        rows: list[Row] = [tuple(None if i is None else text_of(row[i]) for i in places) for row in part]
        numbers = range(first, first + len(rows))
        yield batch_of_rows(kept, rows, numbers, _raw_of(kept, rows), limits, [])
        first += len(rows)


def _raw_of(names: tuple[str, ...], rows: list[Row]) -> Any:
    return lambda i: json_of(dict(zip(names, rows[i], strict=True)))
