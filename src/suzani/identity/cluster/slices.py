"""Files of records cut into slices that executors read, each record numbered by its place in the input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from suzani.identity.files.tables import as_texts, read_table, write_table
from suzani.sources.columns import sampled

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SLICES = "file int, path string, first long, rows long, record long"


@dataclass(frozen=True)
class Files:
    """Parquet files in the order of the input; `names[i]` says what the evidence columns of file i are called
    in all of them."""

    paths: tuple[Path, ...]
    names: tuple[Mapping[str, str], ...]

    def frame(self, spark: SparkSession, rows: int) -> DataFrame:
        """record, and the evidence columns as strings, read by the executors in slices of at most `rows`."""
        columns = sorted({name for names in self.names for name in names.values()})
        schema = "record long" + "".join(f", {_quoted(name)} string" for name in columns)
        slices = list(self._slices(rows))
        frame = spark.createDataFrame(slices, _SLICES).repartition(len(slices), "record")
        return frame.mapInArrow(_read(self.names, columns), schema)

    def _slices(self, rows: int) -> Iterator[tuple[int, str, int, int, int]]:
        record = 0
        for file, path in enumerate(self.paths):
            total = pq.read_metadata(path).num_rows
            for first in range(0, total, rows):
                count = min(rows, total - first)
                yield file, str(path.absolute()), first, count, record + first
            record += total


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def as_parquet(paths: Sequence[Path], work: Path) -> list[Path]:
    """The files, those that are not Parquet copied to Parquet in `work`."""
    return [path if path.suffix == ".parquet" else _copied(path, work, n) for n, path in enumerate(paths)]


def _copied(path: Path, work: Path, number: int) -> Path:
    target = work / f"input-{number:03}.parquet"
    write_table(read_table(path), target)
    return target


def some_rows(path: Path, most: int) -> pa.Table:
    """Rows from all over a Parquet file as strings, those that are looked at to tell what its columns are."""
    file, begin = pq.ParquetFile(path), 0
    wanted = sampled(file.metadata.num_rows, most)
    found = []
    for batch in file.iter_batches():
        mine = wanted[(wanted >= begin) & (wanted < begin + batch.num_rows)]
        found.append(batch.take(pa.array(mine - begin)))
        begin += batch.num_rows
    return as_texts(pa.Table.from_batches(found, file.schema_arrow))


def rows_between(path: str, first: int, rows: int, columns: Sequence[str] | None) -> pa.Table:
    """Rows of a Parquet file as strings; only the row groups that hold them are read."""
    file = pq.ParquetFile(path)
    ends = np.cumsum([file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)])
    starts = np.append(0, ends[:-1])
    groups = np.flatnonzero((ends > first) & (starts < first + rows)).tolist()
    held = [name for name in file.schema_arrow.names if columns is None or name.strip() in columns]
    return as_texts(file.read_row_groups(groups, columns=held).slice(first - starts[groups[0]], rows))


def _read(
    names: Sequence[Mapping[str, str]], columns: Sequence[str]
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for item in batch.to_pylist():
                mine = names[item["file"]]
                table = rows_between(item["path"], item["first"], item["rows"], list(mine))
                held = {mine[name]: table.column(name) for name in table.column_names}
                missing = pa.nulls(table.num_rows, pa.string())
                record = pa.array(np.arange(item["record"], item["record"] + table.num_rows))
                all_of_them = {"record": record} | {name: held.get(name, missing) for name in columns}
                yield from pa.table(all_of_them).to_batches(max_chunksize=50_000)

    return work
