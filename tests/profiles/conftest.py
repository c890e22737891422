"""A tiny bank, loaded, resolved and profiled."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from suzani.infra.db import Database, Tx
from suzani.profiles import load_survivorship, rebuild_all
from tests.profiles import bank


@pytest.fixture
async def profiled(database: Database) -> Database:
    """A database with the tiny bank and its profiles."""
    async with database.transaction() as tx:
        await bank.fill(tx)
    async with database.transaction() as tx:
        await rebuild_all(tx, load_survivorship(), bank.NOW)
    return database


@pytest.fixture
async def tx(profiled: Database) -> AsyncIterator[Tx]:
    """A transaction on the profiled bank."""
    async with profiled.transaction() as transaction:
        yield transaction
