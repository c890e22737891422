"""What activity gives to others: the timeline of a subject, and the profile that channels read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


class Cursor(NamedTuple):
    """A place in a timeline: everything before it is older."""

    at: datetime
    message: UUID


@dataclass(frozen=True, slots=True)
class TimelineFilter:
    """Which events of a timeline are wanted; what is empty or None filters nothing.

    `text` is looked for in the event's name and in everything it says, whatever the case. `since` is
    included, `until` is not.
    """

    channels: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event as people look at it. `body`: properties, traits, context and ids, as far as known."""

    message: UUID
    at: datetime
    received_at: datetime
    source: str
    type: str
    name: str
    channel: str
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Some entries, newest first, and where to go on; `next` is None at the end."""

    entries: tuple[TimelineEntry, ...]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Facet:
    """How many events of a subject have a channel and a name."""

    channel: str
    type: str
    name: str
    events: int
