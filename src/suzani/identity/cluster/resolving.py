"""The stages of a run on Spark, each kept in a work folder before the next begins.

*learn* on the driver; *records*: standard values; *nodes*: equal records once; *blocks* of two nodes and
more, in buckets; *pairs*: each bucket scanned; *components* of pairs; *persons*: components parted.
With the same norms and knowledge the weight of a pair depends on its two records alone, and so the persons
are those of the local engine, however the work is shared out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from suzani.identity.cluster import components, tasks
from suzani.identity.cluster.columns import column_names
from suzani.identity.cluster.learning import learn, replanned
from suzani.identity.cluster.options import ClusterOptions
from suzani.identity.cluster.stages import Stages
from suzani.identity.cluster.tasks import Judge
from suzani.identity.learning.engine import Progress
from suzani.identity.learning.knowledge import Knowledge, Learned
from suzani.identity.models.model import Model
from suzani.kernel import Kind

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_COMPONENT_BUCKET = "cast(pmod(xxhash64(component), {}) as int)"


@dataclass(frozen=True)
class Resolved:
    """`persons` (record, person): the lowest record number of each person names it. `learned`: by what pairs
    were judged. `seconds` by stage."""

    persons: DataFrame
    learned: Learned
    records: int
    seconds: dict[str, float] = field(default_factory=dict)


def resolve_frame(
    frame: DataFrame,
    kinds: Mapping[str, Kind],
    work: str,
    *,
    learned: Learned | None = None,
    model: Model | None = None,
    options: ClusterOptions | None = None,
    progress: Progress = lambda phase: None,
) -> Resolved:
    """Persons among the rows of `frame`: `record`, a whole number of each row's own, and columns of strings.

    `kinds` says what the columns are; `work` is a folder that all executors share. With `learned`, of an
    earlier run here or on one machine, nothing is learned; else the driver learns, from a sample if the
    records are more than `options.learn_from`.
    """
    options = options or ClusterOptions()
    stages = Stages(frame.sparkSession, work, progress)
    records = stages.timed("count", frame.count)
    sampled = learned is None and records > options.learn_from
    known = learned or stages.timed("learn", lambda: learn(frame, records, kinds, model, options))
    run = _Run(stages, options, known, records)
    nodes = run.nodes(frame)
    if sampled:
        run = run.replanned(nodes)
    return Resolved(run.persons(nodes, run.pairs(nodes)), run.learned, records, stages.seconds)


@dataclass(frozen=True)
class _Run:
    """One run by given norms and knowledge."""

    stages: Stages
    options: ClusterOptions
    learned: Learned
    records: int

    @property
    def _judge(self) -> Judge:
        context = self.stages.spark.sparkContext
        return Judge(context.broadcast(self.learned.to_bytes()), self.options.matching)

    @property
    def _cores(self) -> int:
        return self.stages.spark.sparkContext.defaultParallelism

    @property
    def _tasks(self) -> int:
        return self.options.tasks(self.records, self._cores)

    @property
    def _buckets(self) -> int:
        if self.learned.knowledge.plan is None:
            return 1
        return self.options.buckets(self.records, self._cores)

    def _share_out(self, tasks: int) -> None:
        """So many tasks after each of the shuffles to come."""
        self.stages.spark.conf.set("spark.sql.shuffle.partitions", str(tasks))

    @property
    def _values(self) -> str:
        return "".join(f", {name} string" for name in column_names(self.learned.norms))

    def nodes(self, frame: DataFrame) -> DataFrame:
        """Records standardised, and each content once: node, first, copies, joined, values."""
        judge = self._judge
        schema = "record long, node long" + self._values
        standard = frame.mapInArrow(tasks.standardised(judge), schema)
        records = self.stages.kept("records", lambda: standard)
        schema = "node long, first long, copies array<long>, joined boolean" + self._values
        equal = records.repartition(self._tasks, "node").mapInArrow(tasks.grouped_equal(judge), schema)
        return self.stages.kept("nodes", lambda: equal)

    def replanned(self, nodes: DataFrame) -> _Run:
        """The same with the blocks of a sample's plan counted, and refined, among all nodes."""

        self._share_out(self._tasks)

        def count(knowledge: Knowledge) -> pa.Table:
            counting = replace(self, learned=replace(self.learned, knowledge=knowledge))
            sizes = counting.entries(nodes).groupBy("rule", "hash").count()
            return sizes.where("count > 1").withColumnRenamed("count", "size").toArrow()

        knowledge = self.stages.timed("plan", lambda: replanned(self.learned.knowledge, self.records, count))
        return replace(self, learned=replace(self.learned, knowledge=knowledge))

    def entries(self, nodes: DataFrame) -> DataFrame:
        """The blocks that each node is in: bucket, rule, hash, node."""
        schema = "bucket int, rule short, hash long, node long"
        values = nodes.select("node", *column_names(self.learned.norms))
        return values.mapInArrow(tasks.entered(self._judge, self._buckets), schema)

    def pairs(self, nodes: DataFrame) -> DataFrame:
        """Pairs of nodes above the loose bound: a, b."""
        self._share_out(self._buckets)
        entries = self.entries(nodes).repartition(self._buckets, "bucket")
        schema = "bucket int, rule short, hash long, node long, fresh boolean"
        blocks = self.stages.kept("blocks", lambda: entries.mapInArrow(tasks.kept_blocks, schema))
        # Named anew: Spark does not tell the two sides of a cogroup apart when they share columns.
        there = blocks.where("fresh").selectExpr("bucket as home", "node as node")
        values = there.join(nodes.select("node", *column_names(self.learned.norms)), "node")
        both = blocks.groupBy("bucket").cogroup(values.groupBy("home"))
        found = both.applyInArrow(tasks.scanned(self._judge), "a long, b long")
        return self.stages.kept("pairs", found.distinct)

    def persons(self, nodes: DataFrame, pairs: DataFrame) -> DataFrame:
        """Every record and its person: record, person."""
        self._share_out(self._tasks)
        component = self.stages.kept("components", lambda: self._components(pairs))
        bucket = _COMPONENT_BUCKET.format(self._tasks)
        members = component.selectExpr("node", f"{bucket} as bucket")
        values = members.join(nodes.select("node", *column_names(self.learned.norms)), "node")
        inside = pairs.join(members.selectExpr("node as a", "bucket as home"), "a")
        both = inside.groupBy("home").cogroup(values.groupBy("bucket"))
        parted = both.applyInArrow(tasks.parted(self._judge), "node long, person_node long")
        named = self.stages.kept("persons", lambda: parted)
        return self.stages.kept("numbers", lambda: _numbered(nodes, named))

    def _components(self, pairs: DataFrame) -> DataFrame:
        if pairs.count() > self.options.driver_edges:
            return components.by_joins(pairs, self.stages.stored)
        return self.stages.spark.createDataFrame(components.in_memory(pairs.toArrow()))


def _numbered(nodes: DataFrame, named: DataFrame) -> DataFrame:
    """Persons of nodes → of records; copies that do not say enough to match themselves stay alone."""
    from pyspark.sql import functions as f

    of_nodes = nodes.select("node", "first", "copies", "joined").join(named, "node", "left")
    of_nodes = of_nodes.withColumn("person_node", f.coalesce("person_node", "node"))
    lowest = of_nodes.groupBy("person_node").agg(f.min("first").alias("person"))
    of_nodes = of_nodes.join(lowest, "person_node")
    firsts = of_nodes.select(f.col("first").alias("record"), "person")
    copies = of_nodes.select(f.explode("copies").alias("record"), "person", "joined")
    copies = copies.select("record", f.when(f.col("joined"), f.col("person")).otherwise(f.col("record")))
    return firsts.union(copies)
