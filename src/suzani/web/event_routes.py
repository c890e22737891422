"""Routes of events that could not be taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from suzani.events import Asked, QuarantineCount, Quarantined, Reason, quarantine_counts, quarantined
from suzani.infra.platform import Platform
from suzani.web.limits import LARGEST_ID

_SHOWN_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class QuarantinedEvent:
    """An event that could not be taken: why, where, and what its sender wrote (`raw`, at most 32 KB of it).

    `way`: how it came. `times`: how often it came, `at` first and `last_at` last.
    """

    quarantine_id: int
    source: str
    way: str
    reason: Reason
    place: str
    detail: str
    raw: str
    raw_bytes: int
    state: str
    times: int
    at: datetime
    last_at: datetime
    note: str | None


@dataclass(frozen=True, slots=True)
class QuarantineAnswer:
    """Events in quarantine, oldest first, and counts of all that are there."""

    events: list[QuarantinedEvent]
    counts: list[QuarantineCount]


def add_events(router: APIRouter, platform: Platform, problems: dict[Any, Any]) -> None:
    """Put the routes on the router."""

    @router.get("/events/quarantine", tags=["events"], responses={422: problems[422], 503: problems[503]})
    async def list_quarantine(
        source: Annotated[str | None, Query(max_length=60)] = None,
        reason: Reason | None = None,
        state: Literal["open", "replayed", "dismissed"] = "open",
        after: Annotated[int, Query(ge=0, le=LARGEST_ID, description="Those after this number")] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> QuarantineAnswer:
        """Events that could not be taken, and why; `suzani events quarantine` fixes and replays them."""
        async with platform.db.transaction() as tx:
            found = await quarantined(tx, Asked(source, reason, state, after=after, limit=limit))
            counts = await quarantine_counts(tx)
        return QuarantineAnswer([_shown(event) for event in found], counts)


def _shown(event: Quarantined) -> QuarantinedEvent:
    raw = event.raw[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")
    return QuarantinedEvent(
        event.quarantine_id, event.source, event.way, event.reason, event.place, event.detail, raw,
        len(event.raw), event.state, event.times, event.at, event.last_at, event.note,
    )  # fmt: skip
