from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from suzani.infra.db import execute
from suzani.infra.platform import Platform
from suzani.kernel import Conflict, InvalidInput, NotFound
from suzani.sources import (
    LoadOptions,
    Mode,
    Sql,
    changes_of,
    load,
    load_summary,
    products,
    products_of,
    records_for_identity,
    records_of,
    store,
)
from suzani.sources.types import Limits
from tests.sources.bank_extract import LoadBank, extract, row, rows_of

DELTA = LoadOptions(mode=Mode.DELTA)


async def test_a_record_is_stored_with_its_values_typed(platform: Platform, load_bank: LoadBank) -> None:
    report = await load_bank(extract(row(1, LAST="  Каримов ", PHONE="")))
    assert (report.rows_in, report.rows_new, report.records_deleted) == (1, 1, 0)
    (record,) = await rows_of(platform, "select * from sources.record")
    assert record["family_name"] == "Каримов"
    assert record["phone"] is None
    assert record["birth_date"] == date(1980, 6, 5)
    assert record["sex"] == "male"
    assert record["marketing_consent"] == "granted"
    assert record["as_of"] == datetime(2024, 2, 1, 5, tzinfo=UTC)
    assert record["extra"] == {"BRANCH": "Центр"}
    (product,) = await rows_of(platform, "select * from sources.product")
    assert product["balance"] == Decimal("1234.56")
    assert (product["kind"], product["number"], product["opened_on"]) == ("card", "86001", date(2020, 1, 1))


async def test_a_row_without_a_product_number_has_no_product(platform: Platform, load_bank: LoadBank) -> None:
    await load_bank(extract(row(1, CARD="", BALANCE="nonsense")))
    assert await rows_of(platform, "select * from sources.product") == []


async def test_the_same_file_again_changes_nothing(platform: Platform, load_bank: LoadBank) -> None:
    text = extract(*(row(i) for i in range(50)), row(50, BORN="31.31.1980"))
    await load_bank(text)
    before = await rows_of(platform, "select * from sources.record order by 1")
    again = await load_bank(text)
    assert (again.rows_unchanged, again.rows_quarantined, again.changed_anything) == (50, 1, False)
    assert await rows_of(platform, "select * from sources.record order by 1") == before
    assert len(await rows_of(platform, "select * from sources.quarantine")) == 1
    assert await rows_of(platform, "select * from sources.change") == []
    assert await rows_of(platform, "select * from sources.seen") == []


async def test_a_changed_record_keeps_its_id_and_its_past(platform: Platform, load_bank: LoadBank) -> None:
    await load_bank(extract(row(1), row(2)))
    (old, _) = await rows_of(platform, "select * from sources.record order by key")
    report = await load_bank(extract(row(1, LAST="Иванова", BALANCE="5"), row(2)))
    assert (report.rows_changed, report.rows_unchanged) == (1, 1)
    (new, _) = await rows_of(platform, "select * from sources.record order by key")
    assert new["record_id"] == old["record_id"]
    assert new["family_name"] == "Иванова"
    (change,) = await rows_of(platform, "select * from sources.change")
    assert change["kind"] == "changed"
    assert change["before"]["family_name"] == "Каримов1"
    assert change["before"]["products"][0]["balance"] == 1234.56
    (balance, _) = await rows_of(platform, "select balance from sources.product order by number")
    assert balance == {"balance": Decimal("5.00")}


async def test_a_newer_as_of_alone_is_a_change(platform: Platform, load_bank: LoadBank) -> None:
    await load_bank(extract(row(1)))
    assert (await load_bank(extract(row(1, UPDATED="02.02.2024 10:00:00")))).rows_changed == 1


async def test_a_record_absent_from_a_snapshot_is_deleted_and_comes_back(
    platform: Platform, load_bank: LoadBank
) -> None:
    await load_bank(extract(row(1), row(2)))
    report = await load_bank(extract(row(1)))
    assert (report.rows_in, report.rows_unchanged, report.records_deleted) == (1, 1, 1)
    gone = await rows_of(platform, "select key from sources.record where deleted_at is not null")
    assert gone == [{"key": "2"}]
    report = await load_bank(extract(row(1), row(2)))
    assert (report.rows_changed, report.records_restored) == (1, 1)
    assert await rows_of(platform, "select key from sources.record where deleted_at is not null") == []
    kinds = await rows_of(platform, "select kind from sources.change order by change_id")
    assert [change["kind"] for change in kinds] == ["deleted", "restored"]


async def test_a_delta_deletes_only_what_its_rows_mark(platform: Platform, load_bank: LoadBank) -> None:
    await load_bank(extract(row(1), row(2), row(3)))
    report = await load_bank(extract(row(2, STATE="GONE")), options=DELTA)
    assert (report.rows_changed, report.records_deleted) == (1, 1)
    live = await rows_of(platform, "select key from sources.record where deleted_at is null order by key")
    assert [record["key"] for record in live] == ["1", "3"]


async def test_several_files_are_one_snapshot(platform: Platform, load_bank: LoadBank) -> None:
    await load_bank(extract(row(1), row(2)), extract(row(3)))
    report = await load_bank(extract(row(1)), extract(row(2), row(3)))
    assert (report.rows_in, report.rows_unchanged, report.records_deleted) == (3, 3, 0)


async def test_a_record_that_names_its_previous_key_goes_on_under_the_new(
    platform: Platform, load_bank: LoadBank
) -> None:
    await load_bank(extract(row(1), row(2)))
    (old, _) = await rows_of(platform, "select record_id from sources.record order by key")
    same = row(7, OLD_NO="1", LAST="Каримов1", PHONE="+998901", CARD="86001")
    report = await load_bank(extract(same, row(2)))
    assert (report.rows_changed, report.records_rekeyed, report.records_deleted) == (1, 1, 0)
    (new,) = await rows_of(platform, "select record_id from sources.record where key = '7'")
    assert new == old
    assert (await load_bank(extract(same, row(2)))).rows_unchanged == 2


async def test_keys_that_swap_in_one_load_are_each_followed(platform: Platform, load_bank: LoadBank) -> None:
    await load_bank(extract(row(1), row(2)))
    ids = {r["key"]: r["record_id"] for r in await rows_of(platform, "select * from sources.record")}
    await load_bank(extract(row(2, OLD_NO="1", LAST="A"), row(1, OLD_NO="2", LAST="B")))
    swapped = {r["key"]: r["record_id"] for r in await rows_of(platform, "select * from sources.record")}
    assert swapped == {"2": ids["1"], "1": ids["2"]}


async def test_a_vanished_key_and_a_new_one_with_the_same_content_are_one_record(
    platform: Platform, load_bank: LoadBank
) -> None:
    await load_bank(extract(row(1), row(2)))
    (old, _) = await rows_of(platform, "select record_id from sources.record order by key")
    moved = row(9, LAST="Каримов1", PHONE="+998901", CARD="86001", UPDATED="09.09.2024 09:09:09")
    report = await load_bank(extract(moved, row(2)))
    assert (report.rows_new, report.rows_changed, report.records_rekeyed) == (0, 1, 1)
    records = await rows_of(platform, "select record_id, key from sources.record order by record_id")
    assert records[0] == {"record_id": old["record_id"], "key": "9"}
    assert len(records) == 2


async def test_equal_content_of_several_records_moves_nobody(platform: Platform, load_bank: LoadBank) -> None:
    twin = {"LAST": "A", "PHONE": "1", "CARD": "", "BALANCE": ""}
    await load_bank(extract(row(1, **twin), row(2, **twin), row(3)))
    report = await load_bank(extract(row(8, **twin), row(9, **twin), row(3)))
    assert (report.rows_new, report.records_rekeyed, report.records_deleted) == (2, 0, 2)


async def test_a_snapshot_that_lacks_most_records_is_refused(platform: Platform, load_bank: LoadBank) -> None:
    await load_bank(extract(*(row(i) for i in range(120))))
    cut = extract(*(row(i) for i in range(20)))
    with pytest.raises(Conflict, match="lacks 100 of 120 records"):
        await load_bank(cut)
    (live,) = await rows_of(platform, "select count(*) from sources.record where deleted_at is null")
    assert live["count"] == 120
    report = await load_bank(cut, options=LoadOptions(allow_deletes=True))
    assert (report.records_deleted, report.rows_in, report.resumed) == (100, 20, True)


async def test_an_empty_snapshot_deletes_nothing(platform: Platform, load_bank: LoadBank) -> None:
    await load_bank(extract(row(1)))
    with pytest.raises(Conflict, match="lacks 1 of 1"):
        await load_bank(extract())


async def test_a_quarantined_row_keeps_its_record_alive(platform: Platform, load_bank: LoadBank) -> None:
    await load_bank(extract(row(1), row(2)))
    report = await load_bank(extract(row(1), row(2, BORN="yesterday")))
    assert (report.rows_quarantined, report.records_deleted) == (1, 0)


async def test_unreadable_rows_hold_deletes_back(platform: Platform, load_bank: LoadBank) -> None:
    await load_bank(extract(row(1), row(2)))
    report = await load_bank(extract(row(1), "2;torn"))
    assert (report.records_deleted, report.deletes_held) == (0, 1)
    assert "were kept" in report.warnings[0]


async def test_the_first_row_of_a_key_stands_within_and_across_batches(
    platform: Platform, load_bank: LoadBank
) -> None:
    lines = [row(1), row(1), row(1, LAST="B"), row(2), row(3), row(2), row(3, LAST="C"), row(4)]
    options = LoadOptions(limits=Limits(batch_rows=4))
    report = await load_bank(extract(*lines), options=options)
    assert (report.rows_in, report.rows_new, report.rows_unchanged) == (8, 4, 2)
    assert report.quarantined_by_reason == {"duplicate_key": 2}
    found = await rows_of(platform, "select row_no, detail from sources.quarantine order by row_no")
    assert [entry["row_no"] for entry in found] == [4, 8]
    assert "row 2 of this load" in found[0]["detail"]
    assert "row 6 of this load" in found[1]["detail"]
    names = await rows_of(platform, "select family_name from sources.record order by key")
    assert [name["family_name"] for name in names] == ["Каримов1", "Каримов2", "Каримов3", "Каримов4"]


async def test_a_good_row_after_a_bad_one_of_its_key_is_taken(
    platform: Platform, load_bank: LoadBank
) -> None:
    await load_bank(extract(row(1)))
    report = await load_bank(extract(row(1, SEX="X"), row(1, LAST="B")))
    assert (report.rows_changed, report.rows_quarantined) == (1, 1)


async def test_a_second_load_of_the_system_at_the_same_time_is_refused(
    platform: Platform, load_bank: LoadBank
) -> None:
    async with platform.db.transaction() as tx:
        assert await store.lock_system(tx, "bank")
        with pytest.raises(Conflict, match="being loaded by another process"):
            await load_bank(extract(row(1)))


async def test_a_cancelled_load_goes_on_where_it_stopped(
    platform: Platform, load_bank: LoadBank, tmp_path: Path
) -> None:
    path = tmp_path / "bank0.csv"
    text = extract(*(row(i) for i in range(100)), row(5, LAST="twice"))
    path.write_text(text, encoding="utf-8")
    options = LoadOptions(limits=Limits(batch_rows=10))
    stop = asyncio.Event()
    work = asyncio.create_task(
        load(platform, "bank", [path], options, lambda at: stop.set() if at.rows >= 30 else None)
    )
    await stop.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    (stopped,) = await rows_of(platform, "select * from sources.load")
    assert stopped["state"] == "failed"
    assert 0 < stopped["rows_in"] < 101
    report = await load_bank(text, options=options)
    assert report.resumed
    assert (report.rows_in, report.rows_new, report.rows_quarantined) == (101, 100, 1)


async def test_another_file_after_a_stopped_load_starts_anew(platform: Platform, load_bank: LoadBank) -> None:
    await load_bank(extract(*(row(i) for i in range(150))))
    with pytest.raises(Conflict):
        await load_bank(extract(row(1)))
    report = await load_bank(extract(*(row(i) for i in range(149))))
    assert (report.resumed, report.rows_unchanged, report.records_deleted) == (False, 149, 1)


async def test_a_mapping_that_names_a_missing_column_stores_nothing(
    platform: Platform, load_bank: LoadBank
) -> None:
    with pytest.raises(InvalidInput, match=r"attributes\.family_name \(line 9\) names 'LAST'"):
        await load_bank(extract(row(1)).replace("LAST", "SURNAME"))
    assert await rows_of(platform, "select * from sources.load") == []


async def test_what_cannot_be_loaded_says_so(platform: Platform, load_bank: LoadBank, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="unknown system 'bnak'"):
        await load(platform, "bnak", [tmp_path / "x.csv"])
    with pytest.raises(InvalidInput, match="cannot read"):
        await load(platform, "bank", [tmp_path / "missing.csv"])
    with pytest.raises(InvalidInput, match="cannot read"):
        await load(platform, "bank", [tmp_path])
    with pytest.raises(InvalidInput, match="give files to load"):
        await load(platform, "bank", [])
    with pytest.raises(InvalidInput, match="is empty"):
        await load_bank("")
    with pytest.raises(InvalidInput, match="named twice"):
        await load(platform, "bank", [tmp_path / "bank0.csv", tmp_path / "bank0.csv"])
    assert (await load_bank(extract())).rows_in == 0


async def test_rows_of_another_database_are_loaded_by_a_query(
    platform: Platform, load_bank: LoadBank, database_url: str
) -> None:
    columns = ", ".join(
        f"{value!r} as \"{name}\""
        for name, value in {
            "OLD_NO": "", "STATE": "OK", "UPDATED": "2024-02-01 10:00:00", "LAST": "A", "FIRST": "B",
            "BORN": "1980-06-05", "SEX": "F", "PHONE": "1", "ADS": "N", "CARD": "8", "CUR": "UZS",
            "OPENED": "01.01.2020", "BRANCH": "X",
        }.items()
    )  # fmt: skip
    query = f'select n as "NO", {columns}, 12.5::numeric as "BALANCE" from generate_series(1, 3) n'
    url = database_url.replace("postgresql://", "postgresql+psycopg://")
    report = await load(platform, "bank", [], LoadOptions(sql=Sql(query, url)))
    assert (report.rows_new, report.file) == (3, "query")
    (balance, *_) = await rows_of(platform, "select balance from sources.product")
    assert balance["balance"] == Decimal("12.50")
    with pytest.raises(InvalidInput, match="the query failed"):
        await load(platform, "bank", [], LoadOptions(sql=Sql("select * from nowhere", url)))
    with pytest.raises(InvalidInput, match="cannot use the database address"):
        await load(platform, "bank", [], LoadOptions(sql=Sql("select 1", "nonsense")))


async def test_what_others_read(platform: Platform, load_bank: LoadBank) -> None:
    await load_bank(extract(row(1), row(2), row(3)))
    await load_bank(extract(row(1), row(2, LAST="B")))
    async with platform.db.transaction() as tx:
        table = await records_for_identity(tx)
        held = await products(tx)
        summary = await load_summary(tx)
        ids = table.column("record_id").to_pylist()
        whole = await records_of(tx, ids)
        cards = await products_of(tx, ids)
        changes = await changes_of(tx, ids)
        await execute(tx, store.queries.drop_seen, system="bank", keep=None)
    assert table.column("key").to_pylist() == ["1", "2"]
    assert table.column("birth_date").to_pylist() == ["1980-06-05"] * 2
    assert held.column("balance").to_pylist() == [Decimal("1234.56")] * 2
    assert [record["key"] for record in whole] == ["1", "2"]
    assert [card["system"] for card in cards] == ["bank", "bank"]
    assert [(change["kind"], change["key"]) for change in changes] == [("changed", "2")]
    assert (summary[0].system, summary[0].records, summary[0].deleted_records) == ("bank", 2, 1)
