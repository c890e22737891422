"""Fixtures for every test: a real PostgreSQL, and databases that are migrated and empty.

SUZANI_DATABASE_URL runs the same tests on an outside server, whose role must be able to create databases.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from suzani.infra.db import Database
from suzani.infra.migrate import migrate
from suzani.infra.platform import Platform
from suzani.infra.server import use_server
from suzani.infra.settings import Settings
from tests.distribution import Distribution, rank
from tests.infra.bus.broker import Broker, kafka_libraries

_MEMORY_DISK = Path("/dev/shm")
_ROOMY_BYTES = 4_000_000_000


def pytest_xdist_setupnodes() -> None:
    # Readline, once imported, tells what is started later of a terminal, into which tables would be fitted.
    for name in ("COLUMNS", "LINES"):
        os.unsetenv(name)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Distribution:
    config.option.loadscopereorder = False
    return Distribution(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank(item.nodeid))


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder for whole database clusters, which any user may walk through; in memory where there is room.

    The folder that pytest gives is one that the server's user cannot enter when root runs the tests.
    """
    roomy = os.access(_MEMORY_DISK, os.W_OK) and shutil.disk_usage(_MEMORY_DISK).free > _ROOMY_BYTES
    folder = Path(tempfile.mkdtemp(prefix="suzani-tests-", dir=_MEMORY_DISK if roomy else None))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_url(scratch: Path) -> Iterator[str]:
    """The address of a PostgreSQL server: the outside one, or an embedded one in a folder of its own."""
    outside = os.environ.get("SUZANI_DATABASE_URL")
    if outside:
        yield outside
        return
    use = use_server(Settings(scratch / "data", system_dir=scratch / "system"))
    try:
        # Nobody needs these databases after a power failure.
        _run(use.url, sql.SQL("alter system set fsync = off"))
        _run(use.url, sql.SQL("select pg_reload_conf()"))
        yield use.url
    finally:
        use.leave()


@pytest.fixture(scope="session")
def template_database(postgres_url: str) -> Iterator[str]:
    """The name of a migrated database that others are copied from."""
    name = f"suzani_template_{secrets.token_hex(4)}"
    _run(postgres_url, sql.SQL("create database {}").format(sql.Identifier(name)))
    try:
        asyncio.run(migrate(url_of(postgres_url, name)))
        yield name
    finally:
        _drop(postgres_url, name)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """An Apache Kafka broker for all tests."""
    if shutil.which("java") is None:
        pytest.skip("no Java on this machine, which Apache Kafka runs on")
    started = Broker(kafka_libraries(), tmp_path_factory.mktemp("kafka"))
    started.start()
    yield started
    started.kill()


@pytest.fixture(scope="session")
def left_databases(postgres_url: str) -> Iterator[list[str]]:
    """Names of databases whose tests are over.

    One is dropped when the next is left: its last session takes a moment to end, for which the server would
    wait a tenth of a second.
    """
    left: list[str] = []
    yield left
    for name in left:
        _drop(postgres_url, name)


@pytest.fixture
def database_url(postgres_url: str, template_database: str, left_databases: list[str]) -> Iterator[str]:
    """The address of a database of this test alone, migrated and empty."""
    name = f"suzani_test_{secrets.token_hex(6)}"
    yield _copied(postgres_url, template_database, name)
    left_databases.append(name)
    if len(left_databases) > 1:
        _drop(postgres_url, left_databases.pop(0))


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """The address of a database of this test alone, without any table."""
    name = f"suzani_empty_{secrets.token_hex(6)}"
    _run(postgres_url, sql.SQL("create database {}").format(sql.Identifier(name)))
    try:
        yield url_of(postgres_url, name)
    finally:
        _drop(postgres_url, name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated, empty database with its pool open."""
    db = await Database.connect(database_url, pool_size=4)
    try:
        yield db
    finally:
        await db.close()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings with a data directory and a database of this test alone."""
    return Settings(tmp_path / "data", database_url=database_url)


@pytest.fixture
def platform(settings: Settings, database: Database) -> Platform:
    """A platform on a database of this test alone."""
    settings.data_dir.mkdir(parents=True)
    return Platform(settings, database)


def copied_database(server_url: str, template: str, name: str) -> str:
    """The address of a copy of a database, in place of what had its name before."""
    _drop(server_url, name)
    return _copied(server_url, template, name)


def _copied(server_url: str, template: str, name: str) -> str:
    # Files are copied in a tenth of the time that it takes to write each of their pages to the log.
    copied = sql.SQL("create database {} template {} strategy file_copy")
    _run(server_url, copied.format(sql.Identifier(name), sql.Identifier(template)))
    return url_of(server_url, name)


def url_of(server_url: str, database: str) -> str:
    """The address of another database on the same server."""
    parts = conninfo_to_dict(server_url)
    user, password = parts.get("user") or "", parts.get("password") or ""
    query = f"host={str(parts.get('host') or '').replace('/', '%2F')}&port={parts.get('port') or 5432}"
    return f"postgresql://{user}:{password}@/{database}?{query}"


def _run(url: str, statement: sql.Composable) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def _drop(url: str, name: str) -> None:
    _run(url, sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
