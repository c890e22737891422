from __future__ import annotations

import datetime as dt
import gzip
import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suzani.identity.files.tables import check_writable, read_table, write_table, write_whole
from suzani.kernel import Forbidden, InvalidInput, NotFound, SuzaniError, Unavailable


def rows_of(path: Path) -> list[dict[str, str | None]]:
    """The rows as written, trimmed as matching trims them."""
    table = read_table(path)
    assert all(column.type == pa.string() for column in table.columns)
    return [{k: v.strip() if v is not None else None for k, v in row.items()} for row in table.to_pylist()]


def saved(folder: Path, name: str, data: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


ANN = [{"id": "007", "name": "Анна", "born": "1980-03-07"}]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", "id,name,born\n007,Анна,1980-03-07\n"),
        ("a.csv", "id, name, born\n007, Анна, 1980-03-07\n"),
        ("a.csv", "id;name;born\r\n007;Анна;1980-03-07\r\n"),
        ("a.csv", "id|name|born\n007|Анна|1980-03-07"),
        ("a.csv", '"id","name","born"\n"007","Анна","1980-03-07"\n'),
        ("a.csv", "\n\r\nid;name;born\n007;Анна;1980-03-07\n\n"),
        ("a.csv", b"\xef\xbb\xbf" + "id,name,born\n007,Анна,1980-03-07\n".encode()),
        ("a.csv", "id;name;born\n007;Анна;1980-03-07\n".encode("cp1251")),
        ("a.csv", "id,name,born\n007,Анна,1980-03-07\n".encode("utf-16")),
        ("a.tsv", "id\tname\tborn\n007\tАнна\t1980-03-07\n"),
        ("a.TXT", "id\tname\tborn\n007\tАнна\t1980-03-07\n"),
        ("a.csv.gz", gzip.compress("id,name,born\n007,Анна,1980-03-07\n".encode(), mtime=0)),
        ("a.jsonl", '{"id": "007", "name": "Анна", "born": "1980-03-07"}\n'),
        ("a.ndjson", '\n{"id":"007","name":"Анна","born":"1980-03-07"}\r\n\n'),
        ("a.jsonl", b"\xef\xbb\xbf" + '{"id":"007","name":"Анна","born":"1980-03-07"}'.encode()),
        ("a.jsonl.gz", gzip.compress('{"id":"007","name":"Анна","born":"1980-03-07"}'.encode(), mtime=0)),
    ],
)
def test_a_file_of_any_kind_is_read_as_strings(tmp_path: Path, name: str, data: str | bytes) -> None:
    assert rows_of(saved(tmp_path, name, data)) == ANN


def test_quoted_values_keep_delimiters_and_line_breaks(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.csv", 'id,address\n1,"Navoi, 12\nflat 5"\n2,"say ""hi"""\n')
    assert [row["address"] for row in rows_of(path)] == ["Navoi, 12\nflat 5", 'say "hi"']


def test_words_that_look_like_nothing_or_numbers_stay_words(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.csv", "id,x\n001,NA\n1e5,\ntrue,null\n")
    assert rows_of(path) == [{"id": "001", "x": "NA"}, {"id": "1e5", "x": ""}, {"id": "true", "x": "null"}]


def test_a_column_of_numbers_that_turn_to_words_far_below_is_read(tmp_path: Path) -> None:
    lines = [f"{n},{n}" for n in range(200_000)]
    path = saved(tmp_path, "a.csv", "id,x\n" + "\n".join(lines) + "\nlast,word\n")
    table = read_table(path)
    assert table.num_rows == 200_001
    assert table.column("x")[-1].as_py() == "word"


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    table = read_table(saved(tmp_path, "a.csv", "id,name\n"))
    assert (table.column_names, table.num_rows) == (["id", "name"], 0)


def test_nested_json_is_flattened_by_dotted_names(tmp_path: Path) -> None:
    record = {
        "id": 7,
        "name": {"first": "Анна", "last": {"now": "Ли"}},
        "phones": [{"mobile": "90"}, {"home": "71", "mobile": "99"}],
        "tags": ["a", "b"],
        "ok": True,
        "none": None,
        "empty": {},
        "big": 12345678901234567890,
    }
    path = saved(tmp_path, "a.jsonl", json.dumps(record) + '\n{"id": 8, "more": 1.5}\n')
    first, second = rows_of(path)
    assert {k: v for k, v in first.items() if v is not None} == {
        "id": "7",
        "name.first": "Анна",
        "name.last.now": "Ли",
        "mobile": "90",
        "home": "71",
        "tags": '["a","b"]',
        "ok": "true",
        "big": "12345678901234567890",
    }
    assert {k: v for k, v in second.items() if v is not None} == {"id": "8", "more": "1.5"}


def test_parquet_of_many_types_becomes_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([1, None], pa.int64()),
            "born": pa.array([dt.date(1980, 3, 7), None]),
            "seen": pa.array([dt.datetime(2020, 1, 2, 3, 4, 5), None], pa.timestamp("s")),  # noqa: DTZ001
            "money": pa.array([Decimal("1.50"), None]),
            "yes": pa.array([True, None]),
            "name": pa.array([{"first": "Анна", "born": dt.date(1980, 3, 7)}, None]),
            "phones": pa.array([["90", "71"], None]),
            "kind": pa.array(["x", None]).dictionary_encode(),
            "nothing": pa.nulls(2),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    first, second = rows_of(tmp_path / "a.parquet")
    assert first == {
        "id": "1",
        "born": "1980-03-07",
        "seen": "2020-01-02 03:04:05.000",
        "money": "1.50",
        "yes": "true",
        "name": '{"first":"Анна","born":"1980-03-07"}',
        "phones": '["90","71"]',
        "kind": "x",
        "nothing": None,
    }
    assert set(second.values()) == {None}


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", " \n\n", "is empty"),
        ("a.jsonl", "", "is empty"),
        ("a.jsonl", "\n \n", "is empty"),
        ("a.parquet", "", "cannot be read"),
        ("a.parquet", "no parquet", "cannot be read"),
        ("a.csv", "id,name\n1,a,b\n", "cannot be read"),
        ("a.csv", "id,id\n1,2\n", "column 'id' more than once"),
        ("a.csv", "id, id\n1,2\n", "column 'id' more than once"),
        ("a.jsonl", '{"id": 1}\n{"id": \n', "line 2: not JSON"),
        ("a.jsonl", b'{"id": "\xff"}\n', "line 1: not JSON"),
        ("a.jsonl", "[1]\n", "line 1: a JSON object is expected"),
        ("a.csv.gz", "no gzip", "cannot be read"),
        ("a.csv.gz", gzip.compress(b"id,name\n" * 99, mtime=0)[:-20], "cannot be read"),
        ("a.csv", b"\xff\xfea", "cannot be read"),
        ("a.xlsx", "", "do not know the ending '.xlsx'"),
        ("a", "", "do not know the ending"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path: Path, name: str, data: str | bytes, message: str) -> None:
    path = saved(tmp_path, name, data)
    with pytest.raises(InvalidInput, match=message) as refused:
        read_table(path)
    assert str(path) in refused.value.message


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.csv.gz"])
def test_a_missing_file_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound, match=name):
        read_table(tmp_path / name)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_folder_is_no_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InvalidInput, match="folder"):
        read_table(tmp_path / name)


def test_a_folder_of_parquet_parts_is_one_table(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").mkdir()
    for part in range(2):
        pq.write_table(pa.table({"id": [f"{part}1", f"{part}2"]}), tmp_path / "a.parquet" / f"{part}.parquet")
    assert sorted(read_table(tmp_path / "a.parquet").column("id").to_pylist()) == ["01", "02", "11", "12"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["csv", "jsonl", "parquet", "csv.gz", "jsonl.gz"]), st.binary() | st.text())
def test_any_bytes_are_read_or_refused(tmp_path: Path, ending: str, data: bytes | str) -> None:
    path = saved(tmp_path, f"any.{ending}", data)
    with suppress(InvalidInput):
        assert all(column.type == pa.string() for column in read_table(path).columns)


RESULT = pa.table(
    {"record_id": ["a", 'b "c", d', "ж"], "person_id": pa.array([1, 2, 2]), "weight": [0.5, -1.25, 3.0]}
)


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_what_is_written_is_read_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    write_table(RESULT, path)
    back = read_table(path)
    assert back.column_names == RESULT.column_names
    assert back.column("record_id").to_pylist() == RESULT.column("record_id").to_pylist()
    assert back.column("person_id").to_pylist() == ["1", "2", "2"]
    assert [float(w) for w in back.column("weight").to_pylist()] == [0.5, -1.25, 3.0]
    assert names_in(tmp_path) == [path.name]


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_a_result_replaces_an_older_one(tmp_path: Path, ending: str) -> None:
    path = saved(tmp_path, f"out.{ending}", "old")
    write_table(RESULT, path)
    assert read_table(path).num_rows == 3


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = saved(tmp_path, "out.csv", "old")

    def fill_half(part: Path) -> None:
        part.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(Unavailable, match="No space left"):
        write_whole(path, fill_half)
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["out.csv"]


def test_a_folder_that_may_not_be_written_is_forbidden(tmp_path: Path) -> None:
    def refuse(part: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(Forbidden, match="may not be written"):
        write_whole(tmp_path / "out.csv", refuse)


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("out.xlsx", InvalidInput),
        ("out", InvalidInput),
        ("out.csv.gz", InvalidInput),
        ("nowhere/out.csv", NotFound),
        ("folder.csv", InvalidInput),
    ],
)
def test_an_unusable_place_for_results_is_refused_beforehand(
    tmp_path: Path, name: str, category: type[SuzaniError]
) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(category, match=Path(name).name):
        check_writable(tmp_path / name)


def test_a_usable_place_for_results_is_accepted(tmp_path: Path) -> None:
    check_writable(tmp_path / "out.csv")
    assert names_in(tmp_path) == []
