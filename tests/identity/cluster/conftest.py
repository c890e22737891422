from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from suzani.identity.cluster.session import check_spark, session
from suzani.kernel import Unavailable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    try:
        check_spark()
    except Unavailable as missing:
        pytest.skip(str(missing))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        running = session("local[2]")
    running.sparkContext.setLogLevel("ERROR")
    yield running
    running.stop()
