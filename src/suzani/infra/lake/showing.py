"""Showing files where engines read: after the commit, again after a crash, and never a row twice."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from suzani.infra.db import Database
from suzani.infra.lake import store
from suzani.infra.lake.store import Pending
from suzani.infra.lake.types import Lake
from suzani.infra.lake.writing import flush

_HERE: Final = -100
_EXCHANGE: Final = 2
"""AT_FDCWD and RENAME_EXCHANGE of Linux."""


async def show(db: Database, lake: Lake) -> int:
    """Bring the folders of days up to what the lake holds; returns how many days changed.

    New files are added one by one; where files were replaced, the whole folder is exchanged at once. What a
    killed process left undone is done by whoever calls next.
    """
    async with db.transaction() as tx:
        await store.alone(tx, "showing")
        pending = await store.to_show(tx)
        for day in pending:
            files = await store.of_day(tx, day.dataset, day.day)
            await asyncio.to_thread(_show_day, lake, day, files)
            await store.was_shown(tx, day.dataset, day.day)
    return len(pending)


def _show_day(lake: Lake, pending: Pending, files: dict[UUID, bool]) -> None:
    folder = lake.day(pending.dataset, pending.day)
    folder.mkdir(parents=True, exist_ok=True)
    if pending.hiding:
        _exchange_day(lake, pending, files)
        return
    for file, shown in files.items():
        if not shown:
            _link(lake.stored(pending.dataset, file), lake.shown(pending.dataset, pending.day, file))
    flush(folder)


def _exchange_day(lake: Lake, pending: Pending, files: Collection[UUID]) -> None:
    """Put a folder with exactly these files in the place of the day's."""
    fresh = lake.fresh / str(uuid4())
    fresh.mkdir(parents=True)
    for file in files:
        _link(lake.stored(pending.dataset, file), fresh / f"part-{file}.parquet")
    flush(fresh)
    folder = lake.day(pending.dataset, pending.day)
    exchange(fresh, folder)
    flush(folder.parent)
    shutil.rmtree(fresh)


def _link(stored: Path, shown: Path) -> None:
    try:
        os.link(stored, shown)
    except FileExistsError:  # by one that was killed before it could say so
        return
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EXDEV, errno.EMLINK):
            raise
        partial = shown.with_name(f".{shown.name}")  # a file system without hard links
        shutil.copyfile(stored, partial)
        flush(partial)
        partial.replace(shown)


def exchange(one: Path, other: Path) -> None:
    """Let two folders change names, at once where the system can."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
            return
    between = one.with_name(f"{one.name}-old")
    other.rename(between)
    one.rename(other)
    between.rename(one)
