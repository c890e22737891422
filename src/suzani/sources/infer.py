"""Drafts a mapping for a file never seen, from its names and content; every line says why it was taken so."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from suzani.kernel import InvalidInput
from suzani.sources.columns import infer_kinds
from suzani.sources.conversion import clean
from suzani.sources.encodings import guess_encoding
from suzani.sources.guesses import (
    Line,
    as_of_line,
    attribute_lines,
    consent_lines,
    key_columns,
    not_personal,
    product_lines,
    quoted,
)
from suzani.sources.mapping import ENDINGS, Format
from suzani.sources.readers import format_of, open_file
from suzani.sources.readers.delimited import sniff_delimiter
from suzani.sources.types import Limits

SAMPLE_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted mapping: its YAML, the system's name, and the columns left out with why."""

    text: str
    system: str


def infer(path: Path, system: str | None = None) -> Draft:
    """Draft the mapping of a file. Raises `InvalidInput` when the file has no rows or no column for a key."""
    form = guess_format(path)
    with open_file(path, form, None, Limits()) as source:
        tables: list[pa.Table] = []
        for batch in source.batches:
            tables.append(batch.table)
            if sum(table.num_rows for table in tables) >= SAMPLE_ROWS:
                break
    table = pa.concat_tables(tables) if tables else pa.table({})
    if not table.num_rows:
        raise InvalidInput(f"{path} has no rows to look at")
    table = pa.table({name: clean(table.column(name).combine_chunks()) for name in table.column_names})
    name = system or _system_name(path)
    return Draft(_written(name, path, form, table), name)


def guess_format(path: Path) -> Format:
    """The format of a file: by its ending, or of a file with an unknown one by its first bytes."""
    try:
        with path.open("rb") as file:
            sample = file.read(1 << 18)
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror or error}") from error
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    form = format_of(path, Format()) if ending in ENDINGS else Format(type=_type_of(sample))
    if form.type not in ("csv", "jsonl") or path.name.lower().endswith(".gz"):
        return form
    encoding, _ = guess_encoding(sample)
    if form.type == "jsonl":
        return replace(form, encoding=encoding)
    text = sample.decode(encoding, "replace").replace("\r\n", "\n").replace("\r", "\n")
    return replace(form, encoding=encoding, delimiter=form.delimiter or sniff_delimiter(text))


def _type_of(sample: bytes) -> str:
    marks = {b"PAR1": "parquet", b"PK\x03\x04": "excel", b"\xd0\xcf\x11\xe0": "excel"}
    known = next((kind for mark, kind in marks.items() if sample.startswith(mark)), None)
    return known or ("jsonl" if sample.lstrip()[:1] == b"{" else "csv")


def _system_name(path: Path) -> str:
    name = re.sub(r"\W+", "_", path.name.split(".")[0].lower()).strip("_")
    return name or "new_system"


def _written(system: str, path: Path, form: Format, table: pa.Table) -> str:
    guesses = infer_kinds(table)
    key, key_why = key_columns(table)
    rest = [name for name in table.column_names if name not in key]
    consent = consent_lines(table, rest)
    taken = {name for name, _ in consent}
    as_of = as_of_line(table, [name for name in rest if name not in taken])
    taken |= {as_of[0]} if as_of else set()
    product = product_lines(table, not_personal(name for name in rest if name not in taken))
    taken |= {name for name, _ in product}
    attributes, used = attribute_lines(table, guesses, [name for name in rest if name not in taken])
    taken |= used
    extra = [name for name in rest if name not in taken]
    parts = [
        f"# Drafted from {table.num_rows:,} rows of {path.name} by `suzani source infer`.",
        f"# Check it, then keep it as {system}.yaml in the folder `mappings` of the data directory.",
        f"system: {quoted(system)}",
        *_format_lines(form),
        "mode: delta  # absent keys mean nothing; `snapshot` if every file holds all records",
        f"key: [{', '.join(map(quoted, key))}]  # {key_why}",
    ]
    if as_of:
        parts.append(f"as_of: {as_of[1].value}  # {as_of[1].why}")
    parts.append("attributes:")
    lines = [*attributes, *(line for _, line in consent)]
    parts += [f"  {line.path}: {line.value}  # {line.why}" for line in lines] or [
        f"  full_name: {quoted(key[0])}  # nothing looked like a name; correct this"
    ]
    parts += _product_lines([line for _, line in product])
    if extra:
        parts.append(f"extra: [{', '.join(map(quoted, extra))}]  # kept as they are")
    return "\n".join(parts) + "\n"


def _format_lines(form: Format) -> list[str]:
    settings = [f"type: {form.type}"]
    if form.delimiter:
        settings.append(f"delimiter: {quoted(form.delimiter)}")
    if form.type in ("csv", "jsonl"):
        settings.append(f"encoding: {form.encoding}")
    return [f"format: {{{', '.join(settings)}}}"]


def _product_lines(lines: list[Line]) -> list[str]:
    if not lines:
        return []
    number, *others = lines
    head = f"  - number: {number.value}  # {number.why}"
    return ["products:", head, "    kind: product", *(f"    {x.path}: {x.value}  # {x.why}" for x in others)]
