"""What traits are worth, told the long way: every definition read again over all events, with dates of the
standard library and without anything of the plan. Covers what the declarations of the tests use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from suzani.events import Event

SIZES = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "6h": 360}


def value(trait: dict[str, Any], events: Sequence[Event], as_of: int, zone: ZoneInfo) -> Any:
    """The value of one trait, declared as in YAML, at a time."""
    return Oracle(trait, as_of, zone).value(events)


class Oracle:
    def __init__(self, trait: dict[str, Any], as_of: int, zone: ZoneInfo) -> None:
        self.trait, self.as_of, self.zone = trait, as_of, zone
        self.kind, self.of = trait["kind"], trait.get("of", "")

    def value(self, events: Sequence[Event]) -> Any:
        counted = [event for event in events if accepted(self.trait, event)]
        if self.kind == "streak":
            return self.streak(counted)
        if self.kind == "days_since":
            days = [self.day(when(event)) for event in counted]
            return max((self.today - max(days)).days, 0) if days else None
        inside = [event for event in counted if self.inside(event)]
        if self.kind == "ratio":
            to = [event for event in events if accepted(self.trait["to"], event) and self.inside(event)]
            whole = total(to, self.trait["to"].get("of", ""))
            return float(total(inside, self.of) / whole) if whole else None
        if self.kind == "trend":
            past = total([event for event in counted if self.inside(event, 1)], self.of)
            return float((total(inside, self.of) - past) / abs(past)) if past else None
        return self.of_values(inside)

    def of_values(self, events: Sequence[Event]) -> Any:
        if self.kind == "count":
            return len(events)
        if self.kind in ("first", "last"):
            return self.extreme(events)
        if self.kind in ("most_frequent", "distinct"):
            texts = Counter(str(value) for event in events if (value := place(event, self.of)) is not None)
            if self.kind == "distinct":
                return len(texts)
            return min(texts, key=lambda text: (-texts[text], text)) if texts else None
        found = numbers(events, self.of)
        if self.kind == "sum":
            return float(sum(found))
        if not found:
            return None
        return float({"average": sum(found) / len(found), "min": min(found), "max": max(found)}[self.kind])

    def extreme(self, events: Sequence[Event]) -> Any:
        if self.of == "at":
            times = [when(event) for event in events]
            chosen = None if not times else min(times) if self.kind == "first" else max(times)
            return chosen and moment(chosen).strftime("%Y-%m-%dT%H:%M:%S.") + f"{chosen // 1000 % 1000:03}Z"
        with_value = [event for event in events if place(event, self.of) is not None]
        ordered = sorted(with_value, key=lambda event: (when(event), event.message))
        return place(ordered[0 if self.kind == "first" else -1], self.of) if ordered else None

    def streak(self, events: Sequence[Event]) -> int:
        days = {self.day(when(event)) for event in events}
        longest = int(self.trait.get("window", "366d")[:-1])
        end = self.today if self.today in days else self.today - timedelta(days=1)
        length = 0
        while end - timedelta(days=length) in days and length < longest:
            length += 1
        return length

    @property
    def today(self) -> date:
        return self.day(self.as_of)

    def day(self, at: int) -> date:
        return moment(at).astimezone(self.zone).date()

    def inside(self, event: Event, back: int = 0) -> bool:
        """Whether an event is in the window, or in the one `back` windows before."""
        window = self.trait.get("window", "all")
        if window == "all":
            return True
        at = when(event)
        if window.split()[0] in ("today", "yesterday", "this", "last"):
            shift = back + (window == "yesterday" or window.startswith("last"))
            return period(window, self.day(at)) == period(window, self.today) - shift
        return self.slides(window, at, back)

    def slides(self, window: str, at: int, back: int) -> bool:
        number, unit = re.fullmatch(r"(\d+)([mhdw])", window).groups()  # type: ignore[union-attr]
        minutes = int(number) * {"m": 1, "h": 60, "d": 1440, "w": 10080}[unit]
        least = 12 if self.kind in ("most_frequent", "distinct") else 24
        if minutes >= least * 1440:
            days = minutes // 1440
            size = 1 if least == 24 else max(n for n in range(1, days // 12 + 1) if days % n == 0)
            epoch = date(1970, 1, 1)
            pieces = days // size
            age = (self.today - epoch).days // size - (self.day(at) - epoch).days // size
        else:
            size = max(size for size in SIZES.values() if minutes >= least * size) * 60_000_000
            pieces = minutes * 60_000_000 // size
            age = self.as_of // size - at // size
        return pieces * back <= age < pieces * (back + 1)


def period(window: str, day: date) -> int:
    if window in ("today", "yesterday"):
        return day.toordinal()
    unit = window.split()[1]
    if unit == "week":
        return (day - timedelta(days=day.weekday())).toordinal() // 7
    months = day.year * 12 + day.month - 1
    return {"month": months, "quarter": months // 3, "year": day.year}[unit]


def when(event: Event) -> int:
    return min(event.at, event.received_at)


def moment(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def accepted(trait: dict[str, Any], event: Event) -> bool:
    names = trait.get("events", [])
    names = names if isinstance(names, list) else [names]
    kind = trait.get("type", "track" if names else event.type)
    where = trait.get("where", {})
    return (
        event.type == kind
        and (not names or event.name in names)
        and trait.get("channel", event.channel) == event.channel
        and all(holds(place(event, path), wanted) for path, wanted in where.items())
    )


def holds(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        number = isinstance(found, int | float) and not isinstance(found, bool)
        return all(number and found >= limit for operator, limit in wanted.items() if operator == "gte")
    return bool(found == wanted)


def place(event: Event, path: str) -> Any:
    first, *rest = path.split(".")
    found: Any = getattr(event, first)
    for name in rest:
        found = found.get(name)
    return found


def numbers(events: Sequence[Event], of: str) -> list[Fraction]:
    found = [place(event, of) for event in events]
    return [
        Fraction(repr(item)) for item in found if isinstance(item, int | float) and not isinstance(item, bool)
    ]


def total(events: Sequence[Event], of: str) -> Fraction:
    return sum(numbers(events, of), Fraction()) if of else Fraction(len(events))
