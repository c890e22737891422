"""Events for tests, and what became of their identifiers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import msgspec

from suzani.events import Event, EventType
from suzani.infra.db import Query, Tx, fetch
from suzani.infra.platform import Platform
from suzani.stitching import Rules, Stitched, load_identifiers, stitch, tell
from suzani.stitching.types import Name

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
RULES = load_identifiers()
SECOND = 1_000_000
START = 1_790_000_000 * SECOND


def event(at: int, type: str = "track", source: str = "web", **said: Any) -> Event:  # noqa: A002
    """What happened in second `at`; no two events of a test are in the same."""
    moment = START + at * SECOND
    return Event(
        message=at.to_bytes(16, "big"), message_id=str(at), source=source, type=EventType(type),
        at=moment, received_at=moment, **{"name": "Thing Done", **said},
    )  # fmt: skip


def seen(at: int, **names: str | None) -> Event:
    """An event that says these identifiers, by kind."""
    direct = {name: names[name] for name in ("user_id", "anonymous_id") if names.get(name)}
    traits = {name: names[name] for name in ("email", "phone") if names.get(name)}
    device = {"id": names["device_id"]} if names.get("device_id") else {}
    properties = {"product_number": names["product_number"]} if names.get("product_number") else {}
    return event(at, **direct, properties=properties, context={"traits": traits, "device": device})


async def take(platform: Platform, *events: Event, rules: Rules = RULES) -> Stitched:
    """Stitch one batch in a transaction of its own, and let be told what it tells of users."""
    async with platform.db.transaction() as tx:
        stitched = await stitch(tx, rules, events, NOW)
        await tell(tx, rules, events, stitched, NOW)
        return stitched


async def rows(platform: Platform, text: str, **params: Any) -> list[dict[str, Any]]:
    async with platform.db.transaction() as tx:
        return await fetch(tx, Query(text), **params)


async def subjects(tx: Tx) -> dict[Name, int]:
    """The subject of every identifier."""
    found = await fetch(tx, Query("select kind, value, subject_id from stitching.identifier"))
    return {Name(row["kind"], row["value"]): row["subject_id"] for row in found}


async def together(platform: Platform) -> set[frozenset[str]]:
    """The identifiers of each subject."""
    async with platform.db.transaction() as tx:
        return parts(await subjects(tx))


def parts(subject_of: dict[Name, int]) -> set[frozenset[str]]:
    found: dict[int, set[str]] = {}
    for name, subject in subject_of.items():
        found.setdefault(subject, set()).add(name.value)
    return {frozenset(values) for values in found.values()}


def cut(events: Sequence[Event], places: Sequence[int]) -> list[Sequence[Event]]:
    """A stream as batches."""
    bounds = [0, *sorted({place % (len(events) + 1) for place in places}), len(events)]
    return [events[first:last] for first, last in pairwise(bounds) if first < last]


def renamed(known: Event, **fields: Any) -> Event:
    return msgspec.structs.replace(known, **fields)
