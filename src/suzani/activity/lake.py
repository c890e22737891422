"""Events in the lake: every event that took effect, once, by the day it happened."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa
from msgspec.structs import astuple

from suzani.activity.accepted import ACCEPTED
from suzani.infra.bus import Bus, Received, consume
from suzani.infra.db import Database, Tx
from suzani.infra.lake import Lake, keep, write
from suzani.kernel import now

EVENTS: Final = "events"
"""The dataset of events."""

REFUSED: Final = "events_refused"
"""The dataset of messages that are no events: none, unless something is wrong."""

EVENT_SCHEMA: Final = pa.schema(
    [
        ("message", pa.binary()),
        ("message_id", pa.string()),
        ("source", pa.string()),
        ("type", pa.string()),
        ("name", pa.string()),
        ("channel", pa.string()),
        ("at", pa.timestamp("us", "UTC")),
        ("received_at", pa.timestamp("us", "UTC")),
        ("user_id", pa.string()),
        ("anonymous_id", pa.string()),
        ("previous_id", pa.string()),
        ("group_id", pa.string()),
        ("identifier_id", pa.int64()),
        ("subject_id", pa.int64()),
        ("properties", pa.string()),
        ("traits", pa.string()),
        ("context", pa.string()),
    ]
)
"""One row an event; the last three columns are JSON. `subject_id` is whose the event was when it took effect:
who it is now, `identifier_id` tells."""

_BATCH: Final = 50_000
_PACE_SECONDS: Final = 30.0
_NOTHING: Final = msgspec.Raw(b"{}")


class _Event(msgspec.Struct, gc=False):
    """An event as it stands in a message, whose objects stay the JSON that they are."""

    message: bytes
    source: str
    type: str
    name: str
    at: int
    received_at: int
    message_id: str = ""
    channel: str = ""
    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    properties: msgspec.Raw = _NOTHING
    traits: msgspec.Raw = _NOTHING
    context: msgspec.Raw = _NOTHING


class _Accepted(msgspec.Struct, gc=False):
    identifier_id: int
    subject_id: int
    event: _Event


_decode = msgspec.json.Decoder(_Accepted).decode


class LakeWriter:
    """The consumer that writes accepted events to the lake."""

    name = "lake"
    topic = ACCEPTED

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    async def handle(self, tx: Tx, batch: Sequence[Received]) -> None:
        """Add a batch of events, to be shown once the transaction is committed."""
        await write(tx, self._lake, EVENTS, await asyncio.to_thread(events_table, batch), "at")

    async def refuse(self, tx: Tx, message: Received, error: Exception) -> None:
        """Keep a message that is no event, with the reason, in a dataset of its own."""
        refused = pa.table(
            {
                "refused_at": pa.array([now()], pa.timestamp("us", "UTC")),
                "error": [str(error)],
                "key": [message.key],
                "value": [message.value],
            }
        )
        await write(tx, self._lake, REFUSED, refused, "refused_at")


def events_table(batch: Sequence[Received]) -> pa.Table:
    """Accepted events as rows of `EVENT_SCHEMA`. Raises msgspec.DecodeError for anything else."""
    accepted = [_decode(message.value) for message in batch]
    rows = zip(*(astuple(one.event) for one in accepted), strict=True)
    columns: dict[str, Sequence[Any]] = dict(zip(_Event.__struct_fields__, rows, strict=True))
    columns |= {name: list(map(bytes, columns[name])) for name in ("properties", "traits", "context")}
    columns["identifier_id"] = [one.identifier_id for one in accepted]
    columns["subject_id"] = [one.subject_id for one in accepted]
    return pa.table(
        [pa.array(columns[field.name], field.type) for field in EVENT_SCHEMA], schema=EVENT_SCHEMA
    )


async def fill_lake(
    db: Database, bus: Bus, lake: Lake, *, stop: asyncio.Event, pace_seconds: float = _PACE_SECONDS
) -> None:
    """Write events to the lake and look after it, until told to stop: shown within a minute.

    To be run in one process; in several they share the work.
    """
    writer = LakeWriter(lake)
    async with asyncio.TaskGroup() as group:
        group.create_task(keep(db, lake, stop=stop))
        group.create_task(consume(db, bus, writer, stop=stop, batch=_BATCH, pace_seconds=pace_seconds))
