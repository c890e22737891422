from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from suzani import sources
from suzani.infra.platform import Platform
from suzani.kernel import ATTRIBUTES, InvalidInput, NotFound
from suzani.sources import RECORD_SCHEMA, Fate, Mapping, Reader, Readers, Typed, load_summary
from tests.sources.bank_extract import MAPPING, LoadBank, extract, row, rows_of

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
KARIMOV = {"family_name": "Каримов7", "given_name": "Али", "birth_date": "05.06.1980", "sex": "male"}
PLAIN = {"CARD": "", "BALANCE": "", "CUR": "", "OPENED": "", "BRANCH": "", "ADS": "", "UPDATED": ""}


@pytest.fixture
def reader(mapping: Mapping) -> Reader:
    return Reader(mapping)


async def put(platform: Platform, *rows: Typed, at: datetime = AT) -> sources.PutResult:
    async with platform.db.transaction() as tx:
        return await sources.put(tx, rows, at)


async def stored(platform: Platform) -> list[dict[str, Any]]:
    return await rows_of(platform, "select * from sources.record order by record_id")


async def test_a_typed_record_is_stored_as_a_load_would_store_it(platform: Platform, reader: Reader) -> None:
    found = await put(platform, reader.record(" 7 ", {**KARIMOV, "phone": "  +998907 ", "email": ""}))
    [record] = await stored(platform)
    assert found.record_ids == [record["record_id"]]
    assert found.fates == [Fate.NEW]
    assert (record["key"], record["phone"], record["email"]) == ("7", "+998907", None)
    assert str(record["birth_date"]) == "1980-06-05"
    assert record["updated_at"] == record["created_at"] == AT


async def test_the_rows_that_come_back_are_those_that_identity_reads(
    platform: Platform, reader: Reader
) -> None:
    given = {**KARIMOV, "marketing_consent": "yes", "consent_at": "2026-01-01T10:00:00+05:00"}
    found = await put(platform, reader.record("7", given), reader.record("8", {"full_name": "Ким Анна"}))
    async with platform.db.transaction() as tx:
        live = await sources.records_for_identity(tx)
    assert found.records.schema == RECORD_SCHEMA
    assert found.records.to_pylist() == live.to_pylist()


async def test_a_file_with_the_same_content_changes_nothing(load_bank: LoadBank, platform: Platform) -> None:
    reader = Readers(platform.data_dir).of("bank")
    await put(platform, reader.record("7", {**KARIMOV, "phone": "+998907"}))
    report = await load_bank(extract(row(7, **PLAIN), row(8)))
    assert (report.rows_new, report.rows_unchanged, report.rows_changed) == (1, 1, 0)


async def test_what_a_record_was_is_kept_and_what_is_not_typed_stays(
    load_bank: LoadBank, platform: Platform
) -> None:
    await load_bank(extract(row(7)))
    reader = Readers(platform.data_dir).of("bank")
    given = {**KARIMOV, "phone": "+998991234567"}
    assert (await put(platform, reader.record("7", given))).fates == [Fate.CHANGED]
    assert (await put(platform, reader.record("7", given))).fates == [Fate.UNCHANGED]
    [record] = await stored(platform)
    assert (record["phone"], record["marketing_consent"]) == ("+998991234567", "granted")
    assert record["extra"] == {"BRANCH": "Центр"}
    [change] = await rows_of(platform, "select * from sources.change")
    assert (change["kind"], change["before"]["phone"]) == ("changed", "+998907")
    assert change["before"]["products"][0]["number"] == "86007"
    assert await rows_of(platform, "select number from sources.product") == [{"number": "86007"}]
    report = await load_bank(extract(row(7)), name="again")
    assert report.rows_changed == 1, "a file is read afresh, so that the system has the last word"


async def test_a_deleted_record_is_there_again(load_bank: LoadBank, platform: Platform) -> None:
    await load_bank(extract(row(7, STATE="GONE")))
    reader = Readers(platform.data_dir).of("bank")
    found = await put(platform, reader.record("7", KARIMOV))
    assert found.fates == [Fate.RESTORED]
    assert found.records.num_rows == 1
    assert (await stored(platform))[0]["deleted_at"] is None


async def test_records_of_one_day_are_one_load_whose_counts_add_up(
    platform: Platform, reader: Reader
) -> None:
    one, other = reader.record("1", KARIMOV), reader.record("2", KARIMOV)
    await put(platform, one, other)
    await put(platform, one)
    await put(platform, reader.record("1", {"full_name": "Али"}), at=AT.replace(day=5))
    first, second = await rows_of(platform, "select * from sources.load order by load_id")
    counted = [
        (found["rows_in"], found["rows_new"], found["rows_changed"], found["rows_unchanged"])
        for found in (first, second)
    ]
    assert counted == [(3, 2, 0, 1), (1, 0, 1, 0)]
    assert (first["file"], first["state"], second["system"]) == ("online", "done", "bank")


async def test_the_last_load_of_a_system_is_that_of_a_file(load_bank: LoadBank, platform: Platform) -> None:
    await load_bank(extract(row(7)))
    await put(platform, Readers(platform.data_dir).of("bank").record("9", KARIMOV))
    async with platform.db.transaction() as tx:
        [summary] = await load_summary(tx)
    assert summary.file.endswith("bank0.csv")
    assert summary.records == 2


async def test_writers_of_one_system_wait_for_each_other(platform: Platform, reader: Reader) -> None:
    keys = [str(number) for number in range(8)]
    await asyncio.gather(*(put(platform, *(reader.record(k, {"phone": p}) for k in keys)) for p in keys))
    assert len(await stored(platform)) == len(keys)
    assert len(await rows_of(platform, "select * from sources.load")) == 1


async def test_two_of_one_key_are_refused(platform: Platform, reader: Reader) -> None:
    record = reader.record("1", KARIMOV)
    with pytest.raises(InvalidInput, match="same system and key"):
        await put(platform, record, record)


async def test_every_attribute_comes_through(platform: Platform, reader: Reader) -> None:
    given = {
        name: f"{name} ' \" \\ \u2028 {{}} 김" for name in ATTRIBUTES if name not in ("sex", "birth_date")
    }
    await put(platform, reader.record("1", given))
    [record] = await stored(platform)
    assert {name: record[name] for name in given} == given


@pytest.mark.parametrize(
    ("key", "given", "said"),
    [
        ("1", {"surname": "x"}, "attributes.surname: there is no such attribute"),
        ("1", {"birth_date": "31.02.1990"}, "attributes.birth_date: '31.02.1990' is no date"),
        ("1", {"sex": "x"}, "attributes.sex: 'x' is none of"),
        ("1", {"address": "x" * 1001}, "attributes.address: 1,001 characters are too many"),
        ("1", {"address": "a\0b"}, "attributes.address: it has a NUL character"),
        ("1", {"address": "a\ud800b"}, "attributes.address: it is no valid Unicode"),
        ("1", {"phone": 998}, "attributes.phone: it must be text, not int"),
        ("1", {"consent_at": "2026-01-01T00:00:00Z"}, "marketing_consent is missing"),
        ("1" * 201, {}, "key: 201 characters are too many"),
        (" ", {}, "key: a record that is to be stored needs one"),
    ],
)
def test_what_is_wrong_is_told_by_its_name(reader: Reader, key: str, given: Any, said: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        reader.record(key, given)
    assert said in str(raised.value)


def test_a_reader_without_a_system_takes_iso_dates() -> None:
    assert Reader().values({"birth_date": "1990-02-28", "city": " "}).keys() == {"birth_date"}
    with pytest.raises(InvalidInput, match="no date"):
        Reader().values({"birth_date": "28.02.1990"})


def test_an_unknown_system_is_told_the_known(platform: Platform) -> None:
    with pytest.raises(NotFound, match="core_banking"):
        Readers(platform.data_dir).of("nowhere")


def test_a_changed_mapping_is_read_again(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = platform.data_dir / "mappings"
    folder.mkdir(parents=True)
    (folder / "bank.yaml").write_text(MAPPING, encoding="utf-8")
    monkeypatch.setattr("suzani.sources.catalogue._LOOK_SECONDS", -1.0)
    readers = Readers(platform.data_dir)
    assert readers.of("bank").values({"birth_date": "05.06.1980"})
    (folder / "bank.yaml").write_text(MAPPING.replace("%d.%m.%Y", "%m/%d/%Y"), encoding="utf-8")
    assert readers.of("bank").values({"birth_date": "06/05/1980"})
