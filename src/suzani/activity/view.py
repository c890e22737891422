"""What a channel is told of somebody: golden values, consent, products, traits, segments, identifiers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any, Final

from suzani import profiles, segments, stitching
from suzani.activity import store
from suzani.activity.rows import instant, microseconds
from suzani.activity.rules import Rules
from suzani.activity.selection import Selection, selected
from suzani.infra.db import Tx
from suzani.kernel import NotFound
from suzani.stitching import Subject

PARTS: Final = ("profile", "consent", "products", "traits", "segments", "identifiers")
"""What a profile consists of; a channel may ask for some."""

PERSON: Final = "person"
SUBJECT: Final = "subject"


async def find_subject(tx: Tx, rules: Rules, name: str) -> Subject:
    """Who `kind:value` names: an identifier of any kind, `person:ID`, or `subject:ID`.

    Raises NotFound, and InvalidInput for a value that identifies nobody.
    """
    kind, _, value = name.partition(":")
    found: Subject | None
    if kind == PERSON:
        person = await profiles.current_id(tx, _number(name, value))
        found = await stitching.subject_of_person(tx, person)
    elif kind == SUBJECT:
        found = await stitching.current_subject(tx, _number(name, value))
    else:
        found = await stitching.find(tx, rules.identifiers, kind, value)
    if found is None:
        hint = "Give a kind and a value, as in user_id:42 or email:ann@bank.uz."
        raise NotFound(f"nobody is known as {name}", hint=hint)
    return found


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 19):
        raise NotFound(f"nobody is known as {name}", hint=f"{value!r} is no number.")
    return int(value)


async def profile_view(
    tx: Tx, rules: Rules, subject: Subject, asked: Selection, now: datetime
) -> Mapping[str, Any]:
    """The parts that are asked for, as JSON values; traits as they are at `now`."""
    subject_id = subject.subject_id
    reading: list[Awaitable[dict[str, Any]]] = []
    if {"profile", "consent", "products"} & asked.keys():
        reading.append(_known(tx, subject.person_id, asked))
    if "traits" in asked:
        reading.append(_events(tx, rules, subject_id, asked["traits"], now))
    if "segments" in asked:
        reading.append(_segments(tx, subject_id, asked["segments"]))
    if "identifiers" in asked:
        reading.append(_identifiers(tx, subject_id))
    found: dict[str, Any] = {"subject_id": subject_id, "person_id": subject.person_id}
    # One way to the server and back for all of them.
    async with tx.pipeline():
        for part in await asyncio.gather(*reading):
            found |= part
    return found


async def _known(tx: Tx, person_id: int | None, asked: Selection) -> dict[str, Any]:
    """What the product systems know of a person; empty of a visitor."""
    persons = [person_id] if person_id is not None else []
    facts = (await profiles.facts(tx, persons, with_products="products" in asked)).get(person_id or 0)
    known: dict[str, Any] = {
        "profile": facts.profile if facts else {},
        "consent": facts.consent if facts else {},
        "products": facts.products if facts else (),
    }
    found: dict[str, Any] = {
        name: selected(known[name], asked[name]) for name in ("profile", "consent") if name in asked
    }
    if "products" in asked:
        found["products"] = [selected(product, asked["products"]) for product in known["products"]]
    return found


async def _events(
    tx: Tx, rules: Rules, subject_id: int, names: frozenset[str] | None, now: datetime
) -> dict[str, Any]:
    """What follows from the events."""
    state = (await store.states(tx, rules.traits, [subject_id]))[subject_id]
    return {
        "traits": selected(rules.traits.values(state.traits, microseconds(now)), names),
        "events": state.events,
        "first_event_at": None if state.first_at is None else instant(state.first_at),
        "last_event_at": None if state.last_at is None else instant(state.last_at),
    }


async def _segments(tx: Tx, subject_id: int, names: frozenset[str] | None) -> dict[str, Any]:
    """Where they belong, and since when."""
    entered = await segments.segments_of(tx, subject_id)
    return {"segments": selected({one.segment: {"entered_at": one.entered_at} for one in entered}, names)}


async def _identifiers(tx: Tx, subject_id: int) -> dict[str, Any]:
    """By what they are known."""
    names = await stitching.identifiers(tx, [subject_id])
    shown = [{"kind": one.kind, "value": one.value, "first_seen": one.first_seen} for one in names]
    return {"identifiers": shown}
