from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from suzani.identity.cluster import ClusterOptions, Resolved, resolve_frame
from suzani.identity.learning.engine import resolve_fields
from suzani.identity.learning.knowledge import Learned
from suzani.identity.pairs.partition import Options
from suzani.identity.standardising.fields import standardise
from tests.identity.people import KINDS, town

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Ints = npt.NDArray[np.int64]


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """A town, with copies of some records, and with records that say next to nothing."""
    people, _ = town(500, seed=5)
    vague = people.slice(0, 4)
    for n, name in enumerate(people.column_names):
        if name not in ("sex", "city"):
            vague = vague.set_column(n, name, pa.nulls(4, pa.string()))
    return pa.concat_tables([people, people.slice(30, 40), vague, vague])


def run(
    spark: SparkSession, table: pa.Table, work: Path, options: ClusterOptions, learned: Learned | None = None
) -> tuple[Ints, Resolved]:
    numbered = table.append_column("record", pa.array(np.arange(table.num_rows)))
    frame = spark.createDataFrame(numbered).repartition(3)
    resolved = resolve_frame(frame, KINDS, str(work), learned=learned, options=options)
    found = resolved.persons.toArrow().sort_by("record")
    assert found["record"].to_pylist() == list(range(table.num_rows))
    return found["person"].to_numpy(), resolved


def local(table: pa.Table, learned: Learned, options: Options | None = None) -> Ints:
    fields, _ = standardise(table, {}, learned.norms)
    known = learned.knowledge
    return resolve_fields(fields, table.num_rows, knowledge=known, options=options).person


def test_persons_are_those_of_the_local_engine(spark: SparkSession, table: pa.Table, tmp_path: Path) -> None:
    fields, _ = standardise(table, KINDS)
    alone = resolve_fields(fields, table.num_rows).person
    found, _ = run(spark, table, tmp_path, ClusterOptions(partitions=2))
    assert np.array_equal(found, alone)


@pytest.mark.parametrize("partitions", [1, 5])
def test_a_sample_is_learned_from_and_judges_as_it_would_locally(
    spark: SparkSession, table: pa.Table, tmp_path: Path, partitions: int
) -> None:
    options = ClusterOptions(learn_from=600, partitions=partitions)
    found, resolved = run(spark, table, tmp_path, options)
    assert np.array_equal(found, local(table, resolved.learned))


def test_components_by_joins_and_sparse_linkage_give_the_same_persons(
    spark: SparkSession, table: pa.Table, tmp_path: Path
) -> None:
    fields, norms = standardise(table, KINDS)
    learned = Learned(norms, resolve_fields(fields, table.num_rows).knowledge)
    matching = Options(largest=3)
    options = ClusterOptions(partitions=2, driver_edges=0, matching=matching)
    found, _ = run(spark, table, tmp_path, options, learned)
    assert np.array_equal(found, local(table, learned, matching))


def test_a_handful_of_records_is_compared_all_with_all(
    spark: SparkSession, table: pa.Table, tmp_path: Path
) -> None:
    few = table.slice(0, 30)
    fields, _ = standardise(few, KINDS)
    found, resolved = run(spark, few, tmp_path, ClusterOptions(partitions=2))
    assert resolved.learned.knowledge.plan is None
    assert np.array_equal(found, resolve_fields(fields, 30).person)
