"""Results of stages, kept as Parquet in a work folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Result = TypeVar("Result")


class Stages:
    """Keeps what each stage gave under one folder, so that none is computed twice, and its seconds."""

    def __init__(self, spark: SparkSession, work: str, progress: Callable[[str], None]) -> None:
        self.spark, self.work, self.progress = spark, work.rstrip("/"), progress
        self.seconds: dict[str, float] = {}
        self._kept = 0

    def timed(self, name: str, work: Callable[[], Result]) -> Result:
        """Do the work of a stage; the seconds of stages of one name add up."""
        self.progress(name)
        self.spark.sparkContext.setJobDescription(name)
        began = time.perf_counter()
        result = work()
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - began, 3)
        return result

    def kept(self, name: str, work: Callable[[], DataFrame]) -> DataFrame:
        """The result of a stage, computed and kept."""
        return self.timed(name, lambda: self.stored(work(), name))

    def stored(self, frame: DataFrame, name: str = "round") -> DataFrame:
        """A frame written once, to be read often."""
        self._kept += 1
        path = f"{self.work}/{self._kept:02}-{name}"
        frame.write.mode("overwrite").option("compression", "lz4").parquet(path)
        return self.spark.read.parquet(path)
