"""Find persons by what someone types: names in any script, phones, e-mails, documents, ids, product numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from suzani.infra.db import Tx
from suzani.profiles import store
from suzani.profiles.terms import TERMS
from suzani.profiles.typed import Part, Reach, read, tsquery
from suzani.profiles.types import Hit, Match

MAX_LIMIT = 100
_CANDIDATES_PER_HIT = 5


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
    best = [row for _, row in sorted(found.values(), key=_order)[:limit]]
    values = await store.searched_values(tx, [row["person_id"] for row in best])
    return [_hit(row, matches_of(parts, [v for v in values if v["person_id"] == row["person_id"]])) for row in best]


def _order(candidate: tuple[int, dict[str, Any]]) -> tuple[int, int, str, int]:
    rank, row = candidate
    return rank, -row["record_count"], row["display_name"] or "", row["person_id"]


def matches_of(parts: Sequence[Part], rows: Iterable[dict[str, Any]]) -> tuple[Match, ...]:
    """Which values of a person the parts of a text found; the closest reach that finds anything decides. Pure."""
    values = dict.fromkeys(
        (name, str(row[name])) for row in rows for name in TERMS if row[name] is not None
    )
    terms = [(name, value, TERMS[name]([value])[0]) for name, value in values]
    matches: dict[Match, None] = {}
    for part in _flat(parts):
        for reach in (Reach.BEGINNING, Reach.SOUND):
            wanted = part.alternatives(reach)
            found = [
                Match(name, value, reach is Reach.SOUND) for name, value, has in terms if _meets(wanted, has)
            ]
            if found:
                matches.update(dict.fromkeys(found))
                break
    return tuple(matches)


def _flat(parts: Iterable[Part]) -> Iterable[Part]:
    for part in parts:
        yield part
        yield from _flat(part.split)


def _meets(wanted: Sequence[tuple[str, bool]], terms: Sequence[str]) -> bool:
    return any(
        term.startswith(sought) if beginning else term == sought for sought, beginning in wanted for term in terms
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
