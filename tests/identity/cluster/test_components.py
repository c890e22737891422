from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from suzani.identity.cluster.components import by_joins, in_memory
from suzani.identity.cluster.stages import Stages

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_the_smallest_node_names_a_component() -> None:
    pairs = pa.table({"a": [5, -3, 8], "b": [9, 5, 7]})
    found = in_memory(pairs)
    named = dict(zip(found["node"].to_pylist(), found["component"].to_pylist(), strict=True))
    assert named == {-3: -3, 5: -3, 9: -3, 7: 7, 8: 7}


def test_joins_find_the_components_that_memory_does(spark: SparkSession, tmp_path: Path) -> None:
    source = np.random.default_rng(4)
    chain = np.arange(30)
    a = np.concatenate([source.integers(-200, 200, 120), 1000 + chain])
    b = np.concatenate([source.integers(-200, 200, 120), 1001 + chain])
    apart = a != b
    pairs = pa.table({"a": a[apart], "b": b[apart]})
    spark.conf.set("spark.sql.shuffle.partitions", "2")
    stages = Stages(spark, str(tmp_path), lambda phase: None)
    joined = by_joins(spark.createDataFrame(pairs), stages.stored).toArrow().sort_by("node")
    assert joined.to_pylist() == in_memory(pairs).sort_by("node").to_pylist()
