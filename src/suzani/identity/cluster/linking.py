"""`suzani link --engine spark`: files in, the same table of persons out as from the local engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from suzani.identity.cluster.options import ClusterOptions
from suzani.identity.cluster.resolving import resolve_frame
from suzani.identity.cluster.slices import Files, as_parquet, rows_between, some_rows
from suzani.identity.files.linking import check_known, file_stems, record_ids, united_columns
from suzani.identity.learning.engine import Progress
from suzani.identity.learning.knowledge import Learned
from suzani.identity.models.model import Model
from suzani.kernel import Kind
from suzani.sources.columns import SAMPLE_ROWS, ColumnGuess

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Linked:
    """`persons` (source, record_id, person_id) in the order of the input, as the local engine gives them."""

    persons: pa.Table
    guesses: dict[str, ColumnGuess]
    learned: Learned
    seconds: dict[str, float]

    @property
    def count(self) -> int:
        """Number of persons."""
        return len(np.unique(self.persons.column("person_id")))


def link_on_spark(
    spark: SparkSession,
    paths: Sequence[Path],
    id_column: str,
    ignored: Sequence[str],
    fields: Mapping[str, Kind] | None,
    work: Path,
    *,
    model: Model | None = None,
    options: ClusterOptions | None = None,
    progress: Progress = lambda phase: None,
) -> Linked:
    """Link the records of files that the executors can read; `work` is a folder that they share.

    Files that are not Parquet are copied to Parquet first, by the driver. Raises InvalidInput for a missing
    id or ignored column, an empty id, or two files with one stem.
    """
    options = options or ClusterOptions()
    stems = file_stems(paths)
    files = as_parquet(paths, work)
    ids = [_ids(file, id_column, path) for file, path in zip(files, paths, strict=True)]
    some = [some_rows(file, SAMPLE_ROWS // len(files)) for file in files]
    check_known([*ignored, *(fields or {})], some)
    dropped = {id_column, *ignored}
    evidence = [table.drop_columns([n for n in table.column_names if n in dropped]) for table in some]
    guesses, names = united_columns(evidence, fields)
    kinds = {name: guess.kind for name, guess in guesses.items() if guess.kind is not Kind.IGNORE}
    used = tuple({name: to for name, to in mine.items() if name in kinds} for mine in names)
    frame = Files(tuple(files), used).frame(spark, options.per_task)
    resolved = resolve_frame(frame, kinds, str(work), model=model, options=options, progress=progress)
    found = resolved.persons.toArrow()
    person = np.empty(resolved.records, dtype=np.int64)
    person[found.column("record").to_numpy()] = found.column("person").to_numpy()
    source = pa.array(np.repeat(np.array(stems, dtype=object), [len(i) for i in ids]), pa.string())
    number = pa.array(np.unique(person, return_inverse=True)[1] + 1, pa.int64())
    persons = pa.table({"source": source, "record_id": pa.concat_arrays(ids), "person_id": number})
    return Linked(persons, guesses, resolved.learned, resolved.seconds)


def _ids(file: Path, id_column: str, path: Path) -> pa.Array:
    """The ids of a file's records; `path` is how the user calls it."""
    table = rows_between(str(file), 0, np.iinfo(np.int64).max // 2, [id_column])
    return record_ids(table, id_column, path)
