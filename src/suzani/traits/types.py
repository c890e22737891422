"""What a trait is declared to be, and what of its events is kept for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any, Final, TypeAlias

from suzani.events import Event
from suzani.traits.windows import ALL_TIME, Window

DIGEST_BYTES: Final = 4

Pieces: TypeAlias = dict[int, Any]
"""What a cell keeps of each numbered piece of time."""

NOTHING: Final[Pieces] = {}
"""In the place of every cell that keeps nothing, never changed: most cells of most subjects keep nothing."""

Cells: TypeAlias = list[Pieces]
"""What is kept of one subject's events, cell by cell."""

Value: TypeAlias = int | float | str | bool | None
"""The value of a trait: whole where it can be, None where there is nothing to tell."""

Step: TypeAlias = Callable[[Pieces, int, Event, int], None]
"""Takes an event into a cell: its pieces, the number of the event's piece, the event, and as of when it
counts (microseconds)."""

Numbers: TypeAlias = dict[str, int]
"""The number of the piece that now is in, by clock."""

Read: TypeAlias = Callable[[Cells, Numbers], Value]
"""Reads a trait's value."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events count: their types and names (none: any), and conditions by place, as sorted JSON."""

    types: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    where: str = "{}"


@dataclass(frozen=True, slots=True)
class Measure:
    """Which events count, and what of them ('' for the events themselves)."""

    filter: Filter
    of: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """One declared trait; `to` is what a ratio is taken to, `declared` the fields as they were written."""

    name: str
    title: str
    kind: str
    measure: Measure
    window: Window = ALL_TIME
    to: Measure | None = None
    declared: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cell:
    """What one fold keeps of the events that a measure counts; traits that need the same cell share it.

    `zone` names the calendar of a clock that has one.
    """

    fold: str
    measure: Measure
    clock: str
    zone: str

    def digest(self) -> bytes:
        """Tells this cell from all others, in DIGEST_BYTES bytes."""
        text = json.dumps(asdict(self), sort_keys=True)
        return blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()


@dataclass(frozen=True, slots=True)
class Edge:
    """Time alone changes a value when the clock comes `after` pieces past a piece that a cell keeps."""

    slot: int
    clock: str
    after: int


@dataclass(frozen=True, slots=True)
class Reader:
    """How a trait is read, and what of the passing of time changes it.

    `depths`: by slot, how many pieces before the present one are read. `latest` is the slot of the latest
    event where the value grows by one every day.
    """

    read: Read
    depths: Mapping[int, int]
    edges: tuple[Edge, ...] = ()
    latest: int | None = None


@dataclass(slots=True)
class State:
    """What a plan keeps of one subject's events.

    `partial`: by slot of a cell that does not know of all events, how many pieces before the present one it
    knows all of; -1 for none. `trimmed`: when what no value can read any more was dropped last, as the number
    of the finest clock.
    """

    cells: Cells
    partial: Mapping[int, int] = field(default_factory=dict)
    trimmed: int | None = None
