"""The running platform: what every service and every command gets to work with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from suzani.infra.db import Database, translated
from suzani.infra.migrate import migrate
from suzani.infra.server import use_server
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
    """The address of the platform's database, which answers for as long as the block lasts.

    This is the only place that knows whether the server is embedded or outside.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    with translated():
        use = await asyncio.to_thread(use_server, settings)
    try:
        yield use.url
    finally:
        await asyncio.to_thread(use.leave)
