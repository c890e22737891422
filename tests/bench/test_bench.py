from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from suzani.bench.runner import BENCHMARKS, _with_growth
from suzani.bench.types import Sample
from suzani.main import app


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_reports_phases_memory_and_growth(name: str) -> None:
    result = CliRunner().invoke(app, ["bench", name, "--records", "1000", "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    (sample,) = report["samples"]
    assert report["benchmark"] == name
    assert sample["records"] == 1000
    assert sample["growth"] == 1.0
    assert sample["peak_mib"] > 0
    assert sample["seconds"] == pytest.approx(sum(sample["phases"].values()), abs=0.05)
    assert report["machine"]["versions"]["suzani"]


def test_linking_is_measured_with_its_quality() -> None:
    result = CliRunner().invoke(app, ["bench", "link", "--records", "1000", "--json"])
    facts = json.loads(result.stdout)["samples"][0]["facts"]
    assert facts["f1"] > 0.9
    assert facts["persons"] <= 1000


def test_too_few_records_are_refused_by_name() -> None:
    result = CliRunner().invoke(app, ["bench", "link", "--records", "3"])
    assert result.exit_code == 2
    assert "3 records are too few" in result.stderr


def test_growth_compares_the_time_of_a_record_with_that_at_the_smallest_size() -> None:
    small = Sample(100, {}, 1.0, 1.0)
    large = Sample(1000, {}, 30.0, 1.0)
    assert _with_growth(large, small).growth == pytest.approx(3.0)
