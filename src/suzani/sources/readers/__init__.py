"""Readers of the formats of extracts; each streams batches of text columns and accounts for every row."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from suzani.kernel import InvalidInput, NotFound
from suzani.sources.mapping import ENDINGS, Format
from suzani.sources.readers.delimited import open_delimited
from suzani.sources.readers.excel import open_excel
from suzani.sources.readers.json_lines import open_json_lines
from suzani.sources.readers.parquet import open_parquet
from suzani.sources.readers.rows import Request, Source
from suzani.sources.readers.sql import open_sql
from suzani.sources.types import Limits, Sql

READERS: dict[str, Callable[[BinaryIO, Request], Source]] = {
    "csv": open_delimited,
    "jsonl": open_json_lines,
    "parquet": open_parquet,
    "excel": open_excel,
}
"""How each format of a file is opened. A query (`sql`) has no file; see `open_query`."""

__all__ = ["READERS", "Request", "Source", "format_of", "open_file", "open_query"]


def format_of(path: Path, given: Format) -> Format:
    """The format with its type settled: as given, else by the file's ending.

    Raises `NotFound` naming the known endings.
    """
    if given.type is not None:
        return given
    name = path.name.lower().removesuffix(".gz")
    ending = Path(name).suffix
    if ending not in ENDINGS:
        raise NotFound.among("file ending", ending or path.name, ENDINGS)
    delimiter = given.delimiter or {".tsv": "\t", ".psv": "|"}.get(ending)
    return replace(given, type=ENDINGS[ending], delimiter=delimiter)


@contextmanager
def open_file(
    path: Path, given: Format, wanted: tuple[str, ...] | None, limits: Limits | None = None
) -> Iterator[Source]:
    """The rows of a file; `wanted` None asks for all its columns, as `source infer` does.

    Raises `InvalidInput` when the file cannot be read at all: missing, a folder, empty, of another format.
    """
    form = format_of(path, given)
    if form.type not in READERS:
        raise NotFound.among("format of a file", str(form.type), READERS)
    try:
        with path.open("rb") as file:
            packed = path.name.lower().endswith(".gz")
            stream: BinaryIO = gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[assignment]
            source = READERS[form.type](stream, Request(str(path), form, wanted, limits or Limits()))
            size = max(path.stat().st_size, 1)
            yield replace(source, share=lambda: file.tell() / size)
    except (gzip.BadGzipFile, EOFError) as error:
        raise InvalidInput(f"{path} is not a whole gzip file: {error}") from error
    except OSError as error:
        if error.filename is None or Path(str(error.filename)) != path:
            raise
        raise InvalidInput(f"cannot read {path}: {error.strerror or error}") from error


@contextmanager
def open_query(sql: Sql, wanted: tuple[str, ...] | None, limits: Limits | None = None) -> Iterator[Source]:
    """The rows of a query on another database. Raises `InvalidInput` or `Unavailable`."""
    with open_sql(sql, wanted, limits or Limits()) as source:
        yield source
