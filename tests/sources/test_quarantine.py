from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from suzani.infra.platform import Platform
from suzani.infra.quarantine import Replay
from suzani.kernel import InvalidInput
from suzani.sources import LoadOptions, Mode, quarantine_store
from suzani.sources.quarantine import Fix, export, only_changes, read_fixes, replay
from suzani.sources.types import Limits, QuarantinedRow, Reason
from tests.sources.bank_extract import LoadBank, extract, row, rows_of


async def open_rows(platform: Platform) -> list[QuarantinedRow]:
    async with platform.db.transaction() as tx:
        return [entry async for entry in quarantine_store.rows(tx)]


async def replayed(platform: Platform, **fixes: Fix) -> dict[str, Replay]:
    """Replay every open row, each with the fix that is given for its reason."""
    rows = await open_rows(platform)
    by_id = {r.quarantine_id: fixes[r.reason] for r in rows if r.reason in fixes}
    results = await replay(platform, rows, by_id)
    return {str(r.reason): result for r, result in zip(rows, results, strict=True)}


BAD = extract(
    row(1),
    row(2, BORN="31.31.1980"),
    row(3, SEX="?"),
    row(""),
    row(1, LAST="Другой"),
    row(6, LAST="X" * 2000),
    row(7, LAST="N\0UL"),
    row(8, LAST="BROKEN"),
    "9;torn",
).replace("BROKEN", "\udcff").encode("utf-8", "surrogateescape")  # fmt: skip


async def load_bad(load_bank: LoadBank) -> None:
    report = await load_bank(BAD, options=LoadOptions(mode=Mode.DELTA, limits=Limits(field_bytes=1000)))
    assert (report.rows_in, report.rows_new, report.rows_quarantined) == (9, 1, 8)


async def test_every_reason_is_kept_with_file_row_field_and_bytes(
    platform: Platform, load_bank: LoadBank
) -> None:
    await load_bad(load_bank)
    found = {entry.reason: entry for entry in await open_rows(platform)}
    places = {reason: (entry.row, entry.field, entry.key) for reason, entry in found.items()}
    assert places == {
        Reason.WRONG_TYPE: (3, "BORN", "2"),
        Reason.WRONG_VALUE: (4, "SEX", "3"),
        Reason.MISSING_KEY: (5, "NO", None),
        Reason.DUPLICATE_KEY: (6, "NO", "1"),
        Reason.TOO_LARGE: (7, "LAST", "6"),
        Reason.NUL_BYTE: (8, "LAST", "7"),
        Reason.BROKEN_ENCODING: (9, "LAST", "8"),
        Reason.WRONG_SHAPE: (10, None, None),
    }
    lines = BAD.split(b"\n")
    assert all(entry.raw == lines[entry.row - 1] for entry in found.values())
    assert all(entry.file.endswith("bank0.csv") for entry in found.values())
    assert found[Reason.NUL_BYTE].damaged == ("LAST",)


async def test_rows_are_fixed_and_replayed(platform: Platform, load_bank: LoadBank) -> None:
    await load_bad(load_bank)
    name = Fix({"LAST": "Каримов"})
    results = await replayed(
        platform,
        wrong_type=Fix({"BORN": "31.12.1980"}),
        wrong_value=Fix({"SEX": "F"}),
        missing_key=Fix({"NO": "4"}),
        duplicate_key=Fix({"NO": "5"}),
        too_large=name,
        nul_byte=name,
        broken_encoding=name,
        wrong_shape=Fix(raw=row(9)),
    )
    assert {result.state for result in results.values()} == {"replayed"}
    keys = await rows_of(platform, "select key from sources.record order by key")
    assert [record["key"] for record in keys] == [str(i) for i in range(1, 10)]
    assert await open_rows(platform) == []
    assert await rows_of(platform, "select * from sources.seen") == []
    again = await replay(platform, await all_rows(platform))
    assert {result.detail for result in again} == {"it is replayed already"}


async def all_rows(platform: Platform) -> Sequence[QuarantinedRow]:
    async with platform.db.transaction() as tx:
        return [entry async for entry in quarantine_store.rows(tx, state=None)]


async def test_a_row_that_is_still_wrong_stays_open(platform: Platform, load_bank: LoadBank) -> None:
    await load_bad(load_bank)
    results = await replayed(platform, wrong_type=Fix({"BORN": "never"}), wrong_shape=Fix(raw="9;torn;still"))
    open_ones = {reason: result.detail for reason, result in results.items() if result.state == "open"}
    assert set(results) - set(open_ones) == {"too_large"} - {"too_large"}
    assert "no date" in open_ones["wrong_type"]
    assert "3 fields" in open_ones["wrong_shape"]
    assert "needs a new value (--set LAST=...)" in open_ones["nul_byte"]
    assert "key is still taken" in open_ones["duplicate_key"]
    assert len(await rows_of(platform, "select * from sources.record")) == 1


async def test_an_old_row_does_not_overwrite_a_newer_load(platform: Platform, load_bank: LoadBank) -> None:
    await load_bank(extract(row(1)))
    await load_bank(extract(row(1, BORN="bad", LAST="Old")))
    await load_bank(extract(row(1, LAST="New")), name="later")
    results = await replayed(platform, wrong_type=Fix({"BORN": "01.01.1990"}))
    assert "newer row" in results["wrong_type"].detail
    (record,) = await rows_of(platform, "select family_name from sources.record")
    assert record["family_name"] == "New"


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
async def test_an_export_is_corrected_in_an_editor_and_replayed(
    ending: str, platform: Platform, load_bank: LoadBank, tmp_path: Path
) -> None:
    await load_bad(load_bank)
    path = tmp_path / f"fix{ending}"
    async with platform.db.transaction() as tx:
        assert await export(path, quarantine_store.rows(tx)) == 8
    assert all(fix == Fix() for fix in (await changed_fixes(platform, path)).values())
    _correct(path)
    rows = await open_rows(platform)
    results = await replay(platform, rows, await changed_fixes(platform, path))
    outcome = {r.reason: result.state for r, result in zip(rows, results, strict=True)}
    assert outcome[Reason.WRONG_TYPE] == outcome[Reason.WRONG_SHAPE] == outcome[Reason.NUL_BYTE] == "replayed"
    assert outcome[Reason.BROKEN_ENCODING] == outcome[Reason.TOO_LARGE] == "open"
    (record,) = await rows_of(platform, "select family_name from sources.record where key = '7'")
    assert record["family_name"] == "Нулев"


async def changed_fixes(platform: Platform, path: Path) -> dict[int, Fix]:
    fixes = read_fixes(path)
    return {r.quarantine_id: only_changes(r, fixes[r.quarantine_id]) for r in await open_rows(platform)}


def _correct(path: Path) -> None:
    text = path.read_text("utf-8-sig")
    swaps = {"31.31.1980": "31.12.1980", "9;torn": row(9), "N\\x00UL": "Нулев"}
    if path.suffix == ".jsonl":
        items = [json.loads(line) for line in text.splitlines()]
        for item in items:
            item["raw"] = swaps.get(item["raw"], item["raw"])
            item["values"] = item["values"] and {k: swaps.get(v, v) for k, v in item["values"].items()}
        path.write_text("\n".join(json.dumps(item) for item in items), "utf-8")
        return
    rows = [[swaps.get(cell, cell) for cell in line] for line in csv.reader(text.splitlines())]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def test_a_file_that_is_no_export_is_refused(tmp_path: Path) -> None:
    for name, text in {"a.csv": "a,b\n1,2\n", "b.jsonl": "[1]\n", "c.jsonl": "nonsense"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(InvalidInput, match="not an export"):
            read_fixes(tmp_path / name)


async def test_a_dismissed_row_stays_dismissed_when_its_file_comes_again(
    platform: Platform, load_bank: LoadBank
) -> None:
    await load_bad(load_bank)
    async with platform.db.transaction() as tx:
        ids = [entry.quarantine_id for entry in await open_rows(platform)]
        assert await quarantine_store.settle(tx, ids, "dismissed", "test rows") == 8
    await load_bad_again(load_bank)
    assert await open_rows(platform) == []


async def load_bad_again(load_bank: LoadBank) -> None:
    await load_bank(BAD, options=LoadOptions(mode=Mode.DELTA, limits=Limits(field_bytes=1000)))
