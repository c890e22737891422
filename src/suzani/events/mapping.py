"""Mappings: how a row of a file, a webhook's JSON or a message of a foreign topic becomes an event.

A mapping is a YAML file, `<data directory>/intake/<source>.yaml` (see docs/events.md).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from suzani.infra.configuration import read_yaml
from suzani.kernel import InvalidInput
from suzani.sources.dates import check_format
from suzani.sources.mapping import Format


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a value comes from and how it is read: a column or dotted path, several joined, or a constant."""

    column: str = ""
    columns: tuple[str, ...] = ()
    value: Any = None
    values: dict[str, Any] | None = None
    join: str = " "
    read_as: Literal["text", "number", "boolean"] | None = msgspec.field(default=None, name="as")
    format: str | tuple[str, ...] = ()
    timezone: str = "UTC"
    decimal: Literal[".", ","] = "."
    thousands: str = ""

    def formats(self) -> tuple[str, ...]:
        """The formats of a time."""
        return (self.format,) if isinstance(self.format, str) else self.format


GROUPS: Final = ("properties", "traits", "context")

_SINGLE: Final = {
    "type": "type", "event": "event", "name": "name", "user_id": "userId", "anonymous_id": "anonymousId",
    "previous_id": "previousId", "group_id": "groupId", "message_id": "messageId", "timestamp": "timestamp",
    "channel": "channel",
}  # fmt: skip

Given = str | Place
Group = dict[str, Given]


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a webhook is signed: the HMAC of its body, in hexadecimal or base64, in a header after `prefix`.

    The secret is read from the environment variable `secret_variable`; it never stands in the file.
    """

    header: str
    secret_variable: str
    algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""


class _Format(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: Literal["csv", "jsonl", "parquet", "excel"] | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"
    quote: str = '"'
    header: bool = True
    sheet: str | None = None


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The whole mapping of a source.

    `items`: where in a record the list is that holds its events, if it holds several. `rest`: whether columns
    that nothing names become properties.
    """

    type: Given = Place(value="track")
    event: Given | None = None
    name: Given | None = None
    user_id: Given | None = None
    anonymous_id: Given | None = None
    previous_id: Given | None = None
    group_id: Given | None = None
    message_id: Given | None = None
    timestamp: Given | None = None
    channel: Given | None = None
    properties: Group = {}
    traits: Group = {}
    context: Group = {}
    rest: bool = True
    items: str = ""
    format: _Format = _Format()
    signature: Signature | None = None

    def single(self) -> list[tuple[str, Place]]:
        """The places of an event's own fields, by the names that events have them under."""
        found = [(said, getattr(self, name)) for name, said in _SINGLE.items()]
        return [(said, _place(given)) for said, given in found if given is not None]

    def group(self, name: str) -> list[tuple[str, Place]]:
        """The places of `properties`, `traits` or `context`."""
        return [(inner, _place(given)) for inner, given in getattr(self, name).items()]

    def places(self) -> list[tuple[str, Place]]:
        """Every place, with where it stands in the file."""
        groups = [(f"{group}.{name}", place) for group in GROUPS for name, place in self.group(group)]
        return [*self.single(), *groups]

    def file_format(self) -> Format:
        """How a file is written."""
        return Format(**{name: getattr(self.format, name) for name in self.format.__struct_fields__})


def _place(given: Given) -> Place:
    return Place(column=given) if isinstance(given, str) else given


def load_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file. Raises InvalidInput naming file and place."""
    tree = read_yaml(path)
    try:
        mapping = msgspec.convert(tree, Mapping)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{path}: {error}", hint="See docs/events.md.") from None
    for where, place in mapping.places():
        problem = _fault(place)
        if problem:
            raise InvalidInput(f"{path}, {where}: {problem}", hint="See docs/events.md.")
    return mapping


def find_mapping(data_dir: Path, source: str) -> Mapping | None:
    """The mapping that the data directory has for a source, if it has one. Raises InvalidInput."""
    path = data_dir / "intake" / f"{source}.yaml"
    try:
        changed_ns = path.stat().st_mtime_ns
    except OSError:
        return None
    return _loaded(path, changed_ns)


@lru_cache(maxsize=64)
def _loaded(path: Path, changed_ns: int) -> Mapping:
    """A mapping as of a change of its file, read once."""
    return load_mapping(path)


def _fault(place: Place) -> str:
    if bool(place.column) + bool(place.columns) + (place.value is not None) != 1:
        return "give exactly one of `column`, `columns` and `value`"
    for name in place.formats():
        if check_format(name):
            return f"{name!r} is no date format: {check_format(name)}"
    try:
        ZoneInfo(place.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"unknown time zone {place.timezone!r}"
    return ""
