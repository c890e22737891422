from __future__ import annotations

import json
import random
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from suzani.identity.files.evaluation import labelled
from suzani.identity.files.linking import link, read_input
from suzani.identity.learning.evidence import evidence_json
from suzani.identity.reasons.misses import Run, Wrong, explain_misses, find_misses
from suzani.main import app

PERSONS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz")), max_size=14)

GIVEN = "anna boris clara daniel emma felix greta henry ida jonas karla linus mona nils olga paul".split()
FAMILY = (
    "ashton brewer carter dawson ellis fisher garner hobbs irving jarvis keller lawson mercer nolan".split()
)


@given(PERSONS)
def test_misses_are_exactly_the_persons_that_are_wrong(rows: list[tuple[str, str]]) -> None:
    found, true = [f for f, _ in rows], [t for _, t in rows]
    misses = find_misses(found, true)
    merged = {m.person: m.pairs for m in misses if m.kind is Wrong.MERGED}
    split = {m.person: m.pairs for m in misses if m.kind is Wrong.SPLIT}
    pairs = list(combinations(rows, 2))
    for outer, inner, counted in ((0, 1, merged), (1, 0, split)):
        wrong = [a[outer] for a, b in pairs if a[outer] == b[outer] and a[inner] != b[inner]]
        assert counted == {person: wrong.count(person) for person in wrong}
    assert [m.pairs for m in misses] == sorted((m.pairs for m in misses), reverse=True)
    for miss in misses:
        sizes = [len(places) for _, places in miss.groups]
        assert sizes == sorted(sizes, reverse=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A town of 300 people with two records each, linked; the truth says something else of some."""
    path = tmp_path_factory.mktemp("misses")
    rng = random.Random(5)
    rows, truth = [], []
    for person in range(300):
        first, last = rng.choice(GIVEN), rng.choice(FAMILY)
        born = f"{rng.randint(1940, 2004)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        for copy in range(2):
            moved = copy and person % 5 == 0
            phone = "" if copy and person % 3 else f"90{person:07}"
            rows.append((f"{person}-{copy}", first, last, born, "elsewhere" if moved else "here", phone))
            # Persons 2 and 3 are one in truth; the second record of 4 is somebody else's.
            truth.append("2" if person == 3 else "other" if (person, copy) == (4, 1) else str(person))
    names = ["id", "first_name", "last_name", "birth_date", "city", "phone"]
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table({**columns, "who": truth}), path / "people.parquet")
    return path


@pytest.fixture(scope="module")
def files(folder: Path) -> list[str]:
    people, persons = folder / "people.parquet", folder / "persons.parquet"
    made = CliRunner().invoke(
        app,
        [
            *("link", str(people), "--id", "id", "--ignore", "who", "--out", str(persons)),
            *("--edges", str(folder / "edges.parquet"), "--save-model", str(folder / "model.json")),
        ],
    )
    assert made.exit_code == 0, made.output
    return ["evaluate", str(persons), str(people), "--id", "id", "--truth", "who"]


def listed(files: list[str], *more: object) -> tuple[int, list[dict[str, Any]]]:
    """How many persons are wrong, and those that were listed."""
    result = CliRunner().invoke(app, [*files, *map(str, more), "--json"])
    assert result.exit_code == 0, result.output
    misses = json.loads(result.stdout)["misses"]
    return misses["persons"], misses["listed"]


def wrongly_merged(misses: list[dict[str, Any]]) -> dict[str, Any]:
    """The miss that holds a record of person 4 and the one that the truth gives to another."""
    return next(
        miss for miss in misses if miss["kind"] == "wrongly merged" and set(miss["groups"]) == {"4", "other"}
    )


def test_misses_are_listed_largest_first_with_their_records(files: list[str]) -> None:
    persons, misses = listed(files, "--misses", 99)
    assert persons == len(misses)
    assert [miss["pairs"] for miss in misses] == sorted((miss["pairs"] for miss in misses), reverse=True)
    assert ("wrongly split", "2", 4) in [(miss["kind"], miss["person"], miss["pairs"]) for miss in misses]
    merged = wrongly_merged(misses)
    assert (merged["pairs"], merged["reasons"]) == (1, [])
    values = [record["values"] for group in merged["groups"].values() for record in group]
    assert values[0]["birth_date"] == values[1]["birth_date"]
    assert "who" not in values[0]
    assert len(listed(files, "--misses", 1)[1]) == 1


def test_with_the_model_each_miss_says_why_in_bits(files: list[str], folder: Path) -> None:
    edges, model = folder / "edges.parquet", folder / "model.json"
    _, misses = listed(files, "--misses", 99, "--model", model, "--edges", edges)
    for miss in misses:
        assert len(miss["reasons"]) == len(miss["groups"]) - 1
        for reason in miss["reasons"]:
            why = reason["why"]
            total = why["prior_bits"] + sum(step["bits"] for step in why["steps"])
            assert total == pytest.approx(why["odds_bits"], abs=0.006)
    why = wrongly_merged(misses)["reasons"][0]["why"]
    assert why["verdict"] == "one person by their own evidence"
    date = next(step for step in why["steps"] if step["field"] == "birth_date")
    assert date["level"] == "exact"
    assert date["value_a"] == date["value_b"] != ""


def test_the_weights_are_those_of_the_run(folder: Path) -> None:
    data = read_input([folder / "people.parquet"], "id", ["who"], None)
    linkage = link(data)
    run = Run.of(data, linkage.resolution.model)
    edges = linkage.resolution.edges
    some = edges.where(edges.left % 7 == 0)
    whys = run.whys(some, dict.fromkeys(range(data.rows), "one"))
    assert [why.odds_bits for why in whys] == pytest.approx(some.odds_bits.tolist(), abs=0.02)
    assert evidence_json(run.judged, some).equals(evidence_json(linkage.resolution.judged, some))


def test_text_shows_records_side_by_side_and_the_waterfall(files: list[str], folder: Path) -> None:
    arguments = [*files, "--misses", "2", "--model", str(folder / "model.json")]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert "1 of" in result.stdout
    assert "4 pairs wrongly apart" in result.stdout
    assert "sum of bits" in result.stdout
    assert "birth_date" in result.stdout


def test_a_pair_that_blocking_did_not_bring_up_is_told(folder: Path) -> None:
    data = read_input([folder / "people.parquet"], "id", ["who"], None)
    linkage = link(data)
    truth = pa.table({"id": data.record_id, "who": [str(key).split("-")[1] for key in data.record_id]})
    labels = labelled(linkage.persons, truth, "id", "who")
    merged = [miss for miss in find_misses(labels.found, labels.true) if miss.kind is Wrong.MERGED][:3]
    run = Run.of(data, linkage.resolution.model, frozenset())
    for miss in explain_misses(merged, labels, data, run):
        for reason in miss.reasons:
            odds = reason.why.odds_bits
            assert odds is not None
            assert reason.compared == (odds <= -2)


def test_records_that_no_file_has_are_named(files: list[str], folder: Path, tmp_path: Path) -> None:
    part = pq.read_table(folder / "people.parquet").slice(300)
    pq.write_table(part, tmp_path / "part.parquet")
    result = CliRunner().invoke(app, [*files, "--misses", "9", "--records", str(tmp_path / "part.parquet")])
    assert result.exit_code == 2
    assert "no file of records has the record" in result.stderr


def test_a_model_of_other_fields_is_refused(files: list[str], folder: Path, tmp_path: Path) -> None:
    whole = pq.read_table(folder / "people.parquet")
    pq.write_table(whole.drop_columns(["phone"]), tmp_path / "people.parquet")
    more = ["--records", str(tmp_path / "people.parquet"), "--model", str(folder / "model.json")]
    result = CliRunner().invoke(app, [*files, "--misses", "9", *more])
    assert result.exit_code == 2
    assert "the model was trained on the fields" in result.stderr
