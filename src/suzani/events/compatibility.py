"""Whether events that one schema takes are taken by another: what changed between two versions, and why it
matters.

Pure. What a version takes is compared as sets of values, not as texts: a rule written otherwise is no change.
What cannot be proven to be compatible counts as breaking.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import jsonschema_rs
from jsonschema_rs import canonical

_PARTS: Final = ("properties", "required")
_WORDS: Final = ("$schema", "$id", "$comment", "title", "description", "examples", "default", "deprecated")


class Effect(StrEnum):
    """What a change does to senders: nothing, or their events are refused."""

    COMPATIBLE = "compatible"
    BREAKING = "breaking"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference, where it is, and what it does to those who send events as before."""

    place: str
    detail: str
    effect: Effect


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """The differences between two schemas of an event's properties, breaking ones first."""
    found = [*_properties(old, new), *_required(old, new), *_rest(old, new)]
    return sorted(found, key=lambda change: (change.effect is Effect.COMPATIBLE, change.place))


def is_breaking(found: list[Change]) -> bool:
    """Whether events that were taken may now be refused."""
    return any(change.effect is Effect.BREAKING for change in found)


def _properties(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> Iterator[Change]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in sorted({*before, *after}):
        place = f"{prefix}{name}"
        if name not in after:
            closed = new.get("additionalProperties", True) is not True
            why = "removed, and others than the named are refused" if closed else "no longer checked"
            yield Change(place, why, Effect.BREAKING if closed else Effect.COMPATIBLE)
        elif name not in before:
            yield Change(place, "new; whoever sent it unchecked must send it so", Effect.COMPATIBLE)
        elif _is_object(before[name]) and _is_object(after[name]):
            nested = before[name], after[name]
            yield from _properties(*nested, f"{place}.")
            yield from _required(*nested, f"{place}.")
            yield from _rest(*nested, place)
        else:
            yield from _value(place, before[name], after[name])


def _is_object(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "object"


def _value(place: str, old: Any, new: Any) -> Iterator[Change]:
    """How the values of one place changed."""
    told = _told(old, new)
    if _rules(old) == _rules(new):
        return
    widened, narrowed = not _covers(old, new), not _covers(new, old)
    if narrowed:
        yield Change(place, f"takes less than before: {told}", Effect.BREAKING)
    elif widened:
        yield Change(place, f"takes more than before: {told}", Effect.COMPATIBLE)


def _required(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> Iterator[Change]:
    before, after = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(after - before):
        yield Change(f"{prefix}{name}", "must be there now", Effect.BREAKING)
    for name in sorted(before - after):
        yield Change(f"{prefix}{name}", "may be left out now", Effect.COMPATIBLE)


def _rest(old: Mapping[str, Any], new: Mapping[str, Any], place: str = "") -> Iterator[Change]:
    """The rules beside those of single properties, such as `additionalProperties` or `anyOf`."""
    without = {"properties", "required"}
    yield from _value(
        place,
        {name: rule for name, rule in old.items() if name not in without},
        {name: rule for name, rule in new.items() if name not in without},
    )


def _rules(schema: Any) -> Any:
    """A schema without the words in it that are for people."""
    if isinstance(schema, Mapping):
        return {
            name: _rules(rule)
            for name, rule in schema.items()
            if name not in _WORDS and not name.startswith("x-")
        }
    return [_rules(one) for one in schema] if isinstance(schema, list) else schema


def _told(old: Any, new: Any) -> str:
    """Which rules differ, with what they were and are."""
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return f"{old!r} → {new!r}"
    before, after = _rules(old), _rules(new)
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return "; ".join(
        f"{name} {before.get(name, 'not set')!s} → {after.get(name, 'not set')!s}" for name in names
    )


def _covers(wide: Any, narrow: Any) -> bool:
    """Whether it is proven that all that `narrow` takes is taken by `wide`."""
    try:
        outer, inner = (jsonschema_rs.canonicalize(_rules(one), offline=True) for one in (wide, narrow))
        return outer.covers(inner) == canonical.Containment.YES
    except (ValueError, canonical.CanonicalizationError):
        return False
