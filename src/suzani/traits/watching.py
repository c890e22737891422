"""When values change by time alone: events leave windows, and days go by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from suzani.traits.calendar import Calendar
from suzani.traits.types import NOTHING, Numbers, Pieces, Reader, State

Thresholds: TypeAlias = Mapping[str, Sequence[float]]
"""By trait, the values at which something depends on it."""


class Watch:
    """Tells when one of some traits may next change: never too late, though nothing may change then.

    Of traits that grow by one a day only the days on which a threshold is passed count.
    """

    def __init__(
        self, readers: Mapping[str, Reader], calendar: Calendar, thresholds: Thresholds | None
    ) -> None:
        watched = {name: found for name, found in readers.items() if thresholds is None or name in thresholds}
        self._calendar = calendar
        edges: dict[tuple[int, str], set[int]] = {}
        for reader in watched.values():
            for edge in reader.edges:
                edges.setdefault((edge.slot, edge.clock), set()).add(edge.after)
        self._edges = [(slot, clock, sorted(after)) for (slot, clock), after in edges.items()]
        self._latest = [
            (found.latest, None if thresholds is None else sorted(thresholds[name]))
            for name, found in watched.items()
            if found.latest is not None
        ]

    def next_change(self, state: State, now: Numbers) -> int | None:
        """When a watched value may next change, in microseconds; None when it never does."""
        due: dict[str, int] = {}
        for slot, clock, after in self._edges:
            pieces = state.cells[slot]
            if pieces:
                number = _next(pieces, after, now[clock])
                if number is not None and number < due.get(clock, number + 1):
                    due[clock] = number
        day = self._next_day(state, now["day"])
        if day is not None:
            due["day"] = min(day, due.get("day", day))
        return min((self._calendar.start(clock, number) for clock, number in due.items()), default=None)

    def soonest(self, now: Numbers, as_of: int) -> int | None:
        """When a watched value may next change by time alone because of an event that happens at `as_of`."""
        slots = [slot for slot, _, _ in self._edges] + [slot for slot, _ in self._latest]
        cells = [NOTHING] * (max(slots, default=-1) + 1)
        for slot, clock, _ in self._edges:
            cells[slot] = {now[clock]: 1}
        for slot, _ in self._latest:
            cells[slot] = {0: as_of}
        return self.next_change(State(cells), now)

    def _next_day(self, state: State, today: int) -> int | None:
        """The first day on which a number of days since an event passes one of its thresholds."""
        found = []
        for slot, thresholds in self._latest:
            at = state.cells[slot].get(0)
            if at is not None:
                day = self._calendar.day(at)
                found.append(max(today, day) + 1 if thresholds is None else _passed(day, thresholds, today))
        return min((day for day in found if day is not None), default=None)


def _next(pieces: Pieces, afters: Sequence[int], now: int) -> int | None:
    """The first number after `now` that comes `afters` past one of the pieces."""
    first, last = min(pieces), max(pieces)
    least = None
    for after in afters:
        if last + after > now:
            found = first + after
            if found <= now:
                found = min(piece for piece in pieces if piece + after > now) + after
            if least is None or found < least:
                least = found
    return least


def _passed(day: int, thresholds: Sequence[float], today: int) -> int | None:
    """Compared as `more than 3` and as `3 or more`, what grows by one a day matters on days 3 and 4."""
    days = (day + int(limit) + more for limit in thresholds for more in (0, 1))
    return min((found for found in days if found > today), default=None)
