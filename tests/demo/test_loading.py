"""The seven mappings read the seven extracts: only what is broken on purpose goes to quarantine."""

from __future__ import annotations

import pytest

from suzani.demo import Generated
from suzani.demo.cli import settings_of
from suzani.demo.service import run_demo
from suzani.infra.db import fetch
from suzani.infra.platform import Platform
from suzani.infra.queries import Query
from suzani.kernel import Conflict
from suzani.sources import load
from tests.demo.conftest import truth_of

STORED = Query("select system, key from sources.record where deleted_at is null")
PRODUCTS = Query("select kind, currency, count(*) as count from sources.product group by 1, 2")


async def stored_in(platform: Platform) -> set[tuple[str, str]]:
    async with platform.db.transaction() as tx:
        return {(row["system"], row["key"]) for row in await fetch(tx, STORED)}


async def load_all(platform: Platform, bank: Generated) -> int:
    return sum(
        [(await load(platform, system, [path])).rows_quarantined for system, path in bank.extracts.items()]
    )


async def test_both_months_load_to_their_truth_and_nothing_good_is_quarantined(
    platform: Platform, bank: Generated, next_month: Generated
) -> None:
    assert await load_all(platform, bank) == bank.broken
    assert await stored_in(platform) == set(truth_of(bank))
    async with platform.db.transaction() as tx:
        products = await fetch(tx, PRODUCTS)
    assert {row["kind"] for row in products} >= {
        "account",
        "card",
        "loan",
        "deposit",
        "mortgage",
        "brokerage",
    }
    assert {row["currency"] for row in products} == {"UZS", "USD", "EUR"}
    assert await load_all(platform, next_month) == next_month.broken
    stored, truth = await stored_in(platform), set(truth_of(next_month))
    # A snapshot with unreadable rows deletes nothing it is not sure of.
    assert truth <= stored
    snapshots = {"cards", "deposits", "trade_finance", "investment"}
    assert {system for system, _ in stored - truth} <= snapshots


async def test_the_demo_runs_and_is_found_again(platform: Platform) -> None:
    phases: list[str] = []
    first = await run_demo(platform, records=1_000, seed=5, progress=lambda phase, _: phases.append(phase))
    assert first.audit.records == 1_000
    assert sum(one.rows_in for one in first.audit.loads) == 1_000 + first.generated.broken
    assert first.quality.pairwise.f1 > 0.9
    assert set(first.as_dict()) == {"records", "persons", "duplicate_share", "pairwise", "seconds"}
    assert "load core_banking" in phases
    second = await run_demo(platform, records=1_000, seed=5, progress=lambda *_: None)
    assert (first.reused, second.reused) == (False, True)
    assert second.audit.persons == first.audit.persons
    with pytest.raises(Conflict, match="records 1000 instead of 900"):
        await run_demo(platform, records=900, seed=5, progress=lambda *_: None)


async def test_the_demo_is_not_mixed_with_other_data(platform: Platform, bank: Generated) -> None:
    await load(platform, "deposits", [bank.extracts["deposits"]])
    with pytest.raises(Conflict, match="not the demo's"):
        await run_demo(platform, records=1_000, seed=5, progress=lambda *_: None)


def test_the_demo_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("SUZANI_DATA", str(tmp_path))
    assert settings_of(None).data_dir.name == "demo"
