"""Which parts of a profile a channel asks for: `traits.spent_30_days,segments,profile.city`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, TypeAlias

from suzani.kernel import InvalidInput, NotFound

Selection: TypeAlias = Mapping[str, frozenset[str] | None]
"""Parts by name, with the names inside that are wanted; None for all of them."""

_MOST: Final = 200
_LONGEST: Final = 10_000


def selection(text: str | None, parts: Collection[str]) -> Selection:
    """What a `fields` parameter selects of `parts`; everything for None and ''.

    A part that is named whole is given whole, whatever else is named of it. Raises InvalidInput for more than
    200 names or 10,000 characters, NotFound for a part that is not there.
    """
    if text and len(text) > _LONGEST:
        raise InvalidInput(f"fields: {len(text):,} characters are too many")
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    if len(names) > _MOST:
        raise InvalidInput(f"fields: {len(names)} names are too many", hint=f"Name {_MOST} or fewer.")
    chosen: dict[str, set[str] | None] = {}
    for name in names:
        part, _, inner = name.partition(".")
        if part not in parts:
            raise NotFound.among("field", part, parts)
        wanted = chosen.setdefault(part, set())
        if not inner:
            chosen[part] = None
        elif wanted is not None:
            wanted.add(inner)
    if not chosen:
        return dict.fromkeys(parts)
    return {part: None if inner is None else frozenset(inner) for part, inner in chosen.items()}


def selected(part: Mapping[str, Any], names: frozenset[str] | None) -> dict[str, Any]:
    """Those names of a part; what it does not have is left out."""
    return {name: value for name, value in part.items() if names is None or name in names}
