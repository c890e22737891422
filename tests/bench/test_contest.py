from __future__ import annotations

import json
import time
from importlib.util import find_spec
from typing import Any

import pytest
from typer.testing import CliRunner

from suzani.bench import contest_table
from suzani.bench.contest import FROM_FILES, NARROW, SPLINK, SUZANI, TRAIN_AND_INFER, WIDE, best_cut
from suzani.bench.contest_runner import compare, median_run
from suzani.bench.metering import Meter, cpu_seconds, peak_mib
from suzani.bench.types import Contest, Cost, Machine, Run
from suzani.kernel import InvalidInput
from suzani.main import app

_MACHINE = Machine("processor", 2, 8.0, "Linux", {"python": "3.11"})


def _run(program: str, records: int, cpu: float, pairs: float, f1: float, over_merged: float = 1) -> Run:
    facts = {"candidates": pairs, "f1": f1, "over_merged": over_merged}
    costs = {"load": Cost(9.0, 9.0), "work": Cost(2 * cpu, cpu)}
    return Run(program, TRAIN_AND_INFER, records, costs, ("work",), 100.0, facts)


def _contest(*runs: Run, peer: str = "") -> Contest:
    return Contest(_MACHINE, peer, 1, runs)


def _row(contest: Contest, records: int, name: str) -> list[str]:
    (found,) = (row for row in contest_table.rows(contest, records) if row[0] == name)
    return found[1:]


@pytest.fixture(scope="module")
def runs() -> list[dict[str, Any]]:
    """The runs of one `bench identity`, beside Splink where that is installed."""
    peer = ["--peer", SPLINK] if find_spec("splink") else []
    result = CliRunner().invoke(app, ["bench", "identity", "--records", "1000", *peer, "--json"])
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["runs"]
    return found


def test_identity_is_measured_in_four_parts_with_its_quality(runs: list[dict[str, Any]]) -> None:
    ours = [run for run in runs if run["program"] == SUZANI]
    assert [run["part"] for run in ours] == [TRAIN_AND_INFER, NARROW, WIDE, FROM_FILES]
    for run in ours:
        assert run["records"] == 1000
        assert run["facts"]["f1"] > 0.9
        assert run["seconds"] > 0
        assert run["peak_mib"] > 0
    assert all(run["cpu_seconds"] > 0 for run in ours if run["part"] != FROM_FILES)


def test_inference_leaves_out_what_loads_the_records(runs: list[dict[str, Any]]) -> None:
    trained, narrow, _, _ = (run for run in runs if run["program"] == SUZANI)
    assert {"encode", "pack"} < set(trained["counted"])
    assert {"encode", "pack"} < set(narrow["phases"])
    assert narrow["counted"] == [phase for phase in narrow["phases"] if phase not in ("encode", "pack")]


def test_a_phase_lasts_until_another_is_entered() -> None:
    meter = Meter()
    meter.enter("first")
    time.sleep(0.01)
    meter.enter("second")
    meter.enter("first")
    meter.enter("")
    assert list(meter.costs) == ["first", "second"]
    assert meter.seconds["first"] >= 0.01


def test_splink_is_measured_on_the_same_columns(runs: list[dict[str, Any]]) -> None:
    pytest.importorskip("splink")
    trained, narrow, wide = (run for run in runs if run["program"] == SPLINK)
    for run in (trained, narrow, wide):
        assert run["facts"]["f1"] > 0.9
        assert run["facts"]["best_f1"] >= run["facts"]["f1"]
    assert {"prior", "u", "m", "block", "score", "cluster"} < set(trained["phases"])
    assert narrow["counted"] == ["block", "score", "cluster"]
    assert {"register", "frequencies"} < set(narrow["phases"])
    assert wide["facts"]["candidates"] > narrow["facts"]["candidates"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--peer", "zingg"], "no peer called 'zingg'"),
        (["--peer", SPLINK, "--peer-settings", "lucky"], "no settings called 'lucky'"),
        (["--records", "3"], "3 records are too few"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(options: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["bench", "identity", *options])
    assert result.exit_code == 2
    assert said in result.stderr


def test_an_unknown_peer_is_refused_before_anything_runs() -> None:
    with pytest.raises(InvalidInput, match="nobody"):
        compare([1000], pytest.fail, peer="nobody")


def test_only_counted_phases_are_in_the_headline() -> None:
    assert _run(SUZANI, 1000, 3.0, 10, 0.99).cost == Cost(6.0, 3.0)


def test_the_run_of_median_cost_counts() -> None:
    runs = [_run(SUZANI, 1000, cpu, 10, 0.99) for cpu in (5.0, 1.0, 3.0, 4.0)]
    assert median_run(runs).cost.cpu_seconds == 3.0
    assert median_run(runs[:1]) is runs[0]


def test_the_best_cut_is_that_of_the_highest_f1() -> None:
    assert best_cut([(0.5, {"f1": 0.7}), (0.9, {"f1": 0.9}), (0.99, {"f1": 0.8})]) == 0.9


def test_a_ratio_says_how_many_times_less_we_take() -> None:
    contest = _contest(
        _run(SUZANI, 1000, 2.0, 10, 0.99, 5), _run(SPLINK, 1000, 16.0, 9, 0.98, 20), peer=SPLINK
    )
    assert contest_table.headings(contest, 1000) == ["1,000 records", SUZANI, SPLINK, "ratio"]
    assert _row(contest, 1000, "train and infer, CPU s") == ["2.0", "16.0", "8.0×"]
    assert _row(contest, 1000, "over-merged persons") == ["5", "20", "4.0×"]
    assert _row(contest, 1000, "pairwise F1, default cut") == ["0.9900", "0.9800", "–"]


def test_growth_is_per_pair_and_lost_f1_against_the_smallest_size() -> None:
    contest = _contest(_run(SUZANI, 1000, 1.0, 100, 0.99), _run(SUZANI, 8000, 12.0, 1000, 0.985))
    assert _row(contest, 8000, "growth per pair (1 is linear)") == ["1.20"]
    assert _row(contest, 8000, "F1 lost since the smallest size") == ["0.0050"]


def test_a_table_leaves_out_what_nobody_measured_and_the_peer_that_was_not_asked() -> None:
    contest = _contest(_run(SUZANI, 1000, 2.0, 10, 0.99))
    assert contest_table.headings(contest, 1000) == ["1,000 records", SUZANI]
    assert all(len(row) == 2 for row in contest_table.rows(contest, 1000))
    assert not any(row[0].startswith("files") for row in contest_table.rows(contest, 1000))


def test_phases_stand_side_by_side_over_sizes() -> None:
    contest = _contest(_run(SUZANI, 1000, 1.0, 100, 0.99), _run(SUZANI, 8000, 12.0, 1000, 0.985))
    assert contest_table.phases(contest) == [
        [f"{SUZANI}, {TRAIN_AND_INFER}: load", "9.0", "9.0"],
        [f"{SUZANI}, {TRAIN_AND_INFER}: work", "1.0", "12.0"],
    ]


def test_a_meter_adds_what_a_phase_costs_and_keeps_the_order() -> None:
    meter = Meter()
    with meter.phase("idle"):
        time.sleep(0.05)
    before = cpu_seconds()
    with meter.phase("busy"):
        while cpu_seconds() - before < 0.05:
            pass
    with meter.phase("idle"):
        pass
    assert list(meter.seconds) == ["idle", "busy"]
    assert meter.seconds["idle"] >= 0.05
    assert meter.costs["idle"].cpu_seconds < meter.costs["busy"].cpu_seconds
    assert meter.costs["busy"].cpu_seconds == pytest.approx(cpu_seconds() - before, abs=0.02)
    assert peak_mib() > 10
