"""What an event is once it has been taken in, whichever way it came, and what may be wrong with one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from suzani.kernel import InvalidInput


class EventType(StrEnum):
    """The calls of the Segment specification."""

    IDENTIFY = "identify"
    TRACK = "track"
    PAGE = "page"
    SCREEN = "screen"
    GROUP = "group"
    ALIAS = "alias"


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One interaction of somebody with the bank.

    `message`: 16 bytes, the digest of source and `message_id`; two events with the same one are one event.
    `name`: what happened (`track`) or what was looked at (`page`, `screen`); '' for the other types.
    `at`, `received_at`: microseconds since 1970 in UTC, the former corrected for the sender's clock.
    `channel`: web, app, branch, call_centre, card, chat, e-mail, …; that of the source unless the event says.
    """

    message: bytes
    message_id: str = ""
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
    integrations: dict[str, Any] = {}


class Reason(StrEnum):
    """Why an event is in quarantine."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    UNKNOWN_TYPE = "unknown_type"
    MISSING_NAME = "missing_name"
    MISSING_IDENTITY = "missing_identity"
    UNPLANNED = "unplanned"
    SCHEMA = "schema"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with an event: `place` is where (`properties.amount`), `detail` what."""

    reason: Reason
    place: str
    detail: str

    def __str__(self) -> str:
        return f"{self.place}: {self.detail}" if self.place else self.detail


class Malformed(InvalidInput):
    """Something that is not an event; `violation` says why."""

    status_code = 400

    def __init__(self, violation: Violation, hint: str = "") -> None:
        super().__init__(str(violation), hint=hint)
        self.violation = violation
        if violation.reason is Reason.TOO_LARGE:
            self.status_code = 413
