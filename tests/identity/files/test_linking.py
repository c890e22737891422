from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner, Result

from suzani.identity.files.evaluation import evaluate_partition
from suzani.identity.files.linking import link, read_fields, read_input
from suzani.identity.files.tables import read_table
from suzani.kernel import InvalidInput, Kind
from suzani.main import app
from tests.identity.people import KINDS, town

TRUTH = {"first_name": "given_name", "surname": "family_name", "middle_name": "patronymic", "gender": "sex",
         "dob": "birth_date", "pinfl": "national_id", "mobile": "phone", "address": "address",
         "town": "city"}  # fmt: skip
OTHER_NAMES = dict(
    zip("имя фамилия отчество пол дата_рождения пинфл телефон адрес город".split(), KINDS, strict=True)
)


Ints = npt.NDArray[np.int64]
People = tuple[pa.Table, Ints]


def run(*arguments: object) -> Result:
    """The command with these arguments; exceptions that no edge caught show themselves."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def with_ids(table: pa.Table, names: dict[str, str], prefix: str = "r") -> pa.Table:
    """Columns under the names of a file, after a column of ids."""
    renamed = pa.table({new: table.column(old) for new, old in names.items()})
    return renamed.add_column(0, "rec_id", pa.array([f"{prefix}{n}" for n in range(table.num_rows)]))


def write_csv(table: pa.Table, path: Path) -> Path:
    pcsv.write_csv(table.set_column(0, table.column_names[0], table.column(0)), path)
    return path


@pytest.fixture(scope="module")
def people() -> tuple[pa.Table, Ints]:
    return town(90, seed=31)


@pytest.fixture
def file(tmp_path: Path, people: People) -> Path:
    return write_csv(with_ids(people[0], TRUTH), tmp_path / "bank.csv")


def quality(persons: pa.Table, truth: Ints) -> float:
    found = np.array([int(number) for number in persons.column("person_id").to_pylist()])
    return evaluate_partition(found, truth).pairwise.f1


def test_one_file_is_deduplicated_row_for_row(tmp_path: Path, file: Path, people: People) -> None:
    out = tmp_path / "persons.csv"
    result = run("link", file, "--id", "rec_id", "--out", out)
    assert result.exit_code == 0, result.stderr
    persons = read_table(out)
    assert persons.column_names == ["source", "record_id", "person_id"]
    assert persons.column("record_id").to_pylist() == [f"r{n}" for n in range(len(people[1]))]
    assert set(persons.column("source").to_pylist()) == {"bank"}
    assert quality(persons, people[1]) > 0.95


def test_persons_are_numbered_in_the_order_of_their_first_records(tmp_path: Path, file: Path) -> None:
    run("link", file, "--id", "rec_id", "--out", tmp_path / "p.csv")
    numbers = [int(n) for n in read_table(tmp_path / "p.csv").column("person_id").to_pylist()]
    assert list(dict.fromkeys(numbers)) == list(range(1, max(numbers) + 1))


def test_files_of_different_kinds_and_languages_are_linked(tmp_path: Path, people: People) -> None:
    table, truth = people
    half = table.num_rows // 2
    first = write_csv(with_ids(table.slice(0, half), TRUTH), tmp_path / "bank.csv")
    second = tmp_path / "shop.parquet"
    pq.write_table(with_ids(table.slice(half), OTHER_NAMES), second)
    out = tmp_path / "p.parquet"
    result = run("link", first, second, "--id", "rec_id", "--out", out)
    assert result.exit_code == 0, result.stderr
    persons = pq.read_table(out)
    assert persons.column("source").to_pylist() == ["bank"] * half + ["shop"] * (table.num_rows - half)
    assert quality(persons, truth) > 0.95


def test_the_columns_of_a_second_file_are_looked_at_however_long_the_first(tmp_path: Path) -> None:
    long = pa.table({"rec_id": pa.array([f"{n}" for n in range(20_001)])}).append_column(
        "branch", pa.array(["main"] * 20_001)
    )
    first = write_csv(long, tmp_path / "long.csv")
    second = write_csv(pa.table({"rec_id": ["1", "2"], "surname": ["Lee", "Kim"]}), tmp_path / "short.csv")
    data = read_input([first, second], "rec_id", [], None)
    assert data.guesses["surname"].kind is Kind.FAMILY_NAME


def test_columns_of_one_kind_under_different_names_become_one(tmp_path: Path) -> None:
    one = write_csv(
        pa.table({"id": ["1"], "first_name": ["Ann"], "phone": ["901112233"]}), tmp_path / "a.csv"
    )
    two = write_csv(
        pa.table({"id": ["1"], "given_name": ["Bob"], "mobile": ["904445566"], "tel": ["907778899"]}),
        tmp_path / "b.csv",
    )
    table = read_input([one, two], "id", [], None).table
    assert table.column("first_name").to_pylist() == ["Ann", "Bob"]
    assert table.column("phone").to_pylist() == ["901112233", "904445566"]
    assert table.column("tel").to_pylist() == [None, "907778899"]
    assert "given_name" not in table.column_names


def test_a_file_that_has_both_names_keeps_both(tmp_path: Path) -> None:
    one = write_csv(pa.table({"id": ["1"], "phone": ["901112233"]}), tmp_path / "a.csv")
    two = write_csv(
        pa.table({"id": ["1"], "mobile": ["904445566"], "phone": ["907778899"]}), tmp_path / "b.csv"
    )
    table = read_input([one, two], "id", [], None).table
    assert table.column("phone").to_pylist() == ["901112233", "907778899"]
    assert table.column("mobile").to_pylist() == [None, "904445566"]


def test_a_file_with_nothing_but_ids_keeps_its_rows(tmp_path: Path) -> None:
    one = write_csv(pa.table({"id": ["1", "2"], "phone": ["901112233", "904445566"]}), tmp_path / "a.csv")
    two = write_csv(pa.table({"id": ["3", "4", "5"]}), tmp_path / "b.csv")
    out = tmp_path / "p.csv"
    assert run("link", one, two, "--id", "id", "--out", out).exit_code == 0
    assert read_table(out).column("record_id").to_pylist() == ["1", "2", "3", "4", "5"]


def test_the_id_and_ignored_columns_are_never_evidence(tmp_path: Path, people: People) -> None:
    # Ids and a key that say outright, and wrongly, who is who, do not change what is found without them.
    wrong = pa.array([f"AB{number % 7:07}" for number in range(len(people[1]))])
    plain = with_ids(people[0], {name: kind for name, kind in TRUTH.items() if name != "town"})
    laden = with_ids(people[0], TRUTH, "90111").append_column("passport", wrong)
    one, two = write_csv(plain, tmp_path / "plain.csv"), write_csv(laden, tmp_path / "laden.csv")
    run("link", one, "--id", "rec_id", "--out", tmp_path / "p1.csv")
    for number, options in enumerate(
        (["--ignore", "passport,town"], ["--ignore", "passport", "--ignore", "town"])
    ):
        out = tmp_path / f"p2{number}.csv"
        summary = json.loads(run("link", two, "--id", "rec_id", *options, "--out", out, "--json").stdout)
        assert not {"rec_id", "passport", "town"} & set(summary["columns"])
        assert read_table(out).column("person_id") == read_table(tmp_path / "p1.csv").column("person_id")


def test_the_summary_as_json_is_all_there_is_on_standard_output(
    tmp_path: Path, file: Path, people: People
) -> None:
    result = run("link", file, "--id", "rec_id", "--out", tmp_path / "p.csv", "--json")
    summary = json.loads(result.stdout)
    assert summary["records"] == len(people[1])
    assert 0 < summary["persons"] < summary["records"]
    assert summary["columns"]["dob"] == "birth_date"


def test_the_summary_estimates_its_own_quality(tmp_path: Path, file: Path) -> None:
    summary = json.loads(run("link", file, "--id", "rec_id", "--out", tmp_path / "p.csv", "--json").stdout)
    for quality in ("precision", "recall", "f1"):
        interval = summary["estimate"][quality]
        assert 0 <= interval["low"] <= interval["value"] <= interval["high"] <= 1
    told = run("link", file, "--id", "rec_id", "--out", tmp_path / "p.csv").stdout
    assert f"precision {summary['estimate']['precision']['value']:.4f} (" in told


def test_every_column_is_explained_on_standard_error(tmp_path: Path, file: Path) -> None:
    result = run("link", file, "--id", "rec_id", "--out", tmp_path / "p.csv")
    assert "the name 'surname'" in result.stderr
    assert "persons" in result.stdout


def test_without_any_evidence_every_record_is_a_person_and_the_user_is_told(tmp_path: Path) -> None:
    file = write_csv(pa.table({"id": ["1", "2"], "x": ["-", "-"]}), tmp_path / "a.csv")
    result = run("link", file, "--id", "id", "--out", tmp_path / "p.csv")
    assert result.exit_code == 0
    assert "No column is evidence" in result.stderr
    assert read_table(tmp_path / "p.csv").column("person_id").to_pylist() == ["1", "2"]


def test_a_file_without_rows_gives_a_result_without_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,surname\n")
    assert run("link", tmp_path / "a.csv", "--id", "id", "--out", tmp_path / "p.csv").exit_code == 0
    assert read_table(tmp_path / "p.csv").num_rows == 0


def test_edges_show_the_evidence_strongest_first(tmp_path: Path, file: Path) -> None:
    edges_file = tmp_path / "edges.parquet"
    run("link", file, "--id", "rec_id", "--out", tmp_path / "p.csv", "--edges", edges_file)
    edges = pq.read_table(edges_file)
    weights = edges.column("weight_bits").to_pylist()
    assert len(weights) > 0
    assert weights == sorted(weights, reverse=True)
    probability = edges.column("probability").to_numpy()
    assert np.all((probability >= 0) & (probability <= 1))
    persons = {row["record_id"]: row["person_id"] for row in read_table(tmp_path / "p.csv").to_pylist()}
    strongest = edges.slice(0, 1).to_pylist()[0]
    assert persons[strongest["record_id_a"]] == persons[strongest["record_id_b"]]


def test_a_saved_model_gives_the_same_persons_again(tmp_path: Path, file: Path) -> None:
    model, first, second = tmp_path / "model.json", tmp_path / "p1.csv", tmp_path / "p2.csv"
    run("link", file, "--id", "rec_id", "--out", first, "--save-model", model)
    result = run("link", file, "--id", "rec_id", "--out", second, "--model", model)
    assert result.exit_code == 0, result.stderr
    assert first.read_bytes() == second.read_bytes()


def test_a_model_that_does_not_fit_the_columns_is_refused(tmp_path: Path, file: Path) -> None:
    model = tmp_path / "model.json"
    run(
        "link",
        file,
        "--id",
        "rec_id",
        "--ignore",
        "pinfl",
        "--out",
        tmp_path / "p.csv",
        "--save-model",
        model,
    )
    result = run("link", file, "--id", "rec_id", "--out", tmp_path / "q.csv", "--model", model)
    assert result.exit_code == 2
    assert "trained on the fields" in result.stderr
    assert not (tmp_path / "q.csv").exists()


@pytest.mark.parametrize("text", [None, "{", "{}"])
def test_a_broken_or_missing_model_is_refused_by_name(tmp_path: Path, file: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "model.json").write_text(text)
    result = run(
        "link", file, "--id", "rec_id", "--out", tmp_path / "p.csv", "--model", tmp_path / "model.json"
    )
    assert result.exit_code == 2
    assert "model.json" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--id", "nr"], "no column 'nr'"),
        (["--id", "rec_id", "--ignore", "surnme"], "no file has a column 'surnme'"),
        (["--id", "rec_id", "--out", "p.xlsx"], "do not know the ending"),
        (["--id", "rec_id", "--edges", "nowhere/e.csv"], "no folder"),
        (["--id", "rec_id", "--fields", "none.yaml"], "no file none.yaml"),
    ],
)
def test_an_option_that_cannot_be_met_is_refused_before_any_work(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("link", file, *options)
    assert result.exit_code in (2, 3)
    assert message in result.stderr
    assert not (tmp_path / "persons.parquet").exists()


@pytest.mark.parametrize("text", ["id,surname\n1,Lee\n,Kim\n", "id,surname\n1,Lee\n  ,Kim\n"])
def test_an_empty_id_is_refused_with_its_row(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    result = run("link", tmp_path / "a.csv", "--id", "id", "--out", tmp_path / "p.csv")
    assert result.exit_code == 2
    assert "row 2" in result.stderr


def test_a_record_without_the_id_in_json_is_refused_with_its_row(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1, "surname": "Lee"}\n{"surname": "Kim"}\n')
    with pytest.raises(InvalidInput, match="row 2"):
        read_input([tmp_path / "a.jsonl"], "id", [], None)


@pytest.mark.parametrize("names", [("a/x.csv", "b/x.csv"), ("x.csv", "x.csv"), ("x.csv", "x.csv.gz")])
def test_two_files_of_one_name_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    with pytest.raises(InvalidInput, match="both called 'x'"):
        read_input([tmp_path / name for name in names], "id", [], None)


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    result = run("link", tmp_path / "none.csv", "--id", "id", "--out", tmp_path / "p.csv")
    assert result.exit_code == 3
    assert "none.csv" in result.stderr


def test_a_fields_file_says_what_every_column_is(tmp_path: Path, people: People) -> None:
    table, truth = people
    names = {f"c{n}": kind for n, kind in enumerate(KINDS)}
    file = write_csv(with_ids(table, names), tmp_path / "bank.csv")
    fields = tmp_path / "fields.yaml"
    fields.write_text(
        yaml.safe_dump({name: KINDS[kind].value for name, kind in names.items() if kind != "city"})
    )
    summary = json.loads(
        run("link", file, "--id", "rec_id", "--fields", fields, "--out", tmp_path / "p.csv", "--json").stdout
    )
    assert summary["columns"] == {name: "ignore" if kind == "city" else kind for name, kind in names.items()}
    assert quality(read_table(tmp_path / "p.csv"), truth) > 0.95


def test_a_fields_file_that_names_an_unknown_column_is_refused(tmp_path: Path, file: Path) -> None:
    fields = tmp_path / "fields.yaml"
    fields.write_text("surnme: family_name\n")
    result = run("link", file, "--id", "rec_id", "--fields", fields, "--out", tmp_path / "p.csv")
    assert result.exit_code == 2
    assert "surnme" in result.stderr


@pytest.mark.parametrize(
    "text",
    ["a: colour", "a: 5", "a: [phone]", "a:", "- phone", "phone", "", "a: {b: c}", "a: b: c", "a: 2001-99-99",
     "\x00", "&a [*a]"],
)  # fmt: skip
def test_a_broken_fields_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fields.yaml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=r"fields\.yaml"):
        read_fields(path)


def test_an_unreadable_fields_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "fields.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(InvalidInput, match=r"fields\.yaml"):
        read_fields(tmp_path / "fields.yaml")


@pytest.fixture
def linked(tmp_path: Path, file: Path, people: People) -> tuple[Path, Path]:
    """Persons, and the truth about them."""
    persons = tmp_path / "persons.csv"
    run("link", file, "--id", "rec_id", "--out", persons)
    ids = [f"r{n}" for n in range(len(people[1]))]
    truth: dict[str, Any] = {"nr": ids, "who": [f"p{number}" for number in people[1]]}
    return persons, write_csv(pa.table(truth), tmp_path / "truth.csv")


def test_evaluating_tells_the_quality(linked: tuple[Path, Path], people: People) -> None:
    result = run("evaluate", *linked, "--id", "nr", "--truth", "who", "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["records"] == len(people[1])
    assert report["pairwise"]["f1"] == pytest.approx(quality(read_table(linked[0]), people[1]))


def test_evaluating_prints_tables_for_people(linked: tuple[Path, Path]) -> None:
    result = run("evaluate", *linked, "--id", "nr", "--truth", "who")
    assert result.exit_code == 0
    assert "B-cubed" in result.stdout
    assert "over-merged" in result.stdout


def test_evaluating_edges_tells_how_far_probabilities_hold(
    tmp_path: Path, file: Path, linked: tuple[Path, Path]
) -> None:
    edges = tmp_path / "edges.csv"
    run("link", file, "--id", "rec_id", "--out", linked[0], "--edges", edges)
    arguments = ["evaluate", *linked, "--id", "nr", "--truth", "who", "--edges", edges]
    report = json.loads(run(*arguments, "--json").stdout)["reliability"]
    likely = [one for one in read_table(edges).column("probability").to_pylist() if float(one) >= 0.5]
    assert report["pairs"] == len(likely) == sum(item["pairs"] for item in report["bins"])
    assert report["error"] < 0.2
    assert "Calibration error" in run(*arguments).stdout


def test_evaluating_says_what_was_left_out(tmp_path: Path, linked: tuple[Path, Path]) -> None:
    part = write_csv(read_table(linked[1]).slice(0, 10), tmp_path / "part.csv")
    result = run("evaluate", linked[0], part, "--id", "nr", "--truth", "who")
    assert result.exit_code == 0
    assert "records without truth" in result.stderr


@pytest.mark.parametrize(("id_column", "truth_column"), [("no", "who"), ("nr", "whom")])
def test_evaluating_by_an_unknown_column_is_refused(
    linked: tuple[Path, Path], id_column: str, truth_column: str
) -> None:
    result = run("evaluate", *linked, "--id", id_column, "--truth", truth_column)
    assert result.exit_code == 2
    assert "has no column" in result.stderr


def test_several_columns_may_follow_one_ignore(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("id,name,truth,other\n1,Aziz Karimov,a,x\n2,Anna Kim,b,y\n", "utf-8")
    out = tmp_path / "persons.csv"
    arguments = ["link", str(path), "--id", "id", "--ignore", "truth", "other", "--out", str(out), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["columns"] == {"name": "full_name"}


def test_ids_that_repeat_are_told(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("id,name\n1,Aziz Karimov\n1,Anna Kim\n2,Anna Lee\n", "utf-8")
    result = CliRunner().invoke(app, ["link", str(path), "--id", "id", "--out", str(tmp_path / "o.csv")])
    assert result.exit_code == 0
    assert "1 ids of people stand on more than one row" in result.stderr


def test_kinds_may_be_written_in_everyday_words(tmp_path: Path) -> None:
    path = tmp_path / "fields.yaml"
    path.write_text("a: date of birth\nb: e-mail\nc: Given Name\nd: free text\ne: ignore\n", "utf-8")
    assert list(read_fields(path).values()) == [
        Kind.BIRTH_DATE,
        Kind.EMAIL,
        Kind.GIVEN_NAME,
        Kind.TEXT,
        Kind.IGNORE,
    ]


def odd_rows(given: list[str], tmp_path: Path, ids: list[str] | None = None) -> Path:
    numbers = ids or [str(n) for n in range(len(given))]
    dates = [f"19{n % 90 + 10}-03-{n % 28 + 1:02d}" if any(given) else "" for n in range(len(given))]
    columns: dict[str, Any] = {"id": numbers, "first_name": given, "birth_date": dates}
    return write_csv(pa.table(columns), tmp_path / "odd.csv")


@pytest.mark.parametrize(
    "given",
    [[""] * 60, ["Anna" * 2_500, "Ivan" * 2_500] * 30, ["A\0nna", "Ivan"] * 30, ["-", "?"] * 30],
    ids=["nothing at all", "names of 10,000 letters", "null characters", "no letters"],
)
def test_odd_values_are_linked_without_a_fault(tmp_path: Path, given: list[str]) -> None:
    arguments = ["link", odd_rows(given, tmp_path), "--id", "id", "--out", tmp_path / "p.csv"]
    summary = json.loads(run(*arguments, "--json").stdout)
    assert summary["records"] == len(given)
    assert read_table(tmp_path / "p.csv").num_rows == len(given)
    assert any(given) or summary["estimate"] is None


def test_evaluating_ids_that_repeat_says_which(tmp_path: Path) -> None:
    file = odd_rows(["Anna", "Ivan"] * 30, tmp_path, ids=[str(n // 2) for n in range(60)])
    run("link", file, "--id", "id", "--out", tmp_path / "p.csv")
    result = run("evaluate", tmp_path / "p.csv", file, "--id", "id", "--truth", "first_name")
    assert result.exit_code != 0
    assert "the record '0' more than once" in result.stderr
    assert "unique in a file" in result.stderr


def test_a_file_whose_lines_differ_in_encoding_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    lines = ["id,name", "1,Анвар Каримов", "2,Анвар Каримов", "3,Olim Karimov"]
    path.write_bytes("\n".join(lines[:2]).encode() + b"\n" + "\n".join(lines[2:]).encode("cp1251"))
    assert read_table(path).column("name").to_pylist() == ["Анвар Каримов", "Анвар Каримов", "Olim Karimov"]


def test_one_name_for_everybody_makes_nobody_one_person(tmp_path: Path) -> None:
    path = tmp_path / "anon.csv"
    days = [f"{1950 + i % 50}-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(300)]
    path.write_text(
        "id,first_name,last_name,dob\n" + "".join(f"{i},ANON,ANON,{day}\n" for i, day in enumerate(days))
    )
    persons = link(read_input([path], "id", [], None)).resolution.persons
    assert persons >= len(set(days)) // 2
