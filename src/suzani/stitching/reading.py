"""What the events of a batch say about whose they are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeAlias

from suzani.events import Event, EventType, Getter, getter
from suzani.stitching.rules import Kind, Rules
from suzani.stitching.types import Name

NOTHING: Final = -1
"""In place of a name, for what says nothing of whose it is."""

Said: TypeAlias = tuple[tuple[int, Any], ...]
"""What an event has of identifiers, word for word, by the number of a kind; the last one is _ALIAS if it says
that they are one."""

_ALIAS: Final = (-1, None)


class Saying:
    """What some events of a batch say alike, and the first of these by time and message. `tells`: one of them
    tells something about its user."""

    __slots__ = ("at", "message", "said", "tells")

    def __init__(self, said: Said, event: Event) -> None:
        self.said, self.at, self.message, self.tells = said, event.at, event.message, _tells(event)

    def add(self, event: Event) -> None:
        """Another event that says so."""
        if event.at <= self.at and (event.at, event.message) < (self.at, self.message):
            self.at, self.message = event.at, event.message
        self.tells |= _tells(event)


class Seen(NamedTuple):
    """The first event, by time and then message, that has two names together; `alias`: it says they are
    one."""

    at: int
    message: bytes
    alias: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """The different `sayings` of a batch, and which each event says."""

    sayings: list[Saying]
    of_event: list[int]


@dataclass(frozen=True, slots=True)
class Reading:
    """`names` in some sayings, each once; places in it are by saying its `strongest` name, and `pairs` of a
    weaker and the strongest name of one saying. `muted`: the sayings that have a blocked name."""

    names: list[Name]
    strongest: list[int]
    pairs: dict[tuple[int, int], Seen]
    muted: frozenset[int]


def hear(rules: Rules, events: Sequence[Event]) -> Heard:
    """What every event says. Most say the same as others of their batch; each saying is understood once."""
    said_by = _Places(rules).said
    numbers: dict[Said, int] = {}
    sayings: list[Saying] = []
    of_event: list[int] = []
    for event in events:
        said = said_by(event)
        number = numbers.get(said)
        if number is None:
            number = numbers[said] = len(sayings)
            sayings.append(Saying(said, event))
        else:
            sayings[number].add(event)
        of_event.append(number)
    return Heard(sayings, of_event)


def understand(rules: Rules, sayings: Iterable[Saying], blocked: frozenset[Name] = frozenset()) -> Reading:
    """The identifiers in sayings and which of them were seen together.

    Blocked names are evidence of nothing: one counts only for a saying that has no other.
    """
    names = _Names(rules)
    strongest: list[int] = []
    pairs: dict[tuple[int, int], Seen] = {}
    muted: set[int] = set()
    for place, saying in enumerate(sayings):
        found = names.understood(saying.said)
        if not blocked.isdisjoint(found):
            muted.add(place)
            found = [name for name in found if name not in blocked] or found[:1]
        first, *weaker = map(names.number, found) if found else (NOTHING,)
        strongest.append(first)
        seen = Seen(saying.at, saying.message, saying.said[-1:] == (_ALIAS,))
        for weak in weaker:
            known = pairs.get((weak, first), seen)
            pairs[weak, first] = Seen(*min(seen, known)[:2], seen.alias or known.alias)
    return Reading(list(names.numbers), strongest, pairs, frozenset(muted))


def _tells(event: Event) -> bool:
    return event.type is EventType.IDENTIFY and bool(event.traits)


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

    def said(self, event: Event) -> Said:
        """What an event has of identifiers, as written."""
        values = self._fields(event)
        said = [(kind, raw) for kind, raw in zip(self._kinds, values, strict=False) if raw is not None]
        for own, mapping in zip(self._nested, values[len(self._kinds) :], strict=False):
            if mapping and not own.keys().isdisjoint(mapping):
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
    """The names of a batch, numbered in the order of their first saying."""

    def __init__(self, rules: Rules) -> None:
        self.numbers: dict[Name, int] = {}
        self._kinds: list[Kind] = list(rules.kinds.values())

    def number(self, name: Name) -> int:
        """The number of a name."""
        return self.numbers.setdefault(name, len(self.numbers))

    def understood(self, said: Said) -> list[Name]:
        """The names in a saying, the strongest first: kinds are numbered by their strength."""
        names: dict[Name, int] = {}
        for number, raw in said:
            if number >= 0 and (value := self._kinds[number].read(raw)) is not None:
                names.setdefault(Name(self._kinds[number].name, value), number)
        return sorted(names, key=names.__getitem__)
