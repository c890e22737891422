"""Reading record files as tables of strings, and writing results, by the ending of the file's name."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from suzani.kernel import Forbidden, InvalidInput, NotFound, Unavailable

_ENCODINGS = ("utf-8-sig", "cp1251", "latin-1")
_DELIMITERS = ",;\t|"


def read_table(path: Path) -> pa.Table:
    """All columns of a .csv, .parquet or .jsonl file as strings, column names trimmed.

    Raises NotFound, Forbidden or InvalidInput naming the file, the row where known, and what to do.
    """
    reader = _by_ending(path, _READERS)
    try:
        table = reader(path)
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except PermissionError:
        raise Forbidden(f"{path} may not be read", hint="Check the file's permissions.") from None
    except IsADirectoryError:
        raise InvalidInput(f"{path} is a folder, not a file") from None
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise InvalidInput(f"{path} cannot be read: {_first_line(error)}", hint=_HINT) from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {_first_line(error)}", hint=_HINT) from None
    return _named(table, path)


_HINT = "Is it complete, and of the kind its ending says?"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _by_ending(path: Path, registry: Mapping[str, Any]) -> Any:
    name = path.name.lower().removesuffix(".gz")
    ending = name.rpartition(".")[2] if "." in name else ""
    if ending not in registry:
        known = ", ".join(f".{known}" for known in registry)
        raise InvalidInput(
            f"{path}: do not know the ending {'.' + ending!r}", hint=f"Known endings: {known}."
        )
    return registry[ending]


def _named(table: pa.Table, path: Path) -> pa.Table:
    names = [name.strip().lstrip("\ufeff") for name in table.column_names]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InvalidInput(
            f"{path} has the column {repeated[0]!r} more than once", hint="Rename one of them."
        )
    return table.rename_columns(names)


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix.lower() == ".gz" else data


def _read_csv(path: Path) -> pa.Table:
    text = _decoded(_bytes(path)).lstrip("\r\n")
    if not text.strip():
        raise InvalidInput(f"{path} is empty", hint="It needs a line of column names and rows below it.")
    header = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=header.count)
    names = [name.strip().strip('"') for name in header.split(delimiter)]
    read = pcsv.ReadOptions(use_threads=True, block_size=16 << 20)
    parse = pcsv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    first = pcsv.open_csv(pa.py_buffer(text.encode()), read_options=read, parse_options=parse).schema.names
    convert = pcsv.ConvertOptions(
        column_types={name: pa.string() for name in {*names, *first}},
        strings_can_be_null=False,
        check_utf8=True,
    )
    return pcsv.read_csv(pa.py_buffer(text.encode()), read, parse, convert)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Files put together from several systems change their encoding from line to line.
        return "\n".join(_line(line) for line in data.split(b"\n"))


def _line(line: bytes) -> str:
    """A line in UTF-8 if it is that, else in the first one-byte encoding that has all its bytes."""
    for encoding in _ENCODINGS:
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")


def _read_parquet(path: Path) -> pa.Table:
    return as_texts(pq.read_table(path))


def as_texts(table: pa.Table) -> pa.Table:
    """All columns as strings, nested ones as text."""
    columns = [_as_text(column) for column in table.columns]
    return pa.table(columns, names=[name.strip() for name in table.column_names])


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_nested(column.type):
        return pa.chunked_array([pa.array([_scalar(v) for v in column.to_pylist()], pa.string())])
    return pc.cast(column, pa.string())


def _read_jsonl(path: Path) -> pa.Table:
    rows: list[dict[str, str]] = []
    names: dict[str, None] = {}
    for number, line in enumerate(_bytes(path).removeprefix(codecs.BOM_UTF8).splitlines(), 1):
        if not line.strip():
            continue
        row = _flat(_json_object(line, path, number))
        names.update(dict.fromkeys(row))
        rows.append(row)
    if not rows:
        raise InvalidInput(f"{path} is empty", hint="It needs one JSON object a line.")
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})


def _json_object(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path}, line {number}: not JSON ({error})") from None
    if not isinstance(value, dict):
        raise InvalidInput(
            f"{path}, line {number}: a JSON object is expected, this is {type(value).__name__}"
        )
    return value


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """One flat row; objects by dotted names, objects in lists by their own names."""
    row: dict[str, str] = {}
    for key, item in value.items():
        if isinstance(item, dict):
            row.update(_flat(item, f"{prefix}{key}."))
        elif isinstance(item, list) and item and all(isinstance(entry, dict) for entry in item):
            for entry in item:
                for name, text in _flat(entry).items():
                    row.setdefault(name, text)
        elif item is not None:
            row[prefix + key] = _scalar(item) or ""
    return row


def _scalar(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value, enc_hook=str).decode()


_READERS: dict[str, Callable[[Path], pa.Table]] = {
    "csv": _read_csv,
    "tsv": _read_csv,
    "txt": _read_csv,
    "parquet": _read_parquet,
    "jsonl": _read_jsonl,
    "ndjson": _read_jsonl,
}


def _write_jsonl(table: pa.Table, path: Path) -> None:
    with path.open("wb") as file:
        for batch in table.to_batches(max_chunksize=20_000):
            encoded = [msgspec.json.encode(row) for row in batch.to_pylist()]
            file.write(b"\n".join([*encoded, b""]))


_WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    "csv": lambda table, path: pcsv.write_csv(table, path),
    "parquet": lambda table, path: pq.write_table(table, path, compression="zstd"),
    "jsonl": _write_jsonl,
}


def _writer(path: Path) -> Callable[[pa.Table, Path], None]:
    if path.suffix.lower() == ".gz":
        raise InvalidInput(f"{path}: results are not written compressed", hint="Leave out the ending .gz.")
    writer: Callable[[pa.Table, Path], None] = _by_ending(path, _WRITERS)
    return writer


def check_writable(path: Path) -> None:
    """Raise InvalidInput or NotFound at once when a result could not be written to `path` later."""
    _writer(path)
    if not path.parent.is_dir():
        raise NotFound(f"there is no folder {path.parent} to write {path.name} into")
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder; name a file")


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table by the file's ending; the file appears whole or not at all."""
    write = _writer(path)
    write_whole(path, lambda part: write(table, part))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then put it in place; a failure leaves nothing behind."""
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        write(part)
        part.replace(path)
    except PermissionError:
        raise Forbidden(f"{path} may not be written", hint="Check the folder's permissions.") from None
    except OSError as error:
        raise Unavailable(
            f"{path} could not be written: {error.strerror or error}", hint="Is the disk full?"
        ) from None
    finally:
        part.unlink(missing_ok=True)
