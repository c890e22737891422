"""Conditions that hold or not depending on the day: ages, days gone by, anniversaries.

Days are those of the bank's calendar, numbered from 1970-01-01.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from suzani.kernel import InvalidInput
from suzani.traits import Calendar
from suzani.traits.calendar import date_of, day_of, microseconds
from suzani.traits.conditions import Test, operations, parse_test

_MOST_DAYS: Final = 366


@dataclass(frozen=True, slots=True)
class Temporal:
    """A condition on a date: whether it holds on a day, and the next day on which that may change.

    Both take the day that the value falls on, and today.
    """

    holds: Callable[[int, int], bool]
    turns: Callable[[int, int], int | None]


def day_of_value(value: Any, calendar: Calendar) -> int | None:
    """The day of a date, of an aware time or of either as text (ISO 8601); None for anything else."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return calendar.day(microseconds(value)) if value.tzinfo else day_of(value.date())
    return day_of(value) if isinstance(value, date) else None


def thresholds(condition: Any) -> list[float]:
    """The numbers that a condition compares with."""
    found: list[float] = []
    for wanted in operations(condition).values():
        items = wanted if isinstance(wanted, list) else [wanted]
        found += [item for item in items if isinstance(item, int | float) and not isinstance(item, bool)]
    return found


def _first_after(today: int, days: Iterable[int]) -> int | None:
    return min((day for day in days if day > today), default=None)


def _counted(condition: Any) -> tuple[Test, list[int]]:
    """A condition on a number that grows by one at a time, and the numbers at which it may turn."""
    test, limits = parse_test(condition), thresholds(condition)
    if not limits:
        raise InvalidInput(f"a number is compared with, not {condition!r}")
    return test, sorted({int(limit) + more for limit in limits for more in (0, 1)})


def _days_ago(condition: Any) -> Temporal:
    """So many days have gone by since; negative for a day to come."""
    test, counts = _counted(condition)
    return Temporal(
        lambda day, today: test(today - day),
        lambda day, today: _first_after(today, (day + count for count in counts)),
    )


def _days_ahead(condition: Any) -> Temporal:
    """So many days are left; negative for a day gone by."""
    test, counts = _counted(condition)
    return Temporal(
        lambda day, today: test(day - today),
        lambda day, today: _first_after(today, (day - count + 1 for count in counts)),
    )


def _age(condition: Any) -> Temporal:
    """So many whole years have gone by."""
    test, counts = _counted(condition)
    return Temporal(
        lambda day, today: test(_years(date_of(day), date_of(today))),
        lambda day, today: _first_after(today, (_anniversary(date_of(day), years) for years in counts)),
    )


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _anniversary(born: date, years: int) -> int:
    """The day on which so many years are full; for 29 February in other years that is 1 March."""
    year = min(max(born.year + years, 1), 9999)
    try:
        return day_of(born.replace(year=year))
    except ValueError:
        return day_of(date(year, 3, 1))


def _anniversary_within(days: Any) -> Temporal:
    """The anniversary (a birthday) is today or within so many days from now."""
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= _MOST_DAYS:
        raise InvalidInput(f"`anniversary_within` takes a number of days up to {_MOST_DAYS}, not {days!r}")

    def turns(day: int, today: int) -> int:
        following = _next_anniversary(day, today)
        return following + 1 if following - today <= days else following - days

    return Temporal(lambda day, today: _next_anniversary(day, today) - today <= days, turns)


def _next_anniversary(day: int, today: int) -> int:
    born = date_of(day)
    years = _years(born, date_of(today))
    this = _anniversary(born, years)
    return this if this == today else _anniversary(born, years + 1)


def _fixed_day(compare: Callable[[int, int], bool]) -> Callable[[Any], Temporal]:
    def build(wanted: Any) -> Temporal:
        try:
            limit = day_of(wanted if isinstance(wanted, date) else date.fromisoformat(wanted))
        except (TypeError, ValueError) as error:
            raise InvalidInput(f"a date is compared with, such as 2024-12-31, not {wanted!r}") from error
        return Temporal(lambda day, today: compare(day, limit), lambda day, today: None)

    return build


TEMPORAL: Final[Mapping[str, Callable[[Any], Temporal]]] = {
    "days_ago": _days_ago,
    "days_ahead": _days_ahead,
    "age": _age,
    "anniversary_within": _anniversary_within,
    "before": _fixed_day(lambda day, limit: day < limit),
    "after": _fixed_day(lambda day, limit: day > limit),
}
"""Operators on dates by name; each takes what to compare with, or raises InvalidInput."""

CLOSING: Final = Temporal(lambda day, today: day > today, lambda day, today: day if day > today else None)
"""The day is still to come."""
