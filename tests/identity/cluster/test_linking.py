from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from suzani.identity.cluster.session import check_spark
from suzani.identity.cluster.slices import rows_between
from suzani.identity.files.tables import read_table, write_table
from suzani.kernel import Unavailable
from suzani.main import app
from tests.identity.people import town

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_the_command_writes_what_the_local_engine_writes(spark: SparkSession, tmp_path: Path) -> None:
    table, _ = town(150, seed=8)
    table = table.append_column("id", pa.array([str(n) for n in range(table.num_rows)]))
    half = table.num_rows // 2
    renamed = {"given_name": "first_name", "family_name": "surname"}
    second = table.slice(half).rename_columns([renamed.get(name, name) for name in table.column_names])
    pq.write_table(table.slice(0, half), tmp_path / "cards.parquet", row_group_size=50)
    write_table(second, tmp_path / "loans.csv")
    for engine in ("local", "spark"):
        files = [str(tmp_path / "cards.parquet"), str(tmp_path / "loans.csv")]
        given = ["--id", "id", "--engine", engine, "--out", str(tmp_path / f"{engine}.parquet")]
        done = CliRunner().invoke(app, ["link", *files, *given], catch_exceptions=False)
        assert done.exit_code == 0, done.stderr
    assert read_table(tmp_path / "spark.parquet").equals(read_table(tmp_path / "local.parquet"))


def test_edges_are_refused_before_any_work(tmp_path: Path) -> None:
    given = ["--id", "id", "--engine", "spark", "--edges", str(tmp_path / "edges.parquet")]
    done = CliRunner().invoke(app, ["link", str(tmp_path / "cards.parquet"), *given])
    assert done.exit_code != 0
    assert "edges" in done.stderr


def test_slices_are_read_across_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "numbers.parquet"
    pq.write_table(pa.table({"n": range(100), "m": range(100)}), path, row_group_size=30)
    assert rows_between(str(path), 25, 50, ["n"]).to_pydict() == {"n": [str(n) for n in range(25, 75)]}


def test_without_java_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark", reason="Spark is not installed")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(Unavailable, match="Java"):
        check_spark()


def test_without_pyspark_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(Unavailable, match="not installed"):
        check_spark()
