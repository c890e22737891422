"""Arrow tables into and out of PostgreSQL by COPY, a batch at a time, without a Python object per value."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pyarrow as pa
import pyarrow.csv as pacsv
from psycopg import sql

from suzani.infra.literals import as_text_columns, from_text_columns, reader_type, select_expression
from suzani.infra.queries import Query, Statement
from suzani.kernel import InvalidInput

_BATCH_ROWS: Final = 32_768
_PARSE_BYTES: Final = 16 * 1024 * 1024
_WRITE = pacsv.WriteOptions(include_header=False, quoting_style="all_valid", batch_size=8_192)


async def copy_in(
    tx: psycopg.AsyncConnection[dict[str, Any]], target: str, table: pa.Table | pa.RecordBatch
) -> int:
    """COPY a table into `target` (`schema.table`, or a temporary table) by column names; returns the rows.

    Runs in the caller's transaction. Null and '' stay distinct, and any text is safe. Lists become
    PostgreSQL arrays, binary becomes bytea, structs and maps become JSON.
    Raises InvalidInput for text with a NUL character, which PostgreSQL cannot store.
    """
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in table.schema.names)
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
        sql.Identifier(*target.split(".")), columns
    )
    async with tx.cursor() as cursor, cursor.copy(statement) as copy:
        for batch in _batches(table):
            await copy.write(await asyncio.to_thread(_encoded, batch))
    return int(table.num_rows)


def _batches(table: pa.Table | pa.RecordBatch) -> Iterator[pa.Table]:
    whole = pa.Table.from_batches([table]) if isinstance(table, pa.RecordBatch) else table
    for start in range(0, whole.num_rows, _BATCH_ROWS):
        yield whole.slice(start, _BATCH_ROWS)


def _encoded(batch: pa.Table) -> memoryview:
    """A batch as CSV: every value quoted, so that only a null is an empty unquoted field."""
    sink = pa.BufferOutputStream()
    pacsv.write_csv(as_text_columns(batch), sink, _WRITE)
    data = sink.getvalue()
    if b"\0" in data.to_pybytes():
        raise _nul_error(batch)
    return memoryview(data)


def _nul_error(batch: pa.Table) -> InvalidInput:
    text = as_text_columns(batch)
    names = [
        name
        for name in text.schema.names
        if any("\0" in str(value) for value in text.column(name).to_pylist() if value is not None)
    ]
    return InvalidInput(
        f"a NUL character in {', '.join(names)}",
        hint="PostgreSQL cannot store it in text; such a row belongs in quarantine.",
    )


async def copy_out(
    tx: psycopg.AsyncConnection[dict[str, Any]],
    query: Statement,
    schema: pa.Schema,
    /,
    **params: Any,
) -> pa.Table:
    """The columns that `schema` names of a query's result, as an Arrow table of exactly that schema.

    Null and '' stay distinct. PostgreSQL arrays come back as lists, bytea as binary.
    """
    statement = sql.SQL("copy (select {} from ({}) as q) to stdout (format csv, force_quote *)").format(
        sql.SQL(", ").join(select_expression(field) for field in schema), _text_of(query)
    )
    pieces: list[pa.Table] = []
    async with tx.cursor() as cursor, cursor.copy(statement, params) as copy:
        buffered, rows = 0, list[memoryview]()
        async for row in copy:
            rows.append(memoryview(row))
            buffered += len(row)
            if buffered >= _PARSE_BYTES:
                pieces.append(await asyncio.to_thread(_decoded, rows, schema))
                buffered, rows = 0, []
        if rows:
            pieces.append(await asyncio.to_thread(_decoded, rows, schema))
    return pa.concat_tables(pieces) if pieces else schema.empty_table()


def _text_of(query: Statement) -> sql.Composable:
    return sql.SQL(query.text.rstrip().rstrip(";")) if isinstance(query, Query) else query


def _decoded(rows: list[memoryview], schema: pa.Schema) -> pa.Table:
    """Whole CSV rows as a table; rows are complete because the server sends one per message."""
    data = b"".join(rows)
    table = pacsv.read_csv(
        pa.BufferReader(data),
        read_options=pacsv.ReadOptions(column_names=schema.names, block_size=max(len(data), 1)),
        parse_options=pacsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pacsv.ConvertOptions(
            column_types={field.name: reader_type(field.type) for field in schema},
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    return from_text_columns(table, schema)
