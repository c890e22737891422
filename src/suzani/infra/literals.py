"""Arrow values written as PostgreSQL reads them and read as it writes them, a column at once."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from suzani.kernel import InvalidInput


def as_text_columns(table: pa.Table) -> pa.Table:
    """A table whose columns a CSV writer can write: lists, binary, structs and dictionaries become text."""
    columns = [
        _as_text(column.combine_chunks(), name)
        for name, column in zip(table.schema.names, table.columns, strict=True)
    ]
    return pa.table(columns, names=table.schema.names)


def _as_text(column: pa.ChunkedArray | pa.Array, name: str) -> pa.Array:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _as_text(array.dictionary_decode(), name)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _bytea_literals(array.cast(pa.binary()))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        if pa.types.is_nested(kind.value_type):
            return _json_literals(array)
        return _array_literals(array.cast(pa.list_(kind.value_type)), name)
    if pa.types.is_struct(kind) or pa.types.is_map(kind):
        return _json_literals(array)
    if pa.types.is_null(kind):
        return array.cast(pa.string())
    return array


def _bytea_literals(array: pa.Array) -> pa.Array:
    """Binary as `\\x…` text: the whole column's bytes become hexadecimal at once."""
    filled = array.fill_null(b"")
    offsets = np.frombuffer(filled.buffers()[1], dtype=np.int32)[
        filled.offset : filled.offset + len(filled) + 1
    ]
    data = filled.buffers()[2]
    raw = memoryview(data)[offsets[0] : offsets[-1]].hex() if data is not None else ""
    digits = pa.StringArray.from_buffers(
        len(filled),
        pa.py_buffer(((offsets.astype(np.int64) - offsets[0]) * 2).astype(np.int32)),
        pa.py_buffer(raw.encode()),
    )
    text = pc.binary_join_element_wise("\\x", digits, "")
    return pc.if_else(array.is_valid(), text, pa.scalar(None, pa.string()))


def _array_literals(array: pa.ListArray, name: str) -> pa.Array:
    """Lists as `{"a","b",NULL}` text."""
    values = _as_text(array.flatten(), name)
    if not pa.types.is_string(values.type):
        values = values.cast(pa.string())
    escaped = pc.replace_substring(pc.replace_substring(values, "\\", "\\\\"), '"', '\\"')
    quoted = pc.binary_join_element_wise('"', escaped, '"', "").fill_null("NULL")
    lengths = pc.list_value_length(array).fill_null(0)
    offsets = np.concatenate([[0], np.cumsum(lengths.to_numpy(zero_copy_only=False))]).astype(np.int32)
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), quoted), ",")
    text = pc.binary_join_element_wise("{", joined, "}", "")
    return pc.if_else(array.is_valid(), text, pa.scalar(None, pa.string()))


def _json_literals(array: pa.Array) -> pa.Array:
    is_map = pa.types.is_map(array.type)
    values = [
        None
        if value is None
        else json.dumps(dict(value) if is_map else value, ensure_ascii=False, default=str)
        for value in array.to_pylist()
    ]
    return pa.array(values, pa.string())


def select_expression(field: pa.Field) -> sql.Composable:
    """How a column is asked for, so that its CSV form can be read back as the field's type."""
    column = sql.Identifier(field.name)
    if pa.types.is_list(field.type):
        return sql.SQL("to_json({})").format(column)
    if pa.types.is_binary(field.type):
        return sql.SQL("encode({}, 'hex')").format(column)
    return column


def reader_type(kind: pa.DataType) -> pa.DataType:
    """The type a CSV reader is given for a column of type `kind`; text where the reader knows no better."""
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        return pa.string()
    if pa.types.is_dictionary(kind):
        return reader_type(kind.value_type)
    return kind


def from_text_columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table of `schema` from what the reader gave: lists from JSON, binary from hexadecimal."""
    columns = [_from_text(table.column(field.name), field) for field in schema]
    return pa.table(columns, schema=schema)


def _from_text(column: pa.ChunkedArray, field: pa.Field) -> Any:
    if pa.types.is_nested(field.type):
        return pa.array([None if v is None else json.loads(v) for v in column.to_pylist()], field.type)
    if pa.types.is_binary(field.type):
        return pa.array([None if v is None else bytes.fromhex(v) for v in column.to_pylist()], field.type)
    if pa.types.is_dictionary(field.type):
        return column.dictionary_encode().cast(field.type)
    if column.type != field.type:
        raise InvalidInput(f"column {field.name}: read as {column.type}, expected {field.type}")
    return column
