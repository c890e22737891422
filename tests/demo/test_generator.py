"""The bank as a whole: determinism, truth, reuse, the second month."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from suzani.demo import Generated, generate
from suzani.demo.systems import SYSTEMS
from suzani.kernel import Conflict, InvalidInput
from tests.demo.conftest import RECORDS, files_of, truth_of


def rows_of(path: Path, delimiter: str, encoding: str = "utf-8") -> list[dict[str, str]]:
    text = path.read_bytes().decode(encoding, errors="replace").replace("\0", "")
    return list(csv.DictReader(text.splitlines(), delimiter=delimiter))


def cards_of(bank: Generated) -> dict[str, dict[str, str]]:
    return {row["client_id"]: row for row in rows_of(bank.extracts["cards"], ",")}


def test_the_same_parameters_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate(tmp_path / name, records=1_000, seed=3)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


def test_another_seed_gives_another_bank(tmp_path: Path) -> None:
    for seed in (3, 4):
        generate(tmp_path / str(seed), records=300, seed=seed)
    one, other = files_of(tmp_path / "3"), files_of(tmp_path / "4")
    assert all(one[name] != other[name] for name in one)


def test_the_truth_names_as_many_records_as_were_asked_for_each_once(bank: Generated) -> None:
    truth = pq.read_table(bank.truth)
    assert bank.records == truth.num_rows == len(truth_of(bank)) == RECORDS
    assert len(truth["person_key"].unique()) == bank.people == round(RECORDS * 0.725)
    assert set(truth["system"].to_pylist()) == {system.name for system in SYSTEMS}


def test_broken_rows_are_few_and_not_in_the_truth(bank: Generated) -> None:
    assert 0 < bank.broken <= RECORDS * 0.005
    cards = rows_of(bank.extracts["cards"], ",")
    known = {key for system, key in truth_of(bank) if system == "cards"}
    assert len(cards) == len(known) + sum(row["client_id"] not in known for row in cards)


def test_row_order_and_keys_tell_nothing_about_the_person(bank: Generated) -> None:
    truth = pq.read_table(bank.truth).to_pylist()
    neighbours = sum(a["person_key"] == b["person_key"] for a, b in itertools.pairwise(truth))
    assert neighbours < 10


def test_asked_again_it_reuses_what_is_there(tmp_path: Path) -> None:
    first = generate(tmp_path / "bank", records=200, seed=1)
    before = first.truth.stat().st_mtime_ns
    second = generate(tmp_path / "bank", records=200, seed=1)
    assert (first.reused, second.reused) == (False, True)
    assert second.truth.stat().st_mtime_ns == before
    assert second.records == 200


def test_other_parameters_on_the_same_folder_are_refused(tmp_path: Path) -> None:
    generate(tmp_path / "bank", records=200, seed=1)
    with pytest.raises(Conflict, match="records 200 instead of 300"):
        generate(tmp_path / "bank", records=300, seed=1)


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(Conflict, match="other files"):
        generate(tmp_path, records=200, seed=1)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("wrong", [{"records": 1}, {"records": 10**9}, {"month": 3}, {"seed": -1}])
def test_impossible_parameters_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        generate(tmp_path / "bank", **({"records": 200, "seed": 1} | wrong))


def test_a_failed_generation_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(OSError, match="No space"):
        generate(tmp_path / "bank", records=200, seed=1)
    assert list(tmp_path.iterdir()) == []


def test_the_smallest_bank_can_be_made(tmp_path: Path) -> None:
    assert generate(tmp_path / "bank", records=10, seed=1).records == 10
    assert generate(tmp_path / "next", records=10, seed=1, month=2).month == 2


def test_unchanged_rows_of_a_snapshot_are_the_same_next_month(bank: Generated, next_month: Generated) -> None:
    before, after = cards_of(bank), cards_of(next_month)
    known = {key for system, key in truth_of(bank) if system == "cards"}
    both = before.keys() & after.keys() & known
    changed = [key for key in both if before[key] != after[key]]
    assert 0.01 < len(changed) / len(both) < 0.06
    assert all(after[key]["updated_at"] >= "2026-09" for key in changed)


def test_next_month_has_new_deleted_and_rekeyed_records(bank: Generated, next_month: Generated) -> None:
    first, second = truth_of(bank), truth_of(next_month)
    assert second.keys() - first.keys()
    assert first.keys() - second.keys()
    rekeyed = {
        k: row["previous_client_id"] for k, row in cards_of(next_month).items() if row["previous_client_id"]
    }
    assert rekeyed
    for new, old in rekeyed.items():
        assert first["cards", old] == second["cards", new]
        assert ("cards", old) not in second


def test_a_delta_holds_only_what_happened_and_marks_deletions(bank: Generated, next_month: Generated) -> None:
    lines = next_month.extracts["lending"].read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.endswith("}")]
    assert 0 < len(rows) < sum(system == "lending" for system, _ in truth_of(bank)) * 0.12
    archived = {row["id"] for row in rows if row["archived"]}
    assert archived
    assert not {("lending", key) for key in archived} & truth_of(next_month).keys()
