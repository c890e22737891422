"""A Spark session, or a clear word on what is missing for one."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from suzani.kernel import Unavailable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS_PER_BATCH = 50_000
"""Rows that Spark hands to a kernel at once, where it does not hand over a whole group."""


def check_spark() -> None:
    """Raise Unavailable, saying what to install, unless pyspark and Java are there."""
    if not _is_installed("pyspark"):
        raise Unavailable("Spark is not installed", hint="Install it: pip install 'suzani[spark]'.")
    home = os.environ.get("JAVA_HOME")
    if not (home and (Path(home) / "bin" / "java").exists()) and shutil.which("java") is None:
        raise Unavailable(
            "Spark needs Java, and there is none here",
            hint="Install Java 17 or newer and set JAVA_HOME, or put java on the PATH.",
        )


def session(master: str | None = None) -> SparkSession:
    """The running session, or a new one at `master` (None: as spark-submit says, else this machine's cores).

    Raises Unavailable without Spark or Java, or when Spark does not start.
    """
    check_spark()
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("suzani identity").config("spark.ui.showConsoleProgress", "false")
    if master is not None:
        builder = builder.master(master)
        if master.startswith("local"):
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
            builder = builder.config("spark.driver.host", "127.0.0.1")
    try:
        spark: SparkSession = builder.getOrCreate()
    except (PySparkException, RuntimeError) as error:
        raise Unavailable(
            f"Spark does not start: {str(error).splitlines()[0]}", hint="Check --spark-master and JAVA_HOME."
        ) from None
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(ROWS_PER_BATCH))
    # Numbers of tasks are chosen by what a kernel can hold, which Spark cannot know.
    spark.conf.set("spark.sql.adaptive.coalescePartitions.enabled", "false")
    return spark


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:
        return False
