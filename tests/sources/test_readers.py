"""Every reader accounts for every row, whatever it is given."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suzani.kernel import InvalidInput, NotFound
from suzani.sources.mapping import Format
from suzani.sources.readers import READERS, open_file
from suzani.sources.types import Limits, Reason, Reject

ROWS = [
    {"id": "1", "name": "Ли Анна", "born": "1980-06-05", "sum": "12.5"},
    {"id": "2", "name": "김 철수", "born": "1999-12-31", "sum": "1000"},
    {"id": "3", "name": None, "born": None, "sum": None},
]


def read(
    path: Path,
    form: Format | None = None,
    wanted: tuple[str, ...] | None = None,
    limits: Limits | None = None,
) -> tuple[list[dict[str, Any]], list[Reject], list[int]]:
    """All rows, all refused rows, and the row numbers of the former."""
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    numbers: list[int] = []
    with open_file(path, form or Format(), wanted, limits) as source:
        for batch in source.batches:
            rows += batch.table.to_pylist()
            rejects += batch.rejects
            numbers += batch.rows.tolist()
            for i in range(batch.table.num_rows):
                assert isinstance(batch.raw(i), bytes)
    return rows, rejects, numbers


def write_csv(path: Path) -> None:
    lines = [";".join(ROWS[0]), *(";".join(value or "" for value in row.values()) for row in ROWS)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_jsonl(path: Path) -> None:
    lines = [{"id": int(r["id"] or 0), **{k: v for k, v in r.items() if k != "id"}} for r in ROWS]
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")


def _typed(row: dict[str, str | None]) -> list[Any]:
    born, amount = row["born"], row["sum"]
    day = dt.date.fromisoformat(born) if born else None
    return [int(row["id"] or 0), row["name"], day, Decimal(amount) if amount else None]


def write_parquet(path: Path) -> None:
    columns = list(zip(*map(_typed, ROWS), strict=True))
    types = [pa.int64(), pa.string(), pa.date32(), pa.decimal128(10, 1)]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    pq.write_table(pa.table(arrays, names=list(ROWS[0])), path)


def write_excel(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for line in [list(ROWS[0]), *map(_typed, ROWS)]:
        sheet.append(line)
    book.save(path)
    book.close()


WRITERS = {
    "csv": (".csv", write_csv),
    "jsonl": (".jsonl", write_jsonl),
    "parquet": (".parquet", write_parquet),
    "excel": (".xlsx", write_excel),
}


def test_every_reader_is_tested_here() -> None:
    assert set(WRITERS) == set(READERS)


@pytest.mark.parametrize("kind", sorted(READERS))
def test_a_reader_gives_every_value_as_text(kind: str, tmp_path: Path) -> None:
    ending, write = WRITERS[kind]
    path = tmp_path / f"rows{ending}"
    write(path)
    rows, rejects, numbers = read(path, wanted=("id", "name", "born", "sum"))
    assert rejects == []
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert [row["name"] or None for row in rows] == [row["name"] for row in ROWS]
    assert [row["born"] or None for row in rows] == [row["born"] for row in ROWS]
    assert [Decimal(row["sum"]) for row in rows[:2]] == [Decimal("12.5"), Decimal(1000)]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("kind", sorted(READERS))
def test_a_reader_gives_the_columns_asked_for_and_null_for_those_it_lacks(kind: str, tmp_path: Path) -> None:
    ending, write = WRITERS[kind]
    path = tmp_path / f"rows{ending}"
    write(path)
    rows, _, _ = read(path, wanted=("id",))
    assert rows[0]["id"] == "1"
    if kind != "csv":
        rows, _, _ = read(path, wanted=("nothing", "id"))
        assert rows[0] == {"nothing": None, "id": "1"}


@pytest.mark.parametrize("kind", sorted(READERS))
def test_a_reader_cuts_the_same_file_into_the_same_bounded_batches(kind: str, tmp_path: Path) -> None:
    ending, write = WRITERS[kind]
    path = tmp_path / f"rows{ending}"
    write(path)
    counts = []
    for _ in range(2):
        with open_file(path, Format(), ("id",), Limits(batch_rows=2)) as source:
            counts.append([batch.count for batch in source.batches])
    assert counts[0] == counts[1]
    assert sum(counts[0]) == 3
    assert max(counts[0]) <= 2


@pytest.mark.parametrize("kind", sorted(READERS))
def test_a_file_of_another_kind_is_refused_or_read_as_rows(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows{WRITERS[kind][0]}"
    path.write_bytes(b"")
    with pytest.raises(InvalidInput):
        read(path)
    if kind in ("parquet", "excel"):
        path.write_bytes(b"not a workbook")
        with pytest.raises(InvalidInput, match="not a readable"):
            read(path)


def test_an_oversized_value_costs_its_row_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id;a;b\n1;x;y\n2;" + b"z" * 10_000_000 + b";y\n3;x;y\n")
    rows, (reject,), numbers = read(path)
    assert [row["id"] for row in rows] == ["1", "3"]
    assert numbers == [2, 4]
    assert (reject.row, reject.reason, reject.field) == (3, Reason.TOO_LARGE, "a")
    assert len(reject.raw) == 10_000_004
    assert reject.values is not None
    assert reject.values["id"] == "2"
    assert len(reject.values["a"] or "") < 10_000


def test_a_row_beyond_all_bounds_is_cut_and_reading_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id;a\n1;x\n2;" + b"z" * 300_000 + b"\n3;x\n")
    rows, (reject,), numbers = read(path, limits=Limits(row_bytes=100_000, block_bytes=50_000))
    assert [row["id"] for row in rows] == ["1", "3"]
    assert numbers == [2, 4]
    assert reject.reason is Reason.TOO_LARGE
    assert "300,002 bytes" in reject.detail


@pytest.mark.parametrize(
    ("line", "reason", "field"),
    [
        (b"2;\xff\xfe;y", Reason.BROKEN_ENCODING, "a"),
        (b"2;x\x00x;y", Reason.NUL_BYTE, "a"),
        (b"2;x", Reason.WRONG_SHAPE, None),
        (b"2;x;y;z", Reason.WRONG_SHAPE, None),
        (b'2;"x;y', Reason.WRONG_SHAPE, None),
        (b'2;"x"x;y', Reason.WRONG_SHAPE, None),
        (b"2;x\ry;z", Reason.WRONG_SHAPE, None),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_bad_line_costs_itself_alone(
    line: bytes, reason: Reason, field: str | None, end: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    good = [b"1;x;y", b'3;"quo""ted; ' + end + b'twice";y', b"4;x;y"]
    path.write_bytes(end.join([b"id;a;b", good[0], line, *good[1:]]) + end)
    rows, (reject,), numbers = read(path)
    assert [row["id"] for row in rows] == ["1", "3", "4"]
    assert numbers == [2, 4, 6]
    assert (reject.row, reject.reason, reject.field) == (3, reason, field)
    assert reject.raw == line + end[:-1]


def test_an_unclosed_quote_does_not_swallow_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = [f"{i};x" for i in range(1000)]
    lines[500] = '500;"never closed'
    path.write_text("id;a\n" + "\n".join(lines), encoding="utf-8")
    rows, (reject,), _ = read(path, limits=Limits(block_bytes=1000))
    assert len(rows) == 999
    assert reject.row == 502


def test_a_quoted_value_may_cross_the_edge_of_a_block(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    value = "\n".join("line" * 10 for _ in range(20))
    path.write_text("id;a\n" + "".join(f'{i};"{value}"\n' for i in range(50)), encoding="utf-8")
    rows, rejects, _ = read(path, limits=Limits(block_bytes=500))
    assert rejects == []
    assert [row["a"] for row in rows] == [value] * 50


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "windows-1251", "cp949", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_marks_and_line_ends(encoding: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    name = "김" if encoding == "cp949" else "Ёж"
    path.write_bytes(f"id;имя{end}1;{name}{end}{end}2;{name}{end}".encode(encoding))
    told = {"utf-8-sig": "utf-8", "utf-16": "utf-8", "utf-32": "utf-8"}.get(encoding, encoding)
    rows, rejects, numbers = read(path, Format(encoding=told))
    assert rejects == []
    assert rows == [{"id": "1", "имя": name}, {"id": "2", "имя": name}]
    assert numbers == [2, 4]


def test_broken_utf_16_costs_its_row_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id;a\n1;x\n2;".encode("utf-16") + b"\x00\xdc" + "\n3;x\n".encode("utf-16-le"))
    rows, (reject,), _ = read(path)
    assert [row["id"] for row in rows] == ["1", "3"]
    assert reject.reason is Reason.BROKEN_ENCODING


def test_names_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(" id ;a;a;\n1;2;3;4\n", encoding="utf-8")
    assert read(path)[0] == [{"id": "1", "a#1": "2", "a#2": "3", "column_4": "4"}]
    assert read(path, Format(header=False))[0][1] == {"1": "1", "2": "2", "3": "3", "4": "4"}
    path.write_bytes(b"id;\xff\xff\n1;2\n")
    with pytest.raises(InvalidInput, match="header line is not text"):
        read(path)


def test_a_compressed_file_is_read_through(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    data = gzip.compress(b"id,a\n1,x\n" + b"2,y\n" * 50_000)
    path.write_bytes(data)
    assert len(read(path)[0]) == 50_001
    path.write_bytes(data[:-20])
    with pytest.raises(InvalidInput):
        read(path)
    path.write_bytes(b"no gzip")
    with pytest.raises(InvalidInput, match="gzip"):
        read(path)


def test_an_unknown_ending_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"\.parquet"):
        read(tmp_path / "a.docx")


@pytest.mark.parametrize(
    ("line", "reason", "field"),
    [
        (b'{"id": 2, "a": ', Reason.WRONG_SHAPE, None),
        (b"[1]", Reason.WRONG_SHAPE, None),
        (b'{"id": 2, "a": NaN}', Reason.WRONG_SHAPE, None),
        (b'{"id": 2, "id": 3}', Reason.WRONG_SHAPE, None),
        (b"[" * 5000, Reason.WRONG_SHAPE, None),
        (b'{"id": 2, "a": {"b": "\\u0000"}}', Reason.NUL_BYTE, "a.b"),
        (b'{"id": 2, "a": {"b": "\\ud800"}}', Reason.BROKEN_ENCODING, "a.b"),
        (b'{"id": 2, "a": {"b": "\xff"}}', Reason.BROKEN_ENCODING, "a.b"),
        (b"\xff", Reason.BROKEN_ENCODING, None),
    ],
)
def test_a_bad_json_line_costs_itself_alone(
    line: bytes, reason: Reason, field: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"id": 1, "a": {"b": "x"}}\n' + line + b'\n\n{"id": 3}\n')
    rows, (reject,), numbers = read(path, wanted=("id", "a.b"))
    assert rows == [{"id": "1", "a.b": "x"}, {"id": "3", "a.b": None}]
    assert numbers == [1, 4]
    assert (reject.row, reject.reason, reject.field, reject.raw) == (2, reason, field, line)


def test_json_numbers_keep_their_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 123456789012345678901234567890, "sum": 0.10, "x": [{"y": true}, null]}', "utf-8")
    (row,), _, _ = read(path)
    assert row == {"id": "123456789012345678901234567890", "sum": "0.10", "x.0.y": "true", "x.1": None}


def test_parquet_of_structs_and_broken_text(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    broken = pa.array([b"ok", b"\xff"], pa.binary()).view(pa.string())
    nested = pa.array([{"last": "A"}, None])
    pq.write_table(pa.table({"id": pa.array([1.0, 2.0]), "name": nested, "text": broken}), path)
    (row,), (reject,), _ = read(path)
    assert row == {"id": "1", "name.last": "A", "text": "ok"}
    assert (reject.row, reject.reason, reject.field) == (2, Reason.BROKEN_ENCODING, "text")


def test_a_workbook_keeps_dates_numbers_and_errors_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.worksheets[0].append(["other"])
    sheet = book.create_sheet("Clients & co")
    sheet.append(["id", "at", "day", "phone", "sum"])
    moment = dt.datetime(2024, 1, 2, 3, 4, 5)  # noqa: DTZ001
    sheet.append([1, moment, dt.date(2024, 1, 2), 998901234567, 0.1])
    sheet.append([])
    sheet.append([2, None, None, None, None])
    sheet["E4"].value = "#DIV/0!"
    sheet["E4"].data_type = "e"
    book.save(path)
    book.close()
    (row,), (reject,), numbers = read(path, Format(sheet="Clients & co"))
    assert row == {
        "id": "1", "at": "2024-01-02T03:04:05", "day": "2024-01-02", "phone": "998901234567", "sum": "0.1"
    }  # fmt: skip
    assert numbers == [2]
    assert (reject.row, reject.reason, reject.field) == (4, Reason.WRONG_VALUE, "sum")
    assert "#DIV/0!" in reject.detail
    with pytest.raises(NotFound, match="Clients & co"):
        read(path, Format(sheet="Clients"))


SMALL = Limits(field_bytes=50, row_bytes=120, block_bytes=40, batch_rows=5, quoted_lines=4)
FRAGMENTS = st.sampled_from(
    [b"a", b";", b'"', b'""', b"\n", b"\r\n", b"\r", b"\0", b"\xff", "ж".encode(), b"x" * 60, b"1;2", b" "]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.lists(FRAGMENTS, max_size=40).map(b"".join)))
def test_any_bytes_as_csv_are_accounted_for(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.csv"
    body = b"id;a\n" + data
    path.write_bytes(body)
    rows, rejects, numbers = read(path, Format(delimiter=";"), limits=SMALL)
    for reject in rejects:
        assert reject.raw in body
    seen = sorted([*numbers, *(reject.row for reject in rejects)])
    assert len(seen) == len(set(seen))
    if b'"' not in data and b"\r" not in data:
        filled = [i for i, line in enumerate(body.split(b"\n")[1:], 2) if line]
        assert seen == filled
    assert len(rows) == len(numbers)


JSON_FRAGMENTS = st.sampled_from(
    [
        b'{"id": 1}',
        b'{"id": ',
        b"}",
        b"[",
        b"\n",
        b'"\\ud800"',
        b"\0",
        b"\xff",
        b"NaN",
        b"1e999",
        b'{"a": {}}',
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.lists(JSON_FRAGMENTS, max_size=30).map(b"".join)))
def test_any_bytes_as_json_lines_are_accounted_for(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.jsonl"
    body = b'{"id": 0}\n' + data
    path.write_bytes(body)
    _, rejects, numbers = read(path, wanted=("id", "a"), limits=SMALL)
    filled = [i for i, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    assert sorted([*numbers, *(reject.row for reject in rejects)]) == filled
