"""Traits as they are declared: `traits.yaml`, read and checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from suzani.events import Event, EventType, getter
from suzani.traits.calendar import ALWAYS, Calendar, calendar
from suzani.traits.conditions import Test, parse_test
from suzani.traits.declarations import Declarations, Entry, load_declarations, parse_declarations
from suzani.traits.kinds import KINDS, STREAK_DAYS, TIME, Kind
from suzani.traits.types import Definition, Filter, Measure
from suzani.traits.windows import ALL_TIME, Window, parse_window

FILE_NAME: Final = "traits.yaml"
SECTION: Final = "traits"
SETTINGS: Final = ("time_zone",)

_FILTER_FIELDS: Final = ("events", "type", "channel", "source", "where")
_FIELDS: Final = ("title", "kind", *_FILTER_FIELDS, "of", "window", "to")
_TYPES: Final = tuple(map(str, EventType))

Accepts = Callable[[Event], bool]


@dataclass(frozen=True, slots=True)
class Declared:
    """Every trait that is declared, in order, and the bank's calendar."""

    calendar: Calendar
    definitions: tuple[Definition, ...]


def load_traits(data_dir: Path | None) -> Declared:
    """The traits shipped, with those of `<data_dir>/traits.yaml`. Raises InvalidInput."""
    return declared(load_declarations("suzani.traits", FILE_NAME, SECTION, SETTINGS, data_dir))


def parse_traits(text: str, where: str = FILE_NAME) -> Declared:
    """The traits that a text declares, and no others. Raises InvalidInput."""
    return declared(parse_declarations(text, where, SECTION, SETTINGS))


def declared(declarations: Declarations) -> Declared:
    """Declarations checked. Raises InvalidInput."""
    settings = Entry("", "the document", declarations.where, declarations.settings)
    zone = settings.checked("time_zone", calendar, settings.text("time_zone", "UTC"))
    return Declared(zone, tuple(map(_definition, declarations.entries)))


def accepts(measure_filter: Filter) -> Accepts | None:
    """What tests an event by the conditions of a filter; None when there are none.

    Types and names are not part of it: events are sent by those where they count.
    """
    tests = [(getter(path), parse_test(wanted)) for path, wanted in json.loads(measure_filter.where).items()]
    if not tests:
        return None
    if len(tests) == 1:
        [(get, test)] = tests
        return lambda event: test(get(event))
    return lambda event: all(test(get(event)) for get, test in tests)


def _definition(entry: Entry) -> Definition:
    entry.only(_FIELDS)
    name = entry.text("kind")
    if name not in KINDS:
        raise entry.unknown("kind", "kind", name, KINDS)
    kind = KINDS[name]
    _fits(entry, name, kind)
    return Definition(
        name=entry.name,
        title=entry.text("title", entry.name.replace("_", " ").capitalize()),
        kind=name,
        measure=_measure(entry, name),
        window=_window(entry, name),
        to=_measure(_to(entry), name) if kind.to else None,
        declared=entry.body,
    )


def _fits(entry: Entry, name: str, kind: Kind) -> None:
    """Raises InvalidInput when a field is missing that the kind needs, or given that it has no use for."""
    uses = {"of": kind.of, "window": kind.window, "to": kind.to}
    for field, use in uses.items():
        if use is False and field in entry.body:
            raise entry.wrong(field, f"is of no use to the kind {name!r}", f"Remove `{field}`.")
        if use is True and field not in entry.body:
            raise entry.wrong(field, f"is missing, which the kind {name!r} needs", _EXAMPLES[field])


_EXAMPLES: Final = {
    "of": "Name a place in the event, for example `of: properties.amount`.",
    "window": "Say how long, for example `window: 30d` or `window: this month`.",
    "to": "Say what it is the ratio to, for example `to: {events: Card Authorised}`.",
}


def _to(entry: Entry) -> Entry:
    to = entry.within("to")
    to.only((*_FILTER_FIELDS, "of"))
    return to


def _measure(entry: Entry, kind: str) -> Measure:
    of = entry.text("of", "")
    if of and not (of == TIME and kind in ("first", "last")):
        entry.checked("of", getter, of)
    return Measure(_filter(entry), of)


def _filter(entry: Entry) -> Filter:
    names = entry.texts("events")
    types = entry.texts("type") or ((str(EventType.TRACK),) if names else ())
    for name in types:
        if name not in _TYPES:
            raise entry.unknown("type", "type of event", name, _TYPES)
    where = dict(entry.mapping("where"))
    for field in ("channel", "source"):
        if found := entry.texts(field):
            if field in where:
                raise entry.wrong(field, "is given in `where`, too", "Keep one of the two.")
            where[field] = found[0] if len(found) == 1 else list(found)
    for path, condition in where.items():
        entry.checked("where", getter, path)
        entry.checked(f"where.{path}", _parse_test, condition)
    # Dates become texts, as events have them.
    return Filter(types, names, json.dumps(where, sort_keys=True, default=str))


def _parse_test(condition: Any) -> Test:
    return parse_test(json.loads(json.dumps(condition, default=str)))


def _window(entry: Entry, kind: str) -> Window:
    if "window" not in entry.body:
        return Window("day", STREAK_DAYS - 1) if kind == "streak" else ALL_TIME
    window = entry.checked(
        "window", lambda text: parse_window(text, KINDS[kind].pieces), entry.text("window")
    )
    if kind == "streak" and (window.clock != "day" or window.last):
        raise entry.wrong("window", "a streak is counted in days", "Say 24d or more, or leave it out.")
    if kind == "trend" and window.clock == ALWAYS:
        raise entry.wrong("window", "there is nothing before all time", "Say 30d, or `this month`.")
    return window
