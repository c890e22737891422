"""What identify calls tell about users becomes source records, which identity resolution judges like any
other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from suzani import sources
from suzani.events import Event, EventType, getter
from suzani.infra import jobs
from suzani.infra.db import Tx
from suzani.kernel import ATTRIBUTES, InvalidInput
from suzani.sources import LONGEST_KEY, Fate, Typed
from suzani.stitching import store
from suzani.stitching.rules import Rules
from suzani.stitching.store import Pointer
from suzani.stitching.types import Name, Stitched

_TRAITS: Final[Mapping[str, str]] = {
    "firstName": "given_name", "first_name": "given_name", "lastName": "family_name", "last_name":
    "family_name", "middleName": "patronymic", "middle_name": "patronymic", "name": "full_name", "birthday":
    "birth_date", "birthDate": "birth_date", "gender": "sex", "title": "occupation", "nationalId":
    "national_id", "taxId": "tax_id", **{name: name for name in ATTRIBUTES},
}  # fmt: skip
_ADDRESS: Final[Mapping[str, str]] = {
    "street": "address", "city": "city", "state": "region", "region": "region", "postalCode": "postcode",
    "postal_code": "postcode", "country": "country",
}  # fmt: skip
_DAY: Final = len("1985-03-14")
_reader = sources.Reader()


class User(NamedTuple):
    """Who told: the event source, and the user's id there."""

    source: str
    name: Name


async def tell(tx: Tx, rules: Rules, events: Sequence[Event], stitched: Stitched, now: datetime) -> None:
    """Store what the identify calls among stitched events say as records of their sources, and let the users
    point to them. What is new is resolved by a job that waits for `tx`.

    Others wait to write records of these sources until `tx` ends: call it late.
    """
    said = users(rules, events)
    if not said:
        return
    known = await store.records_of_keys(tx, [(user.source, user.name.value) for user in said])
    before = {(row["system"], row["key"]): row for row in await sources.records_of(tx, list(known.values()))}
    rows = [
        typed
        for user, attributes in said.items()
        if (typed := _record(user, before.get((user.source, user.name.value)), attributes))
    ]
    if not rows:
        return
    put = await sources.put(tx, rows, now)
    keys = {(user.source, user.name.value): user.name for user in said}
    new = {
        stitched.identifiers[keys[row.system, row.key]]: Pointer(record_id, "key", None)
        for row, record_id in reversed(list(zip(rows, put.record_ids, strict=True)))
        if keys[row.system, row.key] in stitched.identifiers
    }
    await store.point_to_records(tx, new)
    if any(fate is not Fate.UNCHANGED for fate in put.fates):
        await jobs.publish(tx, "sources.changed", systems=sorted({row.system for row in rows}))


def users(rules: Rules, events: Iterable[Event]) -> dict[User, dict[str, str]]:
    """What identify calls say about each user, the latest value of each attribute. Pure."""
    kinds = [kind for kind in rules.kinds.values() if kind.points_to == "key"]
    calls = [event for event in events if event.type is EventType.IDENTIFY and event.traits]
    said: dict[User, dict[str, str]] = {}
    for event in sorted(calls, key=lambda event: (event.at, event.message)):
        for kind in kinds:
            value = next((form for path in kind.paths if (form := kind.read(getter(path)(event)))), None)
            attributes = attributes_of(event.traits) if value and len(value) <= LONGEST_KEY else {}
            if value and attributes:
                said.setdefault(User(event.source, Name(kind.name, value)), {}).update(attributes)
    return said


def attributes_of(traits: Mapping[str, Any]) -> dict[str, str]:
    """The attributes of a person among traits, under the names that Segment gives them or our own.

    What cannot be used, such as a birthday that is no date, is left out. Pure.
    """
    found: dict[str, str] = {}
    address, company = traits.get("address"), traits.get("company")
    parts = address if isinstance(address, dict) else {"street": address}
    for given, names in ((parts, _ADDRESS), (traits, _TRAITS)):
        for trait, attribute in names.items():
            if text := _usable(attribute, given.get(trait)):
                found[attribute] = text
    if isinstance(company, dict) and (employer := _usable("employer", company.get("name"))):
        found["employer"] = employer
    return found


def _usable(attribute: str, value: Any) -> str | None:
    """A value as text, if it can be that attribute."""
    if type(value) is int:
        value = str(value)
    if type(value) is not str:
        return None
    if attribute == "birth_date" and value[_DAY : _DAY + 1] == "T":
        value = value[:_DAY]
    try:
        return sources.attributes_of(_reader.values({attribute: value})).get(attribute)
    except InvalidInput:
        return None


def _record(user: User, before: Mapping[str, Any] | None, said: Mapping[str, str]) -> Typed | None:
    """The user's record with what was said; None if it says all that already."""
    known: dict[str, str] = {}
    if before is not None and before["deleted_at"] is None:
        known = {name: str(before[name]) for name in ATTRIBUTES if before[name] is not None}
        if all(known.get(name) == value for name, value in said.items()):
            return None
    try:
        return replace(_reader.record(user.name.value, {**known, **said}), system=user.source)
    except InvalidInput:
        return None
