"""Looking after the lake: showing what was written, compacting, and removing what nobody reads."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from pathlib import Path
from typing import Final
from uuid import UUID

from suzani.infra.bus.consuming import pause
from suzani.infra.db import Database
from suzani.infra.lake import store
from suzani.infra.lake.compacting import compact
from suzani.infra.lake.showing import show
from suzani.infra.lake.types import Lake
from suzani.kernel import Unavailable

GRACE_SECONDS: Final = 3600.0
"""How long files can still be read by their stored names after they were replaced."""

_SHOW_SECONDS: Final = 5.0
_COMPACT_SECONDS: Final = 300.0

_log = logging.getLogger(__name__)


async def keep(db: Database, lake: Lake, *, stop: asyncio.Event) -> None:
    """Show new files every 5 seconds, compact and clean up every 5 minutes, until told to stop.

    To be run in one process at least; in several it does no harm.
    """
    next_compaction = time.monotonic()
    while not stop.is_set():
        try:
            await show(db, lake)
            if time.monotonic() >= next_compaction:
                next_compaction = time.monotonic() + _COMPACT_SECONDS
                await compact(db, lake)
                await clean(db, lake)
        except (Unavailable, OSError) as error:
            _log.warning("the lake was not looked after: %s", error)
        await pause(stop, _SHOW_SECONDS)


async def clean(db: Database, lake: Lake, *, grace_seconds: float = GRACE_SECONDS) -> None:
    """Remove files that were replaced so long ago, and files of transactions that failed as long ago."""
    async with db.transaction() as tx:
        gone = await store.forgotten(tx, grace_seconds)
    for dataset, file in gone:
        await asyncio.to_thread(lake.stored(dataset, file).unlink, missing_ok=True)
    for folder in await asyncio.to_thread(lambda: list((lake.folder / ".files").glob("*"))):
        async with db.transaction() as tx:
            known = await store.known(tx, folder.name)
        await asyncio.to_thread(_sweep, lake, folder, known, time.time() - grace_seconds)


def _sweep(lake: Lake, folder: Path, known: set[UUID], before: float) -> None:
    """Remove what killed processes left: files that nobody knows, from before a moment (Unix seconds)."""
    for path in folder.glob("*.parquet"):
        if UUID(path.stem) not in known and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
    for left in lake.fresh.glob("*"):
        if left.stat().st_mtime < before:
            shutil.rmtree(left, ignore_errors=True)
