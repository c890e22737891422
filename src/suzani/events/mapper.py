"""From records to events by a mapping.

Pure. A record is never refused here: what cannot be read stays as it was written, for the checks after it to
find, and so that it is kept whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping as Values
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from suzani.events.mapping import GROUPS, Mapping, Place
from suzani.sources.dates import in_utc, parser

_AS_WRITTEN: Final = ("timestamp", "channel")
_ID = re.compile(r"(^|_)(id|number|no|phone|code|account|card|pan|iban|mcc|atm|ticket|reference)$")
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_BOOLEANS: Final = dict.fromkeys(("true", "yes", "y", "1"), True) | dict.fromkeys(
    ("false", "no", "n", "0"), False
)
_LARGEST: Final = 1 << 63
_ANYTHING: Final = Place()


class Mapper:
    """Makes events of records by one mapping.

    `is_typed`: whether the records know numbers from texts, as JSON and Parquet do. Where they do not, a
    property that looks like a number is one, unless its name is that of an id.
    """

    def __init__(self, mapping: Mapping, *, is_typed: bool = True) -> None:
        self._items = mapping.items
        self._rest = mapping.rest
        self._is_typed = is_typed
        self._single = mapping.single()
        self._groups = [(group, mapping.group(group)) for group in GROUPS]
        self._named = {name for _, place in mapping.places() for name in (place.column, *place.columns)}

    def events(self, record: Values[str, Any]) -> list[dict[str, Any]]:
        """The events of a record: one, or as many as its list has; what is beside the list goes with each."""
        items = _at(record, self._items) if self._items else None
        if not isinstance(items, list):
            return [self._event(record)]
        top = self._items.partition(".")[0]
        around = {name: value for name, value in record.items() if name != top}
        return [self._event({**around, **item} if isinstance(item, dict) else around) for item in items]

    def _event(self, record: Values[str, Any]) -> dict[str, Any]:
        event: dict[str, Any] = {}
        for name, place in self._single:
            value = _moment(record, place) if name == "timestamp" else _value(record, place)
            if value not in (None, ""):
                event[name] = value if name in _AS_WRITTEN else str(value)
        for group, places in self._groups:
            values = self._left(record) if group == "properties" and self._rest else {}
            values |= {name: self._read(name, _value(record, place), place) for name, place in places}
            given = {name: value for name, value in values.items() if value is not None}
            if given:
                event[group] = given
        return event

    def _left(self, record: Values[str, Any]) -> dict[str, Any]:
        """The columns that nothing names."""
        return {
            name: self._read(name, plain(value), _ANYTHING)
            for name, value in record.items()
            if name not in self._named
        }

    def _read(self, name: str, value: Any, place: Place) -> Any:
        """A value in the type that is asked for."""
        wanted = place.read_as
        if not isinstance(value, str):
            return str(value) if wanted == "text" and value is not None else value
        text = value.strip()
        if wanted == "number" or (wanted is None and not self._is_typed and not _is_id(name)):
            return _number(text, place)
        return _BOOLEANS.get(text.lower(), text) if wanted == "boolean" else text or None


@lru_cache(maxsize=4096)
def _is_id(name: str) -> bool:
    """Whether a name is one of ids, whose digits are no number."""
    return _ID.search(_WORD_START.sub("_", name).lower()) is not None


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _value(record: Values[str, Any], place: Place) -> Any:
    """What the record has at a place, through the map of its values."""
    if place.value is not None:
        return place.value
    found: Any
    if place.columns:
        parts = [plain(_at(record, name)) for name in place.columns]
        found = place.join.join(str(part) for part in parts if part not in (None, "")) or None
    else:
        found = plain(_at(record, place.column))
    return found if place.values is None else place.values.get(str(found), found)


def _at(record: Values[str, Any], path: str) -> Any:
    """The value of a column, or at a dotted path; None where there is none."""
    if path in record:
        return record[path]
    found: Any = record
    for name in path.split("."):
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def _moment(record: Values[str, Any], place: Place) -> Any:
    """A time in UTC by the place's formats and zone; as written where they cannot read it."""
    found = _at(record, place.column) if place.column else _value(record, place)
    moment: datetime | None = None
    if isinstance(found, datetime):
        moment = found
    elif isinstance(found, date):
        moment = datetime.combine(found, time())
    elif isinstance(found, str) or (found is not None and place.formats()):
        moment = parser(place.formats())(str(found).strip())
    settled = in_utc(moment, _zone(place.timezone)) if moment else None
    return settled.isoformat() if settled else plain(found)


def _number(text: str, place: Place) -> Any:
    """The number in a text, or the text where it is none."""
    bare = text.replace(place.thousands, "") if place.thousands else text
    bare = bare.replace(",", ".") if place.decimal == "," else bare
    if not _NUMBER.fullmatch(bare):
        return text or None
    return float(bare) if "." in bare else int(bare)


def plain(value: Any) -> Any:
    """A value as JSON has it: moments in ISO 8601, decimals as numbers, not-a-number as null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return plain(float(value)) if value.is_finite() else None
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, int):
        return value if -_LARGEST <= value < _LARGEST else str(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return str(value)
