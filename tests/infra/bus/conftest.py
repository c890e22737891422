"""Fixtures for the log: each test that takes `bus` runs on every kind of log there is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from suzani.infra.bus import Bus
from suzani.infra.bus.postgres import PostgresBus
from suzani.infra.db import Database

PARTITIONS = 4


@pytest.fixture
async def bus(database: Database) -> AsyncIterator[Bus]:
    opened = PostgresBus(database, partitions=PARTITIONS, keep_hours=24)
    yield opened
    await opened.close()
