"""Kinds of traits: which cells each needs, and how its value is read from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from suzani.traits import sketches
from suzani.traits.calendar import ALWAYS, SECOND_US, Calendar
from suzani.traits.folds import hash_limit, tally_limit
from suzani.traits.numbers import MILLIONTHS, unscaled
from suzani.traits.types import Cells, Definition, Edge, Measure, Numbers, Reader, Value
from suzani.traits.windows import ALL_TIME, FEW_PIECES, PIECES, Window

STREAK_DAYS: Final = 366
"""The longest streak that is counted unless the trait says otherwise."""

TIME: Final = "at"
"""What `of` says where first and last tell when, rather than what."""

Need = Callable[[str, Measure, Window], int]
"""Gives the slot of a cell that holds a fold of a measure over a window at least."""

Build = Callable[[Definition, Need, Calendar], Reader]


@dataclass(frozen=True, slots=True)
class Kind:
    """`of`: whether a place in the event must be named (True), may be (None), or may not (False);
    `window` and `to` likewise. `pieces`: at least how many a sliding window has."""

    build: Build
    of: bool | None
    window: bool | None = None
    to: bool = False
    pieces: int = PIECES


def _within(slot: int, window: Window) -> Callable[[Cells, Numbers], list[Any]]:
    """What a cell keeps of the pieces in a window."""
    clock, first, last = window.clock, window.first, window.last
    if clock == ALWAYS:
        return lambda cells, now: list(cells[slot].values())

    def pieces(cells: Cells, now: Numbers) -> list[Any]:
        cell = cells[slot]
        if not cell:
            return []
        least, most = now[clock] - first, now[clock] - last
        return [kept for piece, kept in cell.items() if least <= piece <= most]

    return pieces


def _edges(slot: int, *windows: Window) -> tuple[Edge, ...]:
    """When a piece comes into one of the windows, all of one clock, and when it leaves it."""
    clock = windows[0].clock
    moments = {after for window in windows for after in (window.last, window.first + 1)}
    return () if clock == ALWAYS else tuple(Edge(slot, clock, after) for after in sorted(moments))


def _folded(fold: str, combine: Callable[[list[Any]], Value]) -> Build:
    """A kind with one cell, whose pieces in the window are put together."""

    def build(trait: Definition, need: Need, calendar: Calendar) -> Reader:
        window = trait.window
        slot, nothing = need(fold, trait.measure, window), combine([])
        clock, first, last = window.clock, window.first, window.last

        def read_all(cells: Cells, now: Numbers) -> Value:
            cell = cells[slot]
            return combine(list(cell.values())) if cell else nothing

        def read(cells: Cells, now: Numbers) -> Value:
            cell = cells[slot]
            if not cell:
                return nothing
            least, most = now[clock] - first, now[clock] - last
            return combine([kept for piece, kept in cell.items() if least <= piece <= most])

        return Reader(read_all if clock == ALWAYS else read, {slot: first}, _edges(slot, window))

    return build


def _added_up(found: list[int]) -> Value:
    return unscaled(sum(found))


def _least(found: list[int]) -> Value:
    return unscaled(min(found)) if found else None


def _greatest(found: list[int]) -> Value:
    return unscaled(max(found)) if found else None


def _average(trait: Definition, need: Need, calendar: Calendar) -> Reader:
    sums, counts = need("sum", trait.measure, trait.window), need("numbers", trait.measure, trait.window)
    total, count = _within(sums, trait.window), _within(counts, trait.window)

    def read(cells: Cells, now: Numbers) -> Value:
        events = sum(count(cells, now))
        return sum(total(cells, now)) / (events * MILLIONTHS) if events else None

    return Reader(read, dict.fromkeys((sums, counts), trait.window.first), _edges(counts, trait.window))


def _remembered(fold: str, time_fold: str, better: Callable[[Iterable[Any]], Any]) -> Build:
    """First or last: a value, or (`of: at`) the time."""
    value = _folded(fold, lambda found: better(found)[2] if found else None)
    time = _folded(time_fold, lambda found: _time(better(found)) if found else None)

    def build(trait: Definition, need: Need, calendar: Calendar) -> Reader:
        if trait.measure.of != TIME:
            return value(trait, need, calendar)
        return time(replace(trait, measure=Measure(trait.measure.filter)), need, calendar)

    return build


def _time(at: int) -> str:
    seconds, rest = divmod(at, SECOND_US)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{rest // 1000:03}Z"


def _most_frequent(trait: Definition, need: Need, calendar: Calendar) -> Reader:
    limit = tally_limit(trait.window.clock)
    return _folded("tally", lambda found: sketches.most_frequent(found, limit))(trait, need, calendar)


def _distinct(trait: Definition, need: Need, calendar: Calendar) -> Reader:
    limit = hash_limit(trait.window.clock)
    return _folded("distinct", lambda found: sketches.count_distinct(found, limit))(trait, need, calendar)


def _streak(trait: Definition, need: Need, calendar: Calendar) -> Reader:
    """Days in a row up to today, or up to yesterday while today has none yet; at most the window's days."""
    longest = trait.window.count
    slot = need("count", trait.measure, Window("day", longest))

    def read(cells: Cells, now: Numbers) -> Value:
        days, today = cells[slot], now["day"]
        last = today if today in days else today - 1
        first = last
        while first in days and last - first < longest:
            first -= 1
        return last - first

    return Reader(read, {slot: longest}, (Edge(slot, "day", 0), Edge(slot, "day", 2)))


def _days_since(trait: Definition, need: Need, calendar: Calendar) -> Reader:
    """Calendar days from the latest event to today: 0 today, 1 for yesterday, however late it was."""
    slot = need("latest", trait.measure, ALL_TIME)

    def read(cells: Cells, now: Numbers) -> Value:
        at = cells[slot].get(0)
        return None if at is None else max(now["day"] - calendar.day(at), 0)

    return Reader(read, {slot: 0}, latest=slot)


def _summed(measure: Measure) -> str:
    return "sum" if measure.of else "count"


def _ratio(trait: Definition, need: Need, calendar: Calendar) -> Reader:
    to = trait.to or trait.measure
    above = need(_summed(trait.measure), trait.measure, trait.window)
    below = need(_summed(to), to, trait.window)
    part, whole = _within(above, trait.window), _within(below, trait.window)
    scale = _scale(to) / _scale(trait.measure)

    def read(cells: Cells, now: Numbers) -> Value:
        total = sum(whole(cells, now))
        return sum(part(cells, now)) / total * scale if total else None

    edges = _edges(above, trait.window) + _edges(below, trait.window)
    return Reader(read, dict.fromkeys((above, below), trait.window.first), edges)


def _scale(measure: Measure) -> int:
    return MILLIONTHS if measure.of else 1


def _trend(trait: Definition, need: Need, calendar: Calendar) -> Reader:
    """By what share of the window before the present one is more (0.5: half as much again) or less."""
    before = trait.window.before()
    slot = need(_summed(trait.measure), trait.measure, Window(before.clock, before.first))
    present, past = _within(slot, trait.window), _within(slot, before)

    def read(cells: Cells, now: Numbers) -> Value:
        base = sum(past(cells, now))
        return (sum(present(cells, now)) - base) / abs(base) if base else None

    return Reader(read, {slot: before.first}, _edges(slot, trait.window, before))


KINDS: Final[Mapping[str, Kind]] = {
    "count": Kind(_folded("count", sum), of=False),
    "sum": Kind(_folded("sum", _added_up), of=True),
    "average": Kind(_average, of=True),
    "min": Kind(_folded("min", _least), of=True),
    "max": Kind(_folded("max", _greatest), of=True),
    "first": Kind(_remembered("first", "earliest", min), of=True),
    "last": Kind(_remembered("last", "latest", max), of=True),
    "most_frequent": Kind(_most_frequent, of=True, pieces=FEW_PIECES),
    "distinct": Kind(_distinct, of=True, pieces=FEW_PIECES),
    "streak": Kind(_streak, of=False),
    "days_since": Kind(_days_since, of=False, window=False),
    "ratio": Kind(_ratio, of=None, to=True),
    "trend": Kind(_trend, of=None, window=True),
}
"""Every kind of trait by name."""
