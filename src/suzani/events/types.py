"""What an event is once it has been taken in, whichever way it came."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class EventType(StrEnum):
    """The calls of the Segment specification."""

    IDENTIFY = "identify"
    TRACK = "track"
    PAGE = "page"
    SCREEN = "screen"
    GROUP = "group"
    ALIAS = "alias"


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One interaction of somebody with the bank.

    `message`: 16 bytes, the digest of source and `message_id`; two events with the same one are one event.
    `name`: what happened (`track`) or what was looked at (`page`, `screen`); '' for the other types.
    `at`, `received_at`: microseconds since 1970 in UTC, the former corrected for the sender's clock.
    `channel`: web, app, branch, call_centre, card, chat, e-mail, …; that of the source unless the event says.
    """

    message: bytes
    message_id: str
    source: str
    type: EventType
    name: str
    at: int
    received_at: int
    channel: str = ""
    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    context: dict[str, Any] = {}
