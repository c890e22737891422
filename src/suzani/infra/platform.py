"""The running platform: what every service and every command gets to work with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from suzani.infra.db import Database
from suzani.infra.migrate import migrate
from suzani.infra.server import server_address
from suzani.infra.settings import Settings


@dataclass(frozen=True, slots=True)
class Platform:
    """One process's hold on the platform: its settings and its database."""

    settings: Settings
    db: Database

    @property
    def data_dir(self) -> Path:
        """The folder that holds everything of this installation."""
        return self.settings.data_dir


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Platform]:
    """The platform, ready to use: server started or joined, schema brought up to date, pool open.

    The embedded server is stopped at the end unless another process uses it. Raises Forbidden, Conflict or
    Unavailable, each with what to do.
    """
    async with database_url(settings) as url:
        await migrate(url)
        db = await Database.connect(url)
        try:
            yield Platform(settings, db)
        finally:
            await db.close()


@asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """The address of the platform's database, which answers for as long as the block lasts."""
    server = server_address(settings)
    url = await asyncio.to_thread(server.__enter__)
    try:
        yield url
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)
