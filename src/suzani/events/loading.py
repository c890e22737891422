"""Loading files of events: stopped, a load goes on where it was; repeated, it changes nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path
from typing import Any

from suzani.events import store
from suzani.events.envelope import TOPIC
from suzani.events.mapping import Mapping
from suzani.events.moments import microseconds_of
from suzani.events.records import AT_ONCE, Record, is_typed, read_records
from suzani.events.shaping import Shaper, events_by
from suzani.infra.bus import Bus
from suzani.infra.platform import Platform
from suzani.kernel import Conflict, InvalidInput, now
from suzani.sources.mapping import Format


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What a file is: its source, channel and mapping (None: guessed); `event` where all have one name."""

    source: str
    channel: str = ""
    mapping: Mapping | None = None
    event: str | None = None


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of the rows of a file: `rows = accepted + quarantined`. `known`: it was loaded before."""

    source: str
    file: str
    rows: int
    accepted: int
    quarantined: int
    seconds: float
    resumed: bool = False
    known: bool = False


@dataclass(slots=True)
class _Position:
    """How far a load is."""

    load_id: int
    rows: int
    accepted: int
    quarantined: int

    def move(self, rows: int, quarantined: int) -> None:
        self.rows += rows
        self.accepted += rows - quarantined
        self.quarantined += quarantined


async def load(
    platform: Platform,
    bus: Bus,
    path: Path,
    options: LoadOptions,
    progress: Callable[[int], None] = lambda rows: None,
) -> LoadReport:
    """Put a file's events on the log; `progress` is told the rows so far.

    Some thousand rows at a time, each with the load's position in one transaction. A row without an id of its
    own has one by its content, and so is the same event in every file that has it.
    Raises InvalidInput when the file cannot be read, Conflict when it is being loaded already.
    """
    started = time.monotonic()
    digest = await asyncio.to_thread(_digest, path, options)
    async with platform.db.transaction() as tx:
        begun = await store.begin_load(tx, options.source, str(path), digest, now())
    at = _Position(begun["load_id"], begun["rows_read"], begun["rows_accepted"], begun["rows_quarantined"])
    is_known, is_resumed = begun["state"] == "done", at.rows > 0
    if not is_known:
        shaper, records = _opened(path, options, digest)
        rest = islice(records, at.rows, None)
        while some := await asyncio.to_thread(lambda: list(islice(rest, AT_ONCE))):
            await _take(platform, bus, shaper, some, at)
            progress(at.rows)
        async with platform.db.transaction() as tx:
            await store.finish_load(tx, at.load_id, now())
    return LoadReport(
        options.source, str(path), at.rows, at.accepted, at.quarantined, time.monotonic() - started,
        is_resumed and not is_known, is_known,
    )  # fmt: skip


async def _take(platform: Platform, bus: Bus, shaper: Shaper, some: list[Record], at: _Position) -> None:
    """Put some rows on the log or into quarantine, and move on."""
    received = now()
    taken = shaper.sort(some, microseconds_of(received))
    quarantined = len({refused.way for refused in taken.refused})
    async with platform.db.transaction() as tx:
        await store.keep(tx, taken.refused, received)
        if not await store.move_load(tx, at.load_id, at.rows, len(some) - quarantined, quarantined):
            raise Conflict("the file is being loaded already", hint="Wait until that has ended.")
        await bus.append(tx, TOPIC, taken.messages)
    at.move(len(some), quarantined)


def _opened(path: Path, options: LoadOptions, digest: bytes) -> tuple[Shaper, Iterator[Record]]:
    """The records of a file, and how they become events; its first ones tell where no mapping does."""
    form = options.mapping.file_format() if options.mapping else Format()
    records = read_records(path, form)
    first = list(islice(records, AT_ONCE))
    events = events_by(options.mapping, options.event, first, is_typed=is_typed(path, form))
    channel = options.channel or options.source
    return Shaper(options.source, channel, events, f"{path.name}, row", digest), chain(first, records)


def _digest(path: Path, options: LoadOptions) -> bytes:
    """16 bytes of the file's content and of how it is read."""
    how: tuple[Any, ...] = (options.channel, options.mapping, options.event)
    found = blake2b(repr(how).encode(), digest_size=16)
    try:
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                found.update(part)
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror or error}") from error
    return found.digest()
