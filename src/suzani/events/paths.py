"""Where a value stands in an event: `properties.amount`, `context.device.id`, `user_id`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final, TypeAlias

from suzani.events.types import Event
from suzani.kernel import InvalidInput

Getter: TypeAlias = Callable[[Event], Any]
"""Gives a value of an event, or None where it has none."""

_FIELDS: Final = (
    "name", "type", "source", "channel", "user_id", "anonymous_id", "previous_id", "group_id", "message_id"
)  # fmt: skip
_MAPPINGS: Final = ("properties", "traits", "context")


def getter(path: str) -> Getter:
    """What reads `path` of an event. Raises InvalidInput for a path that no event can have."""
    first, *rest = path.split(".")
    if first in _MAPPINGS and rest and all(rest):
        return _nested(first, rest)
    if first in _FIELDS and not rest:
        return attrgetter(first)
    known = ", ".join((*_FIELDS, *(f"{name}.…" for name in _MAPPINGS)))
    raise InvalidInput(f"{path!r} is not a place in an event", hint=f"Places are: {known}.")


def _nested(first: str, rest: list[str]) -> Getter:
    if len(rest) == 1:
        [name], mapping = rest, attrgetter(first)
        return lambda event: mapping(event).get(name)

    def walk(event: Event) -> Any:
        value: Any = getattr(event, first)
        for name in rest:
            if not isinstance(value, Mapping):
                return None
            value = value.get(name)
        return value

    return walk
