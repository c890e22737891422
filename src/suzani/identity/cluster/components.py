"""Connected components of pairs of nodes: in the driver's memory, or by joins where they are too many."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from suzani.identity.kernels.linkage import components

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def in_memory(pairs: pa.Table) -> pa.Table:
    """node, component of every node in `pairs` (a, b): the smallest node of the component."""
    a, b = (pairs.column(side).to_numpy() for side in "ab")
    nodes, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    component = components(len(nodes), places[: len(a)], places[len(a) :])
    return pa.table({"node": nodes, "component": nodes[component]})


def by_joins(pairs: DataFrame, stored: Callable[[DataFrame], DataFrame]) -> DataFrame:
    """The same by joins: large-star and small-star in turn until nothing changes (Kiveris et al. 2014).

    `stored` keeps what a round gave, so that the next does not compute it again.
    """
    from pyspark.sql import functions as f

    stars = stored(pairs.select(f.greatest("a", "b").alias("a"), f.least("a", "b").alias("b")).distinct())
    before, now = None, _state(stars)
    while now != before:
        stars = stored(_small_star(_large_star(stars)))
        before, now = now, _state(stars)
    roots = stars.select(f.col("b").alias("node"), f.col("b").alias("component"))
    return stars.select(f.col("a").alias("node"), f.col("b").alias("component")).union(roots).distinct()


def _state(stars: DataFrame) -> tuple[object, ...]:
    """Equal for equal pairs, in whatever order."""
    from pyspark.sql import functions as f

    summed = f.sum(f.xxhash64("a", "b").cast("decimal(38,0)"))
    return tuple(stars.agg(f.count("*"), summed).collect()[0])


def _large_star(pairs: DataFrame) -> DataFrame:
    """Every node's larger neighbours are tied to the least of it and its neighbours."""
    from pyspark.sql import functions as f

    both = pairs.union(pairs.select(f.col("b").alias("a"), f.col("a").alias("b")))
    least = both.groupBy("a").agg(f.least("a", f.min("b")).alias("least"))
    return both.join(least, "a").where("b > a").select(f.col("b").alias("a"), f.col("least").alias("b"))


def _small_star(pairs: DataFrame) -> DataFrame:
    """Every node and its smaller neighbours are tied to the least of these."""
    from pyspark.sql import functions as f

    least = pairs.groupBy("a").agg(f.min("b").alias("least"))
    moved = (
        pairs.join(least, "a").where("b <> least").select(f.col("b").alias("a"), f.col("least").alias("b"))
    )
    return moved.union(least.select("a", f.col("least").alias("b"))).distinct()
