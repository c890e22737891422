"""Parquet files, a batch of row groups' rows at a time; typed values become the text a mapping reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from suzani.kernel import InvalidInput
from suzani.sources.readers.rows import Request, Source, batch_of_rows, json_of, screened, text_of
from suzani.sources.types import RawBatch


def open_parquet(stream: BinaryIO, request: Request) -> Source:
    """The rows of a Parquet file; fields of structs go by dotted names. Raises `InvalidInput`."""
    try:
        file = pq.ParquetFile(stream)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise InvalidInput(f"{request.name} is not a readable Parquet file: {error}") from error
    columns = tuple(_leaves(file.schema_arrow))
    wanted = columns if request.wanted is None else request.wanted
    return Source(columns, True, _batches(file, columns, wanted, request))


def _leaves(fields: pa.Schema | pa.StructType, prefix: str = "") -> Iterator[str]:
    for field in fields:
        name = f"{prefix}{field.name}"
        if pa.types.is_struct(field.type):
            yield from _leaves(field.type, f"{name}.")
        else:
            yield name


def _batches(
    file: pq.ParquetFile, columns: tuple[str, ...], wanted: tuple[str, ...], request: Request
) -> Iterator[RawBatch]:
    names = tuple(name for name in wanted if name in columns)
    tops = list(
        dict.fromkeys(name if name in file.schema_arrow.names else name.split(".")[0] for name in names)
    )
    row = 1
    try:
        for batch in file.iter_batches(batch_size=request.limits.batch_rows, columns=tops, use_threads=False):
            yield _batch(batch, names, wanted, row, request)
            row += batch.num_rows
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise InvalidInput(f"{request.name} is damaged after row {row - 1}: {error}") from error


def _batch(
    batch: pa.RecordBatch, names: tuple[str, ...], wanted: tuple[str, ...], row: int, request: Request
) -> RawBatch:
    numbers = np.arange(row, row + batch.num_rows, dtype=np.int64)
    found = {name: _as_text(_column(batch, name)) for name in names}
    absent = pa.nulls(batch.num_rows, pa.string())
    columns = [found.get(name, absent) for name in wanted]

    def raw(i: int) -> bytes:
        return json_of({name: column[i].as_py() for name, column in zip(wanted, columns, strict=True)})

    try:
        for column in columns:
            column.validate(full=True)
    except pa.ArrowInvalid:
        return _by_row(columns, wanted, numbers, request)
    return screened(pa.table(columns, names=wanted), numbers, raw, request.limits, [])


def _by_row(
    columns: list[pa.Array],
    wanted: tuple[str, ...],
    numbers: np.ndarray[tuple[int], np.dtype[np.int64]],
    request: Request,
) -> RawBatch:
    """The batch value by value: some text is not UTF-8, and only its rows are to go to quarantine."""
    as_bytes = [column.cast(pa.binary()).to_pylist() for column in columns]
    rows = [tuple(text_of(value) for value in row) for row in zip(*as_bytes, strict=True)]
    return batch_of_rows(
        wanted,
        rows,
        numbers.tolist(),
        lambda i: json_of(dict(zip(wanted, rows[i], strict=True))),
        request.limits,
        [],
    )


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    if name in batch.schema.names:
        return batch.column(name)
    top, *path = name.split(".")
    return pc.struct_field(batch.column(top), path)


def _as_text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text(column.dictionary_decode())
    if pa.types.is_string(kind):
        return column
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    if pa.types.is_integer(kind) or pa.types.is_date32(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return column.cast(pa.binary()).view(pa.string())
    coded = column.dictionary_encode() if not pa.types.is_nested(kind) else None
    if coded is None:
        return pa.array([text_of(value) for value in column.to_pylist()], pa.string())
    return pa.array([text_of(value) for value in coded.dictionary.to_pylist()], pa.string()).take(
        coded.indices
    )
