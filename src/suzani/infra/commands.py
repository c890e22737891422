"""How a command works with the platform: started or joined, used, left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from suzani.infra import console
from suzani.infra.db import Tx
from suzani.infra.platform import Platform, running
from suzani.infra.settings import Settings

T = TypeVar("T")


def with_platform(data: Path | None, work: Callable[[Platform], Awaitable[T]]) -> T:
    """What the work gives. `data`: the platform's folder, where it was named. Errors of the domain end the
    command with a message and an exit code."""

    async def run() -> T:
        async with running(Settings.from_environment(data)) as platform:
            return await work(platform)

    return console.run(run())


def in_transaction(data: Path | None, work: Callable[[Tx], Awaitable[T]]) -> T:
    """What the work gives, done in one transaction."""

    async def run(platform: Platform) -> T:
        async with platform.db.transaction() as tx:
            return await work(tx)

    return with_platform(data, run)
