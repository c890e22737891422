"""What the events of a batch say about whose they are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, NamedTuple

from suzani.events import Event, EventType, Getter, getter
from suzani.stitching.rules import Kind, Rules
from suzani.stitching.types import Name

NOTHING: Final = -1
"""In place of a name, for an event that says nothing of whose it is."""


class Seen(NamedTuple):
    """The first event, by time and then message, that has two names together; `alias`: it says they are
    one."""

    at: int
    message: bytes
    alias: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """`names` of the batch, each once; places in it are by event its `strongest` name, and `pairs` of a
    weaker and the strongest name of one event."""

    names: list[Name]
    strongest: list[int]
    pairs: dict[tuple[int, int], Seen]


def read(rules: Rules, events: Sequence[Event], blocked: frozenset[Name] = frozenset()) -> Reading:
    """The identifiers of every event and which of them were seen together.

    Blocked names are evidence of nothing: one counts only for an event that has no other.
    """
    places = _Places(rules)
    names = _Names(rules, blocked)
    # Most events say the same as others of their batch; each saying is understood once.
    sayings: dict[_Said, _Saying] = {}
    strongest: list[int] = []
    for event in events:
        said = places.said(event)
        saying = sayings.get(said)
        if saying is None:
            saying = sayings[said] = _Saying(names.understood(said), event.at, event.message)
        elif event.at <= saying.at and (event.at, event.message) < (saying.at, saying.message):
            saying.at, saying.message = event.at, event.message
        strongest.append(saying.strongest)
    return Reading(list(names.numbers), strongest, _pairs(sayings))


_Said = tuple[tuple[int, Any], ...]
"""What an event has, by the number of a kind; the last one is _ALIAS if it says that they are one."""

_ALIAS: Final = (-1, None)


class _Saying:
    """The names that some events have, as numbers, the strongest first; and the first of these events."""

    __slots__ = ("at", "message", "strongest", "weaker")

    def __init__(self, numbers: Sequence[int], at: int, message: bytes) -> None:
        self.strongest = numbers[0] if numbers else NOTHING
        self.weaker = numbers[1:]
        self.at, self.message = at, message


def _pairs(sayings: Mapping[_Said, _Saying]) -> dict[tuple[int, int], Seen]:
    pairs: dict[tuple[int, int], Seen] = {}
    for said, saying in sayings.items():
        for weak in saying.weaker:
            pair = weak, saying.strongest
            seen = Seen(saying.at, saying.message, said[-1] is _ALIAS)
            known = pairs.get(pair)
            pairs[pair] = seen if known is None else Seen(*min(seen, known)[:2], seen.alias or known.alias)
    return pairs


class _Places:
    """Where events have identifiers: in fields, in mappings under a key or further down, and in what only
    events of some names have."""

    def __init__(self, rules: Rules) -> None:
        kinds = list(rules.kinds.values())
        paths = [(number, path.split(".")) for number, kind in enumerate(kinds) for path in kind.paths]
        direct = {path[0]: number for number, path in paths if len(path) == 1}
        mappings = list(dict.fromkeys(path[0] for _, path in paths if len(path) > 1))
        self._kinds = list(direct.values())
        self._nested: list[dict[str, list[tuple[int, list[str]]]]] = [{} for _ in mappings]
        for number, (first, *keys) in paths:
            if keys:
                own = self._nested[mappings.index(first)]
                own.setdefault(keys[0], []).append((number, keys[1:]))
        self._named: dict[str, list[tuple[int, Getter]]] = {}
        for number, kind in enumerate(kinds):
            for path, names in kind.in_events.items():
                for name in names:
                    self._named.setdefault(name, []).append((number, getter(path)))
        self._fields = attrgetter(*direct, *mappings, "name", "type")
        self._aliases = [number for number, kind in enumerate(kinds) if kind.alias]

    def said(self, event: Event) -> _Said:
        """What an event has of identifiers, as written."""
        values = self._fields(event)
        said = [(kind, raw) for kind, raw in zip(self._kinds, values, strict=False) if raw is not None]
        for own, mapping in zip(self._nested, values[len(self._kinds) :], strict=False):
            if mapping:
                for key, places in own.items():
                    if (value := mapping.get(key)) is not None:
                        said += _below(value, places)
        for kind, get in self._named.get(values[-2], ()):
            if type(value := get(event)) is str or type(value) is int:
                said.append((kind, value))
        if values[-1] is EventType.ALIAS and event.previous_id is not None and event.user_id is not None:
            said += [(kind, event.previous_id) for kind in self._aliases]
            said.append(_ALIAS)
        return tuple(said)


def _below(value: Any, places: Iterable[tuple[int, list[str]]]) -> list[tuple[int, Any]]:
    """The texts and whole numbers further down in a value."""
    found: list[tuple[int, Any]] = []
    for kind, keys in places:
        one = value
        for key in keys:
            one = one.get(key) if type(one) is dict else None
        if type(one) is str or type(one) is int:
            found.append((kind, one))
    return found


class _Names:
    """The names of a batch, numbered in the order of their first event."""

    def __init__(self, rules: Rules, blocked: frozenset[Name]) -> None:
        self.numbers: dict[Name, int] = {}
        self._kinds: list[Kind] = list(rules.kinds.values())
        self._blocked = blocked

    def understood(self, said: _Said) -> list[int]:
        """The numbers of the names in a saying, the strongest first; the blocked are left out if there are
        others. Kinds are numbered by their strength."""
        names: dict[Name, int] = {}
        for number, raw in said:
            if number >= 0 and (value := self._kinds[number].read(raw)) is not None:
                names.setdefault(Name(self._kinds[number].name, value), number)
        ordered = sorted(names, key=names.__getitem__)
        if self._blocked:
            ordered = [name for name in ordered if name not in self._blocked] or ordered[:1]
        return [self.numbers.setdefault(name, len(self.numbers)) for name in ordered]
