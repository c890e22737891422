"""Fixtures for the log: each test that takes `bus` runs on every kind of log there is."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from suzani.infra.bus import Bus, open_bus
from suzani.infra.bus_address import BusAddress
from suzani.infra.db import Database
from suzani.infra.settings import Settings

PARTITIONS = 4


@pytest.fixture(params=["postgres", "kafka"])
def bus_settings(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Settings:
    """Settings with a log of this test alone."""
    text = f"postgres?partitions={PARTITIONS}"
    if request.param == "kafka":
        hosts = request.getfixturevalue("broker").address
        text = f"kafka://{hosts}?partitions={PARTITIONS}&prefix=test-{secrets.token_hex(4)}."
    return Settings(tmp_path / "data", database_url=database_url, bus=BusAddress.parse(text))


@pytest.fixture
async def bus(bus_settings: Settings, database: Database) -> AsyncIterator[Bus]:
    """A log with four partitions for each topic, which is looked after."""
    async with open_bus(database, bus_settings) as opened, kept(opened):
        yield opened


@asynccontextmanager
async def kept(bus: Bus) -> AsyncIterator[None]:
    """Look after the log for as long as the block lasts."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(bus.keep(stop=stop))
        try:
            yield
        finally:
            stop.set()
