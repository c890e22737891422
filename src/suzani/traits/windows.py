"""Windows: which stretch of time a trait looks at, as a range of numbered pieces back from now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from suzani.kernel import InvalidInput, NotFound
from suzani.traits.calendar import ALWAYS, DAY_US, FIXED, HOUR_US, MINUTE_US, days_clock

PIECES: Final = 24
"""At least how many pieces a sliding window has."""

FEW_PIECES: Final = 12
"""The same for what keeps values rather than a number of each piece."""

_LENGTH = re.compile(r"(\d{1,5})\s*([mhdw])")
_UNITS: Final = {"m": MINUTE_US, "h": HOUR_US, "d": DAY_US, "w": 7 * DAY_US}
_LONGEST_DAYS: Final = 1100


@dataclass(frozen=True, slots=True)
class Window:
    """The pieces `now - first` to `now - last` of a clock, both included; first >= last >= 0."""

    clock: str
    first: int
    last: int = 0

    @property
    def count(self) -> int:
        """How many pieces there are."""
        return self.first - self.last + 1

    def before(self) -> Window:
        """The window of the same length that ends where this one begins."""
        return Window(self.clock, self.first + self.count, self.first + 1)


ALL_TIME: Final = Window(ALWAYS, 0)

CALENDAR: Final = {
    "all": ALL_TIME,
    "today": Window("day", 0),
    "yesterday": Window("day", 1, 1),
    "this week": Window("week", 0),
    "last week": Window("week", 1, 1),
    "this month": Window("month", 0),
    "last month": Window("month", 1, 1),
    "this quarter": Window("quarter", 0),
    "last quarter": Window("quarter", 1, 1),
    "this year": Window("year", 0),
    "last year": Window("year", 1, 1),
}
"""Windows by name; they begin and end with the bank's calendar."""


def parse_window(text: str, least: int = PIECES) -> Window:
    """A window by name, or a sliding one by its length: `90m`, `24h`, `7d`, `4w`.

    A sliding window is made of pieces of the coarsest clock that fits `least` times or more. It holds the
    piece that now is in and the ones before, so that it is shorter than its length by at most one piece.
    Raises InvalidInput.
    """
    if text in CALENDAR:
        return CALENDAR[text]
    found = _LENGTH.fullmatch(text)
    if found is None:
        known = NotFound.among("window", text, CALENDAR)
        raise InvalidInput(known.message, hint=f"{known.hint} Or a length: 90m, 24h, 7d, 4w.")
    length = int(found[1]) * _UNITS[found[2]]
    if not PIECES * MINUTE_US <= length <= _LONGEST_DAYS * DAY_US:
        raise InvalidInput(f"window {text!r} is too short or too long", hint="From 24m to 1100d.")
    days, rest = divmod(length, DAY_US)
    return _fixed(length, least, text) if rest or days < least else _of_days(days, least)


def _of_days(days: int, least: int) -> Window:
    """Whole days; several in one piece where few pieces will do."""
    size = 1 if least == PIECES else max(n for n in range(1, days // least + 1) if days % n == 0)
    return Window(days_clock(size), days // size - 1)


def _fixed(length: int, least: int, text: str) -> Window:
    clock, size = [(name, size) for name, size in FIXED.items() if length >= least * size][-1]
    pieces, rest = divmod(length, size)
    if rest:
        problem = f"window {text!r} is not a whole number of its pieces of {clock}"
        raise InvalidInput(problem, hint=f"Say {pieces * size // MINUTE_US}m, or more.")
    return Window(clock, pieces - 1)
