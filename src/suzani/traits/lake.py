"""Events as the lake keeps them, read back, so that states can be made anew of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pyarrow as pa

from suzani.events import Event, EventType

COLUMNS: Final = (
    "message", "source", "type", "name", "channel", "at", "received_at", "user_id", "anonymous_id",
    "properties", "traits", "context",
)  # fmt: skip
"""The columns that are read; the last three hold JSON objects as text, or null."""

_TIMES: Final = ("at", "received_at")
_object = msgspec.json.Decoder(dict[str, Any]).decode


def read_events(batch: pa.RecordBatch) -> Iterator[Event]:
    """The events of some rows of the lake, in their order; times as timestamps or as microseconds.

    `message_id` is empty, as the lake keeps its digest alone.
    """
    columns = [_plain(batch.column(name), name) for name in COLUMNS]
    for message, source, kind, name, channel, at, received_at, user, visitor, *objects in zip(
        *columns, strict=True
    ):
        properties, traits, context = (_object(text) if text else {} for text in objects)
        yield Event(
            message=message,
            message_id="",
            source=source,
            type=EventType(kind),
            name=name,
            at=at,
            received_at=received_at,
            channel=channel,
            user_id=user,
            anonymous_id=visitor,
            properties=properties,
            traits=traits,
            context=context,
        )


def _plain(column: pa.Array, name: str) -> list[Any]:
    if name in _TIMES and pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64())
    values: list[Any] = column.to_pylist()
    return values
