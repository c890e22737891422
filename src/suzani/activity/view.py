"""What a channel is told of somebody: golden values, consent, products, traits, segments, identifiers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from suzani import profiles, segments, stitching, traits
from suzani.activity import view_store
from suzani.activity.rows import microseconds
from suzani.activity.rules import Rules
from suzani.activity.selection import Selection, selected
from suzani.activity.view_store import PARTS, Who
from suzani.infra.db import Tx
from suzani.kernel import InvalidInput, NotFound
from suzani.stitching import Subject

__all__ = ["PARTS", "find_subject", "profile_view"]

PERSON: Final = "person"
SUBJECT: Final = "subject"


async def find_subject(tx: Tx, rules: Rules, name: str) -> Subject:
    """Who `kind:value` names: an identifier of any kind, `person:ID`, or `subject:ID`.

    Raises NotFound, and InvalidInput for a value that identifies nobody.
    """
    row = await view_store.subject(tx, await _who(tx, rules, name))
    if row is None:
        raise _nobody(name)
    return Subject(**row)


async def profile_view(tx: Tx, rules: Rules, name: str, asked: Selection, now: datetime) -> dict[str, Any]:
    """The parts that are asked for of whom `name` names, as JSON values, all of one moment; traits as they
    are at `now`. Raises as `find_subject` does."""
    row = await view_store.profile(tx, await _who(tx, rules, name), asked)
    if row is None:
        raise _nobody(name)
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
