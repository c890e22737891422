"""A mapping where none was written: columns by the names that they usually have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as Values
from typing import Any, Final

from suzani.events.mapping import Mapping, Place
from suzani.events.types import EventType
from suzani.kernel import InvalidInput

_NAMES: Final = {
    "event": ("event", "eventname", "eventtype", "action", "activity", "operation"),
    "user_id": ("userid", "clientid", "customerid", "clientno", "customerno", "client", "customer", "user"),
    "anonymous_id": ("anonymousid", "visitorid", "cookieid", "cookie"),
    "message_id": ("messageid", "eventid", "transactionid", "txid", "operationid", "uuid", "id"),
    "timestamp": (
        "timestamp", "originaltimestamp", "eventtime", "eventtimestamp", "occurredat", "happenedat", "time",
        "datetime", "ts", "createdat", "date",
    ),
    "channel": ("channel",),
}  # fmt: skip
"""For each field of an event the column names it is looked for under, best first."""

_SEGMENTS: Final = ("type", "userId", "anonymousId")


def guess_mapping(columns: Iterable[str], event: str | None) -> Mapping:
    """The mapping that column names suggest; `event` names all events where no column does.

    Raises InvalidInput where nothing tells what happened.
    """
    by_name = {re.sub(r"[^a-z0-9]", "", column.lower()): column for column in columns}
    found: dict[str, Any] = {
        field: next((by_name[name] for name in names if name in by_name), None)
        for field, names in _NAMES.items()
    }
    if event is not None:
        found["event"] = Place(value=event)
    if found["event"] is None:
        raise InvalidInput(
            "no column tells what happened",
            hint="Give --event NAME, or a --mapping (docs/events.md); columns: "
            + ", ".join(by_name.values()),
        )
    return Mapping(**found)


def is_event(record: Values[str, Any]) -> bool:
    """Whether a record is an event already, as Segment's clients and exports have them."""
    return record.get("type") in list(EventType) and any(record.get(name) for name in _SEGMENTS[1:])
