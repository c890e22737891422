"""Time cut into numbered pieces, in the bank's time zone: what traits are counted by.

A *clock* numbers the pieces of one size; the number grows with time. All times are microseconds since 1970
in UTC.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from suzani.kernel import InvalidInput

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US

_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_PROBE_DAYS: Final = 7
_EARLIEST_DAY, _LATEST_DAY = 1 - _EPOCH_ORDINAL, date.max.toordinal() - _EPOCH_ORDINAL

FIXED: Final = {
    "1m": MINUTE_US, "5m": 5 * MINUTE_US, "15m": 15 * MINUTE_US, "1h": HOUR_US, "6h": 6 * HOUR_US
}  # fmt: skip
"""Pieces of one length, counted from 1970 in UTC."""

LOCAL: Final = ("day", "week", "month", "quarter", "year")
"""Pieces of the bank's calendar; a week begins on Monday. Beside them there are `2 days`, `3 days`, ….
"""

ALWAYS: Final = "always"
"""The clock that stands still: all time is one piece, number 0."""

Numbering = Callable[[int], int]
"""The number of the piece that a time falls into."""


@dataclass(frozen=True)
class Calendar:
    """The bank's time zone, and the clocks in it: those of FIXED and LOCAL, `days_clock` and ALWAYS."""

    zone_name: str

    def clock(self, name: str) -> Numbering:
        """What numbers times by a clock."""
        if name == ALWAYS:
            return lambda at: 0
        if name in FIXED:
            size = FIXED[name]
            return lambda at: at // size
        day = self.day
        if name == "day":
            return day
        if name in LOCAL:
            of_day = _PIECE_OF_DAY[name]
            return lambda at: of_day(day(at))
        size = _days(name)
        return lambda at: day(at) // size

    def start(self, clock: str, number: int) -> int:
        """When a piece begins; ALWAYS has no beginning and may not be asked."""
        if clock in FIXED:
            return number * FIXED[clock]
        return self.midnight(_first_day(clock, number))

    def day(self, at: int) -> int:
        """The day of a time as the bank counts days, from 0 for 1970-01-01."""
        starts, offsets = self._offsets
        return (at + offsets[bisect_right(starts, at)]) // DAY_US

    def midnight(self, day: int) -> int:
        """When a day begins: at midnight, or right after it where clocks are put forward over it."""
        return self._midnights(day)

    @cached_property
    def _midnights(self) -> Callable[[int], int]:
        return lru_cache(4096)(self._midnight)

    def _midnight(self, day: int) -> int:
        starts, offsets = self._offsets
        local = day * DAY_US
        near = range(bisect_right(starts, local - 2 * DAY_US), bisect_right(starts, local + 2 * DAY_US) + 1)
        candidates = {local - offsets[i] for i in near} | {starts[i] for i in near if i < len(starts)}
        return min(at for at in candidates if self.day(at) >= day)

    def today(self, at: int) -> date:
        """The date of a time."""
        return date_of(self.day(at))

    @cached_property
    def _offsets(self) -> tuple[list[int], list[int]]:
        """When the offset from UTC changes, and the offsets before, between and after."""
        zone = ZoneInfo(self.zone_name)
        starts: list[int] = []
        probe = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
        offsets = [_offset(zone, probe)]
        while probe.year < _LAST_YEAR:
            after = probe + timedelta(days=_PROBE_DAYS)
            if (offset := _offset(zone, after)) != offsets[-1]:
                starts.append(_change(zone, probe, after))
                offsets.append(offset)
            probe = after
        return starts, offsets


def calendar(zone_name: str) -> Calendar:
    """The calendar of a time zone. Raises InvalidInput for an unknown one."""
    try:
        ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(f"unknown time zone {zone_name!r}", hint="Example: Asia/Tashkent") from error
    return Calendar(zone_name)


def days_clock(size: int) -> str:
    """The clock whose pieces are so many days of the bank's calendar."""
    return "day" if size == 1 else f"{size} days"


def _days(clock: str) -> int:
    return int(clock.removesuffix(" days"))


def date_of(day: int) -> date:
    """The date of a day counted from 1970-01-01; days that no date has become the nearest that one has."""
    return date.fromordinal(min(max(day, _EARLIEST_DAY), _LATEST_DAY) + _EPOCH_ORDINAL)


def day_of(day: date) -> int:
    """The number of a date, counted from 1970-01-01."""
    return day.toordinal() - _EPOCH_ORDINAL


def moment(at: int) -> datetime:
    """A time as a datetime in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def microseconds(at: datetime) -> int:
    """An aware datetime as microseconds since 1970."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@lru_cache(maxsize=4096)
def _month(day: int) -> int:
    at = date_of(day)
    return at.year * 12 + at.month - 1


_PIECE_OF_DAY: Final[dict[str, Numbering]] = {
    "week": lambda day: (day + 3) // 7,  # 1970-01-01 was a Thursday
    "month": _month,
    "quarter": lambda day: _month(day) // 3,
    "year": lambda day: _month(day) // 12,
}
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


def _first_day(clock: str, number: int) -> int:
    if clock == "day":
        return number
    if clock == "week":
        return number * 7 - 3
    if clock not in _MONTHS:
        return number * _days(clock)
    year, month = divmod(number * _MONTHS[clock], 12)
    return day_of(date(min(max(year, 1), 9999), month + 1, 1))


def _offset(zone: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> int:
    """When between two times the offset becomes that of the later one, to the second."""
    wanted = _offset(zone, after)
    low, high = microseconds(before) // SECOND_US, microseconds(after) // SECOND_US
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, moment(middle * SECOND_US)) == wanted:
            high = middle
        else:
            low = middle
    return high * SECOND_US
