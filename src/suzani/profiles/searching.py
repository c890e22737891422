"""Find persons by what someone types: names in any script, phones, e-mails, documents, ids, product
numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from suzani.infra.db import Tx
from suzani.profiles import store
from suzani.profiles.terms import TERMS, name_terms
from suzani.profiles.typed import Part, Reach, read, tsquery
from suzani.profiles.types import Hit, Match

MAX_LIMIT = 100
_CANDIDATES_PER_HIT = 5


def is_searchable(text: str) -> bool:
    """Whether a typed text is long enough to search by."""
    return bool(read(text))


async def search(tx: Tx, text: str, limit: int = 20) -> list[Hit]:
    """The best persons for a typed text, each with what of them matched; empty when it is too short.

    Whole names come before beginnings of names, and names that sound alike come last. `limit` is capped at
    MAX_LIMIT.
    """
    parts = read(text)
    limit = max(1, min(limit, MAX_LIMIT))
    if not parts:
        return []
    found: dict[int, tuple[int, dict[str, Any]]] = {}
    for rank, reach in enumerate(Reach):
        for row in await store.search(tx, tsquery(parts, reach), limit * _CANDIDATES_PER_HIT):
            found.setdefault(row["person_id"], (rank, row))
        if len(found) >= limit:
            break
    best = _best(parts, list(found.values()), limit)
    matches = matches_of(parts, await store.searched_values(tx, [row["person_id"] for row in best]))
    return [_hit(row, matches.get(row["person_id"], ())) for row in best]


def _best(
    parts: Sequence[Part], found: Sequence[tuple[int, dict[str, Any]]], limit: int
) -> list[dict[str, Any]]:
    """The first `limit` by reach, by how closely the name shown matches, then by number of records."""
    shown = name_terms([row["display_name"] or "" for _, row in found])
    ranked = sorted(
        (
            rank,
            -_closeness(parts, terms),
            -row["record_count"],
            row["display_name"] or "",
            row["person_id"],
            place,
        )
        for place, ((rank, row), terms) in enumerate(zip(found, shown, strict=True))
    )
    return [found[entry[-1]][1] for entry in ranked[:limit]]


def _closeness(parts: Sequence[Part], shown: Sequence[str]) -> int:
    """Two for each typed name that a shown name equals, one for each that a shown name begins with."""
    closeness = 0
    for part in _flat(parts):
        for name in (*part.names, *part.starts):
            closeness += 2 if name in shown else any(term.startswith(name) for term in shown)
    return closeness


def matches_of(parts: Sequence[Part], rows: Sequence[dict[str, Any]]) -> dict[int, tuple[Match, ...]]:
    """Which values of each person the parts of a text found, at most one per attribute and part. Pure.

    `rows` have a `person_id` and a value or None per searched attribute.
    """
    flat = list(_flat(parts))
    matches: dict[int, dict[tuple[str, int], Match]] = {}
    for name, to_terms in TERMS.items():
        held = [(row["person_id"], str(row[name])) for row in rows if row[name] is not None]
        for (person_id, value), terms in zip(held, to_terms([value for _, value in held]), strict=True):
            of_person = matches.setdefault(person_id, {})
            for place, part in enumerate(flat):
                found = _match(part, name, value, terms)
                known = of_person.get((name, place))
                if found and (known is None or known.sounds_alike > found.sounds_alike):
                    of_person[name, place] = found
    return {person_id: _distinct(found.values()) for person_id, found in matches.items()}


def _match(part: Part, name: str, value: str, terms: Sequence[str]) -> Match | None:
    if _meets(part.alternatives(Reach.BEGINNING), terms):
        return Match(name, value)
    return Match(name, value, sounds_alike=True) if _meets(part.alternatives(Reach.SOUND), terms) else None


def _distinct(matches: Iterable[Match]) -> tuple[Match, ...]:
    """Each value once; those that only sound alike fall away where the same attribute matches better."""
    kept = tuple(dict.fromkeys(matches))
    well = {match.attribute for match in kept if not match.sounds_alike}
    return tuple(match for match in kept if not match.sounds_alike or match.attribute not in well)


def _flat(parts: Iterable[Part]) -> Iterable[Part]:
    for part in parts:
        yield part
        yield from _flat(part.split)


def _meets(wanted: Sequence[tuple[str, bool]], terms: Sequence[str]) -> bool:
    return any(
        term.startswith(sought) if beginning else term == sought
        for sought, beginning in wanted
        for term in terms
    )


def _hit(row: dict[str, Any], matches: tuple[Match, ...]) -> Hit:
    return Hit(
        person_id=row["person_id"],
        display_name=row["display_name"],
        birth_date=row["birth_date"],
        city=row["city"],
        phone=row["phone"],
        systems=tuple(row["systems"]),
        record_count=row["record_count"],
        product_count=row["product_count"],
        matches=matches,
    )
