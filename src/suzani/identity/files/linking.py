"""`suzani link`: link and deduplicate any files, without a platform around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from suzani.identity.files.tables import read_table
from suzani.identity.kernels.hashing import hash_values
from suzani.identity.learning.engine import Progress, Resolution, resolve_fields
from suzani.identity.models.model import Model
from suzani.identity.pairs.packing import texts_of
from suzani.identity.pairs.scoring import weight_bits
from suzani.identity.standardising.fields import standardise
from suzani.infra import memory
from suzani.kernel import InvalidInput, Kind
from suzani.sources.columns import SAMPLE_ROWS, ColumnGuess, infer_kinds, sampled


@dataclass(frozen=True)
class Input:
    """Records of several files under common columns.

    `source` (file stem) and `record_id` per row; `table` holds the evidence columns as strings;
    `repeated_ids` counts, by source, the ids that stand on more than one row.
    """

    source: pa.Array
    record_id: pa.Array
    table: pa.Table
    guesses: dict[str, ColumnGuess]
    repeated_ids: dict[str, int]

    @property
    def rows(self) -> int:
        """Number of records."""
        return len(self.record_id)


@dataclass(frozen=True)
class Linkage:
    """Tables of results: `persons` (source, record_id, person_id), one row for every input row in input
    order; `edges` (source_a, record_id_a, source_b, record_id_b, weight_bits, probability)."""

    persons: pa.Table
    edges: pa.Table
    resolution: Resolution


def read_input(
    paths: Sequence[Path], id_column: str, ignored: Sequence[str], fields: Mapping[str, Kind] | None
) -> Input:
    """Read all files and decide what each column is.

    Raises InvalidInput for a missing id or ignored column, an empty id, or two files with one stem.
    """
    stems = file_stems(paths)
    tables = [read_table(path) for path in paths]
    ids = [record_ids(table, id_column, path) for table, path in zip(tables, paths, strict=True)]
    check_known([*ignored, *(fields or {})], tables)
    evidence = [table.drop_columns([id_column, *_present(ignored, table, id_column)]) for table in tables]
    table, guesses = _unite(evidence, fields)
    source = pa.array(np.repeat(np.array(stems, dtype=object), [len(i) for i in ids]), pa.string())
    repeats = {stem: _repeats(column) for stem, column in zip(stems, ids, strict=True)}
    repeated_ids = {stem: count for stem, count in repeats.items() if count}
    return Input(source, pa.concat_arrays(ids), table, guesses, repeated_ids)


def file_stems(paths: Sequence[Path]) -> list[str]:
    """What the files are called; raises InvalidInput if two are called the same."""
    stems = [_stem(path) for path in paths]
    repeated = sorted({stem for stem in stems if stems.count(stem) > 1})
    if repeated:
        raise InvalidInput(
            f"two files are both called {repeated[0]!r}; the name tells records apart",
            hint="Rename one of them.",
        )
    return stems


def _repeats(ids: pa.Array) -> int:
    counts = pc.value_counts(ids).field("counts")
    return int(pc.sum(pc.greater(counts, 1)).as_py() or 0)


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rpartition(".")[0] or path.name


def record_ids(table: pa.Table, id_column: str, path: Path) -> pa.Array:
    """The trimmed ids of the records of a file; raises InvalidInput if the column or an id is missing."""
    if id_column not in table.column_names:
        raise InvalidInput(
            f"{path} has no column {id_column!r}", hint=f"Its columns: {', '.join(table.column_names)}."
        )
    ids = pc.utf8_trim_whitespace(table.column(id_column).combine_chunks())
    empty = pc.fill_null(pc.equal(ids, ""), True)
    if pc.any(empty).as_py():
        row = int(np.flatnonzero(empty.to_numpy(zero_copy_only=False))[0]) + 1
        raise InvalidInput(f"{path}, row {row}: the id column {id_column!r} is empty")
    return ids


def _present(names: Sequence[str], table: pa.Table, id_column: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name in table.column_names and name != id_column]


def check_known(names: Sequence[str], tables: Sequence[pa.Table]) -> None:
    """Raise InvalidInput if no table has one of the columns."""
    known = {name for table in tables for name in table.column_names}
    for name in names:
        if name not in known:
            raise InvalidInput(f"no file has a column {name!r}", hint=f"Columns: {', '.join(sorted(known))}.")


def _unite(
    tables: Sequence[pa.Table], fields: Mapping[str, Kind] | None
) -> tuple[pa.Table, dict[str, ColumnGuess]]:
    """One table over all files, and what its columns are.

    A column of one file and a differently named one of another that hold the same kind of thing (first_name,
    given_name) become one column, so that they are compared.
    """
    guesses, targets = united_columns(tables, fields)
    renamed = [
        table.rename_columns([target[name] for name in table.column_names])
        for table, target in zip(tables, targets, strict=True)
    ]
    return pa.concat_tables(renamed, promote_options="default"), guesses


def united_columns(
    tables: Sequence[pa.Table], fields: Mapping[str, Kind] | None
) -> tuple[dict[str, ColumnGuess], list[dict[str, str]]]:
    """What the columns of several tables are, and for each table what its columns are called in all."""
    share = SAMPLE_ROWS // len(tables)
    some = [table.take(sampled(table.num_rows, share)) for table in tables]
    sample = pa.concat_tables(some, promote_options="default")
    guesses = _given(sample, fields) if fields is not None else infer_kinds(sample)
    targets: list[dict[str, str]] = []
    columns: dict[Kind, list[str]] = {}
    for table in tables:
        target = {name: name for name in table.column_names}
        for kind in dict.fromkeys(guesses[name].kind for name in table.column_names):
            own = [name for name in table.column_names if guesses[name].kind is kind]
            known = columns.setdefault(kind, [])
            free = [name for name in known if name not in own]
            for name in own:
                if name not in known and free and kind is not Kind.IGNORE and kind is not Kind.TEXT:
                    target[name] = free.pop(0)
                elif name not in known:
                    known.append(name)
        targets.append(target)
    return guesses, targets


def _given(table: pa.Table, fields: Mapping[str, Kind]) -> dict[str, ColumnGuess]:
    return {
        name: ColumnGuess(fields[name], "the fields file")
        if name in fields
        else ColumnGuess(Kind.IGNORE, "not in the fields file")
        for name in table.column_names
    }


_OTHER_WORDS = {
    "first_name": Kind.GIVEN_NAME,
    "last_name": Kind.FAMILY_NAME,
    "surname": Kind.FAMILY_NAME,
    "middle_name": Kind.PATRONYMIC,
    "name": Kind.FULL_NAME,
    "date_of_birth": Kind.BIRTH_DATE,
    "dob": Kind.BIRTH_DATE,
    "gender": Kind.SEX,
    "e_mail": Kind.EMAIL,
    "passport": Kind.DOCUMENT,
    "zip": Kind.POSTCODE,
    "free_text": Kind.TEXT,
}


def read_fields(path: Path) -> dict[str, Kind]:
    """The kinds of columns that a YAML file states, as `column: kind` lines.

    Kinds may be written with blanks or hyphens and by their everyday names ("date of birth", "e-mail").
    """
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InvalidInput(f"there is no file {path}") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InvalidInput(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    if not isinstance(data, dict):
        raise InvalidInput(f"{path} must hold lines such as `first_name: given_name`")
    return {str(column): _kind(kind, str(column), path) for column, kind in data.items()}


def _kind(stated: object, column: str, path: Path) -> Kind:
    known = {kind.value: kind for kind in Kind}
    word = str(stated).strip().lower().replace(" ", "_").replace("-", "_")
    kind = (known | _OTHER_WORDS).get(word)
    if kind is None:
        raise InvalidInput(
            f"{path}: {column!r} has the unknown kind {stated!r}", hint=f"Kinds: {', '.join(known)}."
        )
    return kind


@memory.kept()
def link(data: Input, model: Model | None = None, progress: Progress = lambda phase: None) -> Linkage:
    """Resolve the records of `data`; trains a model on them unless one is given."""
    progress("standardise")
    kinds = {name: data.guesses[name].kind for name in data.table.column_names}
    fields, _ = standardise(data.table, kinds)
    resolution = resolve_fields(fields, data.rows, model=model, numbers=_numbers(data), progress=progress)
    return Linkage(_persons(data, resolution), _edges(data, resolution), resolution)


def _numbers(data: Input) -> npt.NDArray[np.uint64]:
    """A number for each record that goes with its id, wherever it stands in the file."""
    names = pc.binary_join_element_wise(data.source, data.record_id, "/")
    return hash_values(*texts_of(names))


def _persons(data: Input, resolution: Resolution) -> pa.Table:
    """Persons are numbered from 1 in the order of their first records."""
    person = np.unique(resolution.person, return_inverse=True)[1] + 1
    return pa.table(
        {"source": data.source, "record_id": data.record_id, "person_id": pa.array(person, pa.int64())}
    )


def _edges(data: Input, resolution: Resolution) -> pa.Table:
    edges = resolution.edges
    weight = weight_bits(edges.odds_bits, resolution.model)
    order = np.lexsort((edges.right, edges.left, -weight))
    left, right = pa.array(edges.left[order]), pa.array(edges.right[order])
    return pa.table(
        {
            "source_a": data.source.take(left),
            "record_id_a": data.record_id.take(left),
            "source_b": data.source.take(right),
            "record_id_b": data.record_id.take(right),
            "weight_bits": pa.array(weight[order].astype(np.float32)),
            "probability": pa.array(edges.probability[order]),
        }
    )
