"""What a snapshot says of records that came online."""

from __future__ import annotations

from datetime import UTC, datetime

from suzani import sources
from suzani.infra.platform import Platform
from suzani.sources import Readers
from tests.sources.bank_extract import LoadBank, extract, row, rows_of

BEFORE = datetime(2026, 3, 4, tzinfo=UTC)
AFTER = datetime(2200, 1, 1, tzinfo=UTC)
"""Moments before and after every snapshot here was taken."""

PLAIN = {"CARD": "", "BALANCE": "", "CUR": "", "OPENED": "", "BRANCH": "", "ADS": "", "UPDATED": ""}
SEVEN = {
    "family_name": "Каримов7",
    "given_name": "Али",
    "birth_date": "05.06.1980",
    "sex": "male",
    "phone": "+998907",
}


async def tell(platform: Platform, key: str, at: datetime, **changes: str) -> None:
    """Let a record come online."""
    typed = Readers(platform.data_dir).of("bank").record(key, SEVEN | changes)
    async with platform.db.transaction() as tx:
        await sources.put(tx, [typed], at)


async def live(platform: Platform) -> list[str]:
    """The keys of the records that are there."""
    found = await rows_of(platform, "select key from sources.record where deleted_at is null order by key")
    return [record["key"] for record in found]


async def test_a_record_that_no_file_ever_held_outlives_snapshots(
    load_bank: LoadBank, platform: Platform
) -> None:
    await tell(platform, "7", BEFORE)
    report = await load_bank(extract(row(8)))
    assert await live(platform) == ["7", "8"]
    assert report.records_deleted == 0
    assert "1 records are absent, but were kept" in report.warnings[0]


async def test_once_a_file_held_it_a_snapshot_without_it_deletes_it(
    load_bank: LoadBank, platform: Platform
) -> None:
    await tell(platform, "7", BEFORE)
    first = await load_bank(extract(row(7, **PLAIN), row(8)))
    assert (first.rows_unchanged, first.warnings) == (1, ())
    report = await load_bank(extract(row(8)), name="next")
    assert await live(platform) == ["8"]
    assert (report.records_deleted, report.warnings) == (1, ())


async def test_what_was_told_after_the_snapshot_was_taken_stays(
    load_bank: LoadBank, platform: Platform
) -> None:
    await load_bank(extract(row(7), row(8)))
    await tell(platform, "7", AFTER, phone="+998991234567")
    report = await load_bank(extract(row(8)), name="next")
    assert await live(platform) == ["7", "8"]
    assert len(report.warnings) == 1


async def test_what_was_told_before_the_snapshot_was_taken_is_gone_with_it(
    load_bank: LoadBank, platform: Platform
) -> None:
    await load_bank(extract(row(7), row(8)))
    await tell(platform, "7", BEFORE, phone="+998991234567")
    report = await load_bank(extract(row(8)), name="next")
    assert await live(platform) == ["8"]
    assert report.records_deleted == 1
    kinds = await rows_of(platform, "select kind, before from sources.change order by change_id")
    assert [change["kind"] for change in kinds] == ["changed", "deleted"]
    assert not {"filed", "digest", "load_id", "record_id"} & kinds[1]["before"].keys()


async def test_a_deleted_record_that_came_back_online_stays(load_bank: LoadBank, platform: Platform) -> None:
    await load_bank(extract(row(7), row(8)))
    await load_bank(extract(row(8)), name="second")
    await tell(platform, "7", BEFORE)
    await load_bank(extract(row(8), row(9)), name="third")
    assert await live(platform) == ["7", "8", "9"]


async def test_a_file_record_of_the_same_content_is_no_new_key_of_one_online(
    load_bank: LoadBank, platform: Platform
) -> None:
    await tell(platform, "online-7", BEFORE)
    report = await load_bank(extract(row(7, **PLAIN)))
    assert await live(platform) == ["7", "online-7"]
    assert (report.rows_new, report.records_rekeyed) == (1, 0)


async def test_records_online_do_not_make_a_snapshot_implausible(
    load_bank: LoadBank, platform: Platform
) -> None:
    for number in range(120):
        await tell(platform, f"online-{number}", BEFORE, phone=f"+99890{number}")
    await load_bank(extract(row(7), row(8)))
    report = await load_bank(extract(row(8)), name="next")
    assert report.records_deleted == 1
    assert len(await live(platform)) == 121
