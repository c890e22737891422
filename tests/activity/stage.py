"""A platform through which events go a step at a time: taken in, processed, refreshed, when the test says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from suzani import events, stitching
from suzani.activity import Asked, RulesInForce, find_subject, profile_views, selection
from suzani.activity.processing import Processor
from suzani.activity.refreshing import Refresher
from suzani.activity.rows import microseconds
from suzani.activity.view import PARTS
from suzani.infra import keys
from suzani.infra.bus import Bus, Received, open_bus
from suzani.infra.platform import Platform
from suzani.kernel import SuzaniError, now
from suzani.profiles import load_survivorship, rebuild_all
from tests.profiles import bank

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

Json = dict[str, Any]


def track(name: str, user: str | None = None, anonymous: str | None = None, **fields: Any) -> Json:
    """An event as an SDK sends it; `at` is its timestamp."""
    at: datetime | None = fields.pop("at", None)
    found: Json = {"type": fields.pop("type", "track"), "event": name, **fields}
    if user is not None:
        found["userId"] = user
    if anonymous is not None:
        found["anonymousId"] = anonymous
    return found | ({"timestamp": at.isoformat()} if at else {})


class Stage:
    """Events on their way, and the time that it is."""

    def __init__(
        self, platform: Platform, bus: Bus, intake: events.Intake, key: str, rules: RulesInForce
    ) -> None:
        self.platform, self.bus, self.rules, self.now = platform, bus, rules, START
        self._intake, self._key, self._numbers = intake, key, 0
        self._read: dict[tuple[str, int], int] = {}
        checker = events.Checker(platform.data_dir)
        self.processor = Processor(bus, rules, checker.check, lambda: self.now)
        self.refresher = Refresher(platform.db, bus, rules, lambda: self.now)

    async def send(self, *sent: Json) -> None:
        """Take events in, each with a message id of its own unless it has one, at the present time."""
        for event in sent:
            self._numbers += 1
            event.setdefault("messageId", f"m{self._numbers}")
        body = msgspec.json.encode({"writeKey": self._key, "batch": list(sent)})
        await self._intake.take("", body, microseconds(self.now))

    async def read(self, topic: str) -> list[Received]:
        """What was appended to a topic since this was last asked."""
        async with self.platform.db.transaction() as tx:
            ends = await self.bus.ends(tx, topic)
            starts = {partition: self._read.get((topic, partition), 0) for partition in ends}
            spans = {partition: range(starts[partition], end) for partition, end in ends.items()}
            found = await self.bus.read(tx, topic, spans)
        self._read |= {(topic, partition): end for partition, end in ends.items()}
        return found

    async def process(self, batch: int = 1_000) -> None:
        """Let what was taken in take effect, so many at a time."""
        found = await self.read(events.TOPIC)
        for start in range(0, len(found), batch):
            async with self.platform.db.transaction() as tx:
                await self.processor.handle(tx, found[start : start + batch])

    async def happen(self, *sent: Json) -> None:
        """Take events in and let them take effect."""
        await self.send(*sent)
        await self.process()

    async def refresh(self) -> int:
        """Bring everything up to date; returns how many subjects were gone through."""
        subjects = 0
        while found := await self.refresher.refresh():
            subjects += found
        return subjects

    async def view(self, name: str, fields: str | None = None) -> Json:
        """The profile of somebody now."""
        asked = Asked(name, selection(fields, PARTS))
        async with self.platform.db.transaction() as tx:
            [found] = await profile_views(tx, self.rules(), [asked], self.now)
        if isinstance(found, SuzaniError):
            raise found
        return found

    async def subject(self, name: str) -> stitching.Subject:
        """Who somebody is."""
        async with self.platform.db.transaction() as tx:
            return await find_subject(tx, self.rules(), name)

    async def kept(self) -> list[Json]:
        """Every event that is kept."""
        async with self.platform.db.transaction() as tx:
            rows = await tx.execute("select * from activity.event order by at, message")
            return await rows.fetchall()

    async def quarantined(self) -> list[Json]:
        """What is in quarantine."""
        async with self.platform.db.transaction() as tx:
            rows = await tx.execute("select * from events.quarantine order by quarantine_id")
            return await rows.fetchall()


@asynccontextmanager
async def opened(platform: Platform) -> AsyncIterator[Stage]:
    """A stage on a platform."""
    async with platform.db.transaction() as tx:
        _, key = await keys.create_key(tx, "source", "site", now(), {"channel": "web"})
    async with (
        open_bus(platform.db, platform.settings) as bus,
        events.open_intake(platform, bus) as intake,
    ):
        rules = RulesInForce(platform, bus)
        await rules.refresh()
        yield Stage(platform, bus, intake, key, rules)


async def with_a_bank(stage: Stage) -> None:
    """The tiny bank, with its profiles and a subject for each person."""
    async with stage.platform.db.transaction() as tx:
        await bank.fill(tx)
    async with stage.platform.db.transaction() as tx:
        await rebuild_all(tx, load_survivorship(), bank.NOW)
    await stitching.follow(stage.platform)
    await stage.refresh()
