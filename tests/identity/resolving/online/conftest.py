from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from suzani.identity import Resolver
from suzani.infra.db import Database
from suzani.infra.platform import Platform
from tests.conftest import copied_database
from tests.identity.online_bank import resolved_bank

RECORDS = 1_500


@pytest.fixture(scope="session")
def resolved_database(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The name of a database with a resolved bank; tests work on copies of it."""
    name = "suzani_online_bank"
    url = copied_database(postgres_url, template_database, name)
    resolved_bank(url, tmp_path_factory.mktemp("online"), RECORDS, seed=5)
    return name


@pytest.fixture
def database_url(postgres_url: str, resolved_database: str) -> str:
    """The resolved bank, for one test alone."""
    return copied_database(postgres_url, resolved_database, "suzani_online_test")


@pytest.fixture
async def resolver(platform: Platform) -> AsyncIterator[Resolver]:
    opened = await Resolver.opened(platform)
    yield opened
    await opened.close()


@pytest.fixture
async def other(platform: Platform) -> AsyncIterator[Resolver]:
    """The resolver of another process on the same database."""
    db = await Database.connect(platform.db.url, pool_size=3)
    opened = await Resolver.opened(replace(platform, db=db))
    yield opened
    await opened.close()
    await db.close()
