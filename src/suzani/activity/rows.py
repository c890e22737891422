"""Events as rows of `activity.event` and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from suzani.events import Event, EventType

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

EVENT_COLUMNS: Final = (
    ("message", "uuid"),
    ("identifier_id", "int8"),
    ("at", "timestamptz"),
    ("received_at", "timestamptz"),
    ("source", "text"),
    ("type", "text"),
    ("name", "text"),
    ("channel", "text"),
    ("body", "json"),
)
"""Columns of `activity.event` with their types, in the order of `row_of`."""


class _Body(msgspec.Struct, omit_defaults=True, frozen=True, gc=False):
    message_id: str = ""
    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    context: dict[str, Any] = {}


_encode = msgspec.json.Encoder().encode


def instant(microseconds: int) -> datetime:
    """Microseconds since 1970 as an aware time."""
    return EPOCH + timedelta(microseconds=microseconds)


def microseconds(at: datetime) -> int:
    """An aware time as microseconds since 1970."""
    return (at - EPOCH) // _MICROSECOND


def row_of(event: Event, identifier_id: int) -> tuple[Any, ...]:
    """The row of an event that is attributed to an identifier."""
    body = _Body(
        event.message_id,
        event.user_id,
        event.anonymous_id,
        event.previous_id,
        event.group_id,
        event.properties,
        event.traits,
        event.context,
    )
    return (
        UUID(bytes=event.message),
        identifier_id,
        instant(event.at),
        instant(event.received_at),
        event.source,
        event.type.value,
        event.name,
        event.channel,
        _encode(body),
    )


def event_of(row: Mapping[str, Any]) -> Event:
    """The event of a row, as it was taken in."""
    body = msgspec.convert(row["body"], _Body)
    return Event(
        message=row["message"].bytes,
        source=row["source"],
        type=EventType(row["type"]),
        name=row["name"],
        at=microseconds(row["at"]),
        received_at=microseconds(row["received_at"]),
        channel=row["channel"],
        **msgspec.structs.asdict(body),
    )
