"""`suzani bus` and `suzani lake`."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from suzani.infra.bus import Lag, Message, open_bus
from suzani.infra.bus.checkup import judged, totals
from suzani.infra.db import Database, Query, execute
from suzani.infra.settings import Settings
from suzani.main import app

run = CliRunner().invoke
MINUTE = timedelta(minutes=1)


@pytest.fixture
def data(bus_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A platform with ten messages of which a consumer, long gone, has read none."""
    for name, value in bus_settings.to_environment().items():
        if name.startswith("SUZANI_"):
            monkeypatch.setenv(name, value)

    async def fill() -> None:
        db = await Database.connect(bus_settings.database_url or "")
        async with open_bus(db, bus_settings) as bus:
            await bus.send("events", [Message(b"%d" % n, b"v") for n in range(10)])
        async with db.transaction() as tx:
            await execute(
                tx,
                Query("insert into bus.cursor select 'gone', 'events', n, 0 from generate_series(0, 3) as n"),
            )
        await db.close()

    asyncio.run(fill())
    return bus_settings.data_dir


def test_the_log_is_shown_with_who_is_behind(data: Path) -> None:
    shown = run(app, ["bus"])
    assert shown.exit_code == 0, shown.output
    assert "gone" in shown.output
    found = json.loads(run(app, ["bus", "--json"]).stdout)
    assert found["topics"] == [{"topic": "events", "partitions": 4, "kept": 10, "end": 10}]
    assert sum(lag["behind"] for lag in found["consumers"]) == 10
    assert run(app, ["bus", "--partitions"]).output.count("gone") == 4


def test_the_doctor_shows_who_is_behind_and_complains_of_who_has_been_for_long(data: Path) -> None:
    looked = run(app, ["doctor", "--json"])
    assert json.loads(looked.stdout)["checkups"]["log"]["gone of events"]["behind"] == 10
    assert looked.exit_code == 0, looked.output
    at = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    lags = [Lag("lake", "accepted", n, 5, 7, at - minutes * MINUTE) for n, minutes in enumerate((4, 6))]
    [complaint] = judged(totals(lags), at).problems
    assert complaint.startswith("consumer lake of topic accepted is 4 messages behind, since 2026-11-02 08:5")
    assert not judged(totals(lags[:1]), at).problems
    assert not judged([Lag("lake", "accepted", 0, 7, 7)], at).problems


def test_a_consumer_is_forgotten_by_name(data: Path) -> None:
    assert "gone" not in run(app, ["bus", "--forget", "gone"]).output
    refused = run(app, ["bus", "--forget", "gone"])
    assert refused.exit_code == 3


def test_a_lake_without_files_is_shown_too(data: Path) -> None:
    assert json.loads(run(app, ["lake", "--json"]).stdout) == {"folder": str(data / "lake"), "days": []}
    assert run(app, ["lake", "--compact"]).exit_code == 0
