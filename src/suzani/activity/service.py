"""The services `events`, in which events take effect and all that follows is brought up to date, and `lake`.

Any number of processes may run each at once: they share the work, and one more needs no restart of others.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from suzani import events
from suzani.activity.lake import fill_lake
from suzani.activity.processing import Processor
from suzani.activity.refreshing import Refresher
from suzani.activity.rules import RulesInForce
from suzani.infra import loop
from suzani.infra.bus import consume, open_bus
from suzani.infra.lake import Lake
from suzani.infra.platform import Platform, running
from suzani.infra.settings import Settings
from suzani.kernel import Unavailable, now

BATCH: Final = 5_000
"""Events that take effect in one transaction, when so many wait: of many, more are of the same subject."""

PACE_SECONDS: Final = 0.05
"""Batches that are not full begin no closer than this: ten events cost nearly what a hundred do. What comes
after a rest takes effect at once."""

_REST_SECONDS: Final = 1.0
_DROP_SECONDS: Final = 3600.0

_log = logging.getLogger(__name__)


async def work(platform: Platform, stop: asyncio.Event) -> None:
    """Let events take effect until `stop` is set. A database or a log that is away is waited for.

    Raises InvalidInput when the rules of the installation cannot be used.
    """
    checker = events.Checker(platform.data_dir)
    async with open_bus(platform.db, platform.settings) as bus:
        rules = RulesInForce(platform, bus)
        await rules.refresh()
        refresher, processor = Refresher(platform.db, bus, rules), Processor(bus, rules, checker.check)
        await asyncio.gather(
            consume(platform.db, bus, processor, batch=BATCH, pace_seconds=PACE_SECONDS, stop=stop),
            _again(refresher.refresh, _REST_SECONDS, stop),
            _again(rules.refresh, _REST_SECONDS, stop),
            _again(lambda: events.drop_settled(platform, now()), _DROP_SECONDS, stop),
            bus.keep(stop=stop),
        )


async def _again(piece: Callable[[], Awaitable[int]], rest_seconds: float, stop: asyncio.Event) -> None:
    """Do a piece of work over and over, with a rest when there is none left. One that fails is told of and
    tried again: events must go on taking effect meanwhile."""
    while not stop.is_set():
        done = 0
        try:
            done = await piece()
        except Unavailable as error:
            _log.warning("%s", error.message)
        except Exception:
            _log.exception("a piece of work failed, and is tried again in %g s", rest_seconds)
        if not done:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), rest_seconds)


async def fill(platform: Platform, stop: asyncio.Event) -> None:
    """Write what took effect to the lake until `stop` is set."""
    async with open_bus(platform.db, platform.settings) as bus:
        await fill_lake(platform.db, bus, Lake(platform.settings.lake_dir), stop=stop)


def serve(settings: Settings, service: Callable[[Platform, asyncio.Event], Awaitable[None]] = work) -> None:
    """Run a service in this process until SIGTERM or SIGINT; blocks."""

    async def until_told() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with running(settings) as platform:
            await service(platform, stop)

    # A batch makes many objects that live shortly, hardly any in circles: garbage is looked for seldom.
    gc.set_threshold(100_000, 20, 50)
    loop.run(until_told())
