"""Files of any format become events; a stopped load goes on, and a repeated one changes nothing."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from suzani.events import Event, Reason, store
from suzani.events.loading import LoadOptions, LoadReport, load
from suzani.events.mapper import Mapper, plain
from suzani.events.mapping import Mapping, Place, load_mapping
from suzani.events.records import AT_ONCE
from suzani.infra.bus import Bus, open_bus
from suzani.infra.platform import Platform
from suzani.infra.settings import Settings
from suzani.kernel import InvalidInput
from suzani.main import app
from tests.events.collecting import log_of, quarantine_of

MAPPING = """
event: {column: KIND, values: {A: Card Authorised, D: Card Declined}}
userId: CLIENT
messageId: {columns: [DAY, SEQ], join: "-"}
timestamp: {column: AT, format: "%d.%m.%Y %H:%M:%S", timezone: Asia/Tashkent}
channel: {value: card}
properties:
  amount: {column: SUM, as: number, decimal: ",", thousands: " "}
  currency: {value: UZS}
  product_number: CARD
format: {delimiter: ";"}
"""
CSV = """DAY;SEQ;KIND;CLIENT;AT;SUM;CARD;TERMINAL
1;1;A;77;22.11.2026 14:31:12;1 250,50;8600120000001234;T1
1;2;D;78;22.11.2026 14:31:13;9,00;0012;T2
1;3;A;79;yesterday;9,00;0012;T2
1;4;A
1;5;A;;22.11.2026 14:31:13;9,00;;T2
"""


@pytest.fixture
async def bus(platform: Platform) -> AsyncIterator[Bus]:
    async with open_bus(platform.db, platform.settings) as opened:
        yield opened


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


class Loading:
    """A platform, its log, and a folder of files."""

    def __init__(self, platform: Platform, bus: Bus, folder: Path) -> None:
        self.platform, self.bus, self.folder = platform, bus, folder

    async def load(self, path: Path, **options: Any) -> LoadReport:
        return await load(self.platform, self.bus, path, LoadOptions("cards", **options))

    async def events(self) -> list[Event]:
        return sorted(await log_of(self.platform, self.bus), key=lambda event: (event.at, event.message_id))


@pytest.fixture
def loading(platform: Platform, bus: Bus, tmp_path: Path) -> Loading:
    return Loading(platform, bus, tmp_path)


async def test_a_csv_by_its_mapping_with_what_is_wrong_in_quarantine(loading: Loading) -> None:
    mapping = load_mapping(write(loading.folder, "cards.yaml", MAPPING))
    path = write(loading.folder, "cards.csv", CSV)
    report = await loading.load(path, mapping=mapping)
    assert (report.rows, report.accepted, report.quarantined) == (5, 2, 3)
    first, second = await loading.events()
    assert (first.name, first.user_id, first.channel, first.message_id) == (
        "Card Authorised",
        "77",
        "card",
        "1-1",
    )
    assert datetime.fromtimestamp(first.at / 1e6, UTC) == datetime(2026, 11, 22, 9, 31, 12, tzinfo=UTC)
    assert first.properties == {
        "amount": 1250.5, "currency": "UZS", "product_number": "8600120000001234", "TERMINAL": "T1"
    }  # fmt: skip
    assert second.properties["product_number"] == "0012"
    kept = {one.way: one.reason for one in await quarantine_of(loading.platform)}
    assert kept == {
        "cards.csv, row 4": Reason.MALFORMED,
        "cards.csv, row 5": Reason.MALFORMED,
        "cards.csv, row 6": Reason.MISSING_IDENTITY,
    }
    raws = {one.way: one.raw for one in await quarantine_of(loading.platform)}
    assert raws["cards.csv, row 5"] == b"1;4;A"


async def test_a_second_load_changes_nothing(loading: Loading) -> None:
    path = write(
        loading.folder, "x.csv", "event,user_id,time,amount\nA,1,2026-11-22 09:31:12,5\nA,1,2026-11-22,5\n"
    )
    await loading.load(path)
    again = await loading.load(path)
    assert again.known
    assert len(await loading.events()) == 2
    longer = write(loading.folder, "y.csv", path.read_text() + "A,2,2026-11-23,5\n")
    await loading.load(longer)
    assert len({event.message for event in await loading.events()}) == 3


async def test_json_lines_of_segments_shape_go_in_as_they_are(loading: Loading) -> None:
    events = [
        {"type": "track", "event": "A", "userId": "u", "messageId": f"m{i}", "properties": {"code": "1"}}
        for i in range(3)
    ]
    lines = "".join(json.dumps(event) + "\n" for event in events) + "\n{broken\n[]\n"
    path = loading.folder / "events.jsonl.gz"
    path.write_bytes(gzip.compress(lines.encode()))
    report = await loading.load(path)
    assert (report.accepted, report.quarantined) == (3, 2)
    assert [event.message_id for event in await loading.events()] == ["m0", "m1", "m2"]
    assert {one.raw for one in await quarantine_of(loading.platform)} == {b"{broken", b"[]"}


async def test_parquet_keeps_its_types(loading: Loading) -> None:
    table = pa.table(
        {
            "Event": ["Card Authorised"], "ClientId": [77],
            "EventTime": pa.array([datetime(2026, 11, 22, 9, 31, 12)], pa.timestamp("us")),  # noqa: DTZ001
            "Amount": pa.array([Decimal("12.50")], pa.decimal128(10, 2)), "Place": [{"city": "Toshkent"}],
            "Code": ["007"], "Odd": [float("nan")],
        }
    )  # fmt: skip
    pq.write_table(table, loading.folder / "x.parquet")
    await loading.load(loading.folder / "x.parquet")
    [event] = await loading.events()
    assert (event.user_id, event.at) == ("77", 1_795_339_872_000_000)
    assert event.properties == {"Amount": 12.5, "Place": {"city": "Toshkent"}, "Code": "007"}


async def test_a_stopped_load_goes_on_where_it_was(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = AT_ONCE * 2 + 10
    lines = "".join(f"A,{i},2026-11-22 09:31:12,{i}\n" for i in range(rows))
    path = write(loading.folder, "x.csv", "event,user_id,time,n\n" + lines)

    class Stopped(Exception):
        pass

    def stop(rows: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        await load(loading.platform, loading.bus, path, LoadOptions("cards"), stop)
    assert len(await loading.events()) == AT_ONCE
    report = await loading.load(path)
    assert (report.rows, report.accepted, report.resumed) == (rows, rows, True)
    events = await loading.events()
    assert len(events) == len({event.message for event in events}) == rows


async def test_two_loads_of_one_file_do_not_run_into_each_other(loading: Loading) -> None:
    path = write(loading.folder, "x.csv", "event,user_id\nA,1\n")
    async with loading.platform.db.transaction() as tx:
        assert not await store.move_load(tx, 1, 0, 1, 0)
    await loading.load(path)
    async with loading.platform.db.transaction() as tx:
        assert not await store.move_load(tx, 1, 0, 1, 0)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.csv", "a,b\n1,2\n", "what happened"),
        ("x.csv", "", "empty"),
        ("x.parquet", "no parquet", "damaged"),
        ("x.jsonl.gz", "no gzip", "cannot read"),
        ("missing.csv", None, "cannot read"),
    ],
)
async def test_what_cannot_be_read_is_told(loading: Loading, name: str, text: str | None, said: str) -> None:
    if text is not None:
        write(loading.folder, name, text)
    with pytest.raises(InvalidInput, match=said):
        await loading.load(loading.folder / name)


@pytest.mark.parametrize(
    "text",
    [
        "[", "5", "evnt: A", "event: 5", "event: {columns: []}", "event: {column: a, value: b}",
        "timestamp: {column: a, format: nothing}", "timestamp: {column: a, timezone: Mars}",
        "properties: {a: {column: b, as: date}}", "format: {type: xml}",
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_told_with_its_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match=r"x\.yaml"):
        load_mapping(write(tmp_path, "x.yaml", text))


def test_a_list_in_a_record_gives_an_event_each() -> None:
    mapping = Mapping(
        event=Place(value="Ad Clicked"),
        user_id="user.id",
        items="data.clicks",
        timestamp="at",
        properties={"c": "id"},
    )
    record = {"user": {"id": 7}, "data": {"clicks": [{"id": 1, "at": "2026-11-22"}, {"id": 2}, "odd"]}}
    events = Mapper(mapping).events(record)
    assert [event.get("properties", {}).get("c") for event in events] == [1, 2, None]
    assert events[0]["timestamp"] == "2026-11-22T00:00:00+00:00"
    assert {event["userId"] for event in events} == {"7"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes()
    | st.dates() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["a", "b", "c.d", "e"]), VALUES), st.booleans())
def test_no_record_is_refused_by_a_mapping(record: dict[str, Any], is_typed: bool) -> None:
    mapping = Mapping(
        event="a", user_id=Place(columns=("a", "b")), timestamp=Place(column="b", format="%d.%m.%Y"),
        properties={"n": Place(column="e", read_as="number"), "t": Place(column="e", read_as="boolean")},
    )  # fmt: skip
    events = Mapper(mapping, is_typed=is_typed).events(record)
    json.loads(json.dumps(events, allow_nan=False))
    msgspec.json.encode(events)
    assert plain(plain(record)) == plain(record)


def test_the_command_loads_and_says_what_became_of_the_rows(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.to_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "200")
    write(settings.data_dir, "intake/cards.yaml", MAPPING)
    path = write(tmp_path, "cards.csv", CSV)

    def suzani(*arguments: object, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["events", "load", *map(str, arguments)])
        assert result.exit_code == code, result.output
        return result.stdout

    [report] = json.loads(suzani(path, "--source", "cards", "--json"))
    assert (report["accepted"], report["quarantined"]) == (2, 3)
    assert "loaded before" in suzani(path, "--source", "cards")
    suzani(path, "--source", "other", code=2)
    suzani(path, "--source", "other", "--event", "Card Authorised")


def test_json_of_a_mapped_event_is_what_msgspec_writes() -> None:
    assert msgspec.json.encode(Mapper(Mapping(event=Place(value="A"))).events({"x": 1})[0]) == (
        b'{"type":"track","event":"A","properties":{"x":1}}'
    )
