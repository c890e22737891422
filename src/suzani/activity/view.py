"""What a channel is told of somebody: golden values, consent, products, traits, segments, identifiers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from suzani import profiles, segments, stitching, traits
from suzani.activity import view_store
from suzani.activity.rows import microseconds
from suzani.activity.rules import Rules
from suzani.activity.selection import Selection, selected
from suzani.activity.view_store import PARTS, Who
from suzani.infra.db import Query, Tx
from suzani.kernel import InvalidInput, NotFound, SuzaniError
from suzani.stitching import Subject

__all__ = ["PARTS", "Asked", "find_subject", "profile_views"]

PERSON: Final = "person"
SUBJECT: Final = "subject"


class Asked(NamedTuple):
    """Whose profile is wanted, and which parts of it."""

    name: str
    parts: Selection


async def find_subject(tx: Tx, rules: Rules, name: str) -> Subject:
    """Who `kind:value` names: an identifier of any kind, `person:ID`, or `subject:ID`.

    Raises NotFound, and InvalidInput for a value that identifies nobody.
    """
    row = await view_store.subject(tx, await _who(tx, rules, name))
    if row is None:
        raise _nobody(name)
    return Subject(**row)


async def profile_views(
    tx: Tx, rules: Rules, asked: Sequence[Asked], now: datetime
) -> list[dict[str, Any] | SuzaniError]:
    """The parts that are asked for of whom each name names, as JSON values; traits as they are at `now`.

    Each is all of one moment. In the place of one that cannot be given stands why, as `find_subject` raises
    it.
    """
    found: dict[int, dict[str, Any] | SuzaniError] = {}
    together = defaultdict[tuple[Query, frozenset[str]], dict[int, Who]](dict)
    for place, one in enumerate(asked):
        try:
            who = await _who(tx, rules, one.name)
        except SuzaniError as error:
            found[place] = error
        else:
            together[who.query, frozenset(one.parts)][place] = who
    for (_, parts), whos in together.items():
        rows = await view_store.profiles_of(tx, list(whos.values()), parts)
        for number, place in enumerate(whos):
            row = rows.get(number)
            one = asked[place]
            found[place] = _view(rules, row, one.parts, now) if row else _nobody(one.name)
    return [found[place] for place in range(len(asked))]


def _view(rules: Rules, row: Mapping[str, Any], asked: Selection, now: datetime) -> dict[str, Any]:
    """What a row says of the parts that are asked for."""
    found = {"subject_id": row["subject_id"], "person_id": row["person_id"]} | _known(row, asked)
    if "traits" in asked:
        found |= _events(rules.traits, row, asked["traits"], now)
    if "segments" in asked:
        entered = segments.SEGMENTS_OF.read(row["segments"])
        since = {one.segment: {"entered_at": one.entered_at} for one in entered}
        found["segments"] = selected(since, asked["segments"])
    if "identifiers" in asked:
        names = stitching.IDENTIFIERS_OF.read(row["identifiers"])
        found["identifiers"] = [
            {"kind": one.kind, "value": one.value, "first_seen": one.first_seen} for one in names
        ]
    return found


async def _who(tx: Tx, rules: Rules, name: str) -> Who:
    """The query that finds whom a name names."""
    kind, _, value = name.partition(":")
    if kind == PERSON:
        person = await profiles.current_id(tx, _number(name, value))
        return Who(stitching.BY_PERSON, {"person_id": person})
    if kind == SUBJECT:
        return Who(stitching.BY_SUBJECT, {"subject_id": _number(name, value)})
    return Who(stitching.BY_IDENTIFIER, {"kind": kind, "value": rules.identifiers.name(kind, value)})


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 19):
        raise NotFound(f"nobody is known as {name}", hint=f"{value!r} is no number.")
    return int(value)


def _nobody(name: str) -> NotFound:
    hint = "Give a kind and a value, as in user_id:42 or email:ann@bank.uz."
    return NotFound(f"nobody is known as {name}", hint=hint)


def _known(row: Mapping[str, Any], asked: Selection) -> dict[str, Any]:
    """What the product systems know of a person; empty of a visitor."""
    facts = profiles.facts_of(row.get("golden"), row.get("products"))
    known = {"profile": facts.profile, "consent": facts.consent}
    found: dict[str, Any] = {
        part: selected(values, asked[part]) for part, values in known.items() if part in asked
    }
    if "products" in asked:
        found["products"] = [selected(product, asked["products"]) for product in facts.products]
    return found


def _events(
    plan: traits.Plan, row: Mapping[str, Any], names: frozenset[str] | None, now: datetime
) -> dict[str, Any]:
    """What follows from the events."""
    wanted = names if names is None else names.intersection(plan.names)
    return {
        "traits": plan.values(_state(plan, row["state"]), microseconds(now), wanted),
        "events": row["events"] or 0,
        "first_event_at": row["first_at"],
        "last_event_at": row["last_at"],
    }


def _state(plan: traits.Plan, kept: bytes | None) -> traits.State:
    """The state of traits; nothing where it cannot be read and is to be computed anew."""
    try:
        return plan.decode(kept)
    except InvalidInput:
        return plan.empty()
