"""Everything known about one person, put together for people to look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from suzani.infra.db import Tx
from suzani.kernel import ATTRIBUTES, NotFound
from suzani.profiles import store
from suzani.profiles.golden import CONSENT
from suzani.profiles.ranking import ONLY
from suzani.profiles.types import (
    Balance,
    Customer,
    Edge,
    FieldEvidence,
    Golden,
    Happening,
    LostValue,
    Origin,
    Product,
    Profile,
    SourceRecord,
    ValueChange,
)

GOLDEN_ATTRIBUTES: tuple[str, ...] = (*ATTRIBUTES, CONSENT)
"""The attributes of a golden record, in the order they are shown."""

HISTORY_LIMIT = 200

Row = dict[str, Any]


async def current_id(tx: Tx, person_id: int) -> int:
    """The id a person has today: an id that was merged away leads to the person it went to.

    Raises NotFound when there never was such a person.
    """
    survivor = await store.survivor(tx, person_id)
    if survivor is None:
        raise NotFound(
            f"no person has the id {person_id}", hint="Search by name, phone, document or product number."
        )
    return survivor


async def customer(tx: Tx, person_id: int) -> Customer:
    """The golden record of a person with its sources, products, evidence and history.

    Raises NotFound for an unknown person, and for one who has no profile (yet).
    """
    person_id = await current_id(tx, person_id)
    profile = await store.profile(tx, person_id)
    if profile is None:
        raise NotFound(
            f"person {person_id} has no profile",
            hint="They have no live records, or profiles are not built: run `suzani profiles rebuild`.",
        )
    rows = await store.customer_rows(tx, person_id)
    return Customer(
        profile=_profile(profile),
        records=tuple(map(_record, rows["records"])),
        products=tuple(map(_product, rows["products"])),
        edges=tuple(map(_edge, rows["edges"])),
        history=_history(rows),
    )


def _profile(row: Row) -> Profile:
    origins = [Origin(record, system, _time(at)) for record, system, at in row["records"]]
    return Profile(
        person_id=row["person_id"],
        display_name=row["display_name"],
        golden=tuple(
            _golden(name, row[name], row["provenance"].get(name), origins) for name in GOLDEN_ATTRIBUTES
        ),
        record_count=row["record_count"],
        systems=tuple(row["systems"]),
        product_count=row["product_count"],
        product_kinds=tuple(row["product_kinds"]),
        balances=tuple(
            Balance(currency, Decimal(held), Decimal(owed))
            for currency, (held, owed) in sorted(row["balances"].items())
        ),
        may_market=row[CONSENT] == "granted",
        built_at=row["built_at"],
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _golden(
    name: str, value: str | date | None, why: Sequence[Any] | None, origins: Sequence[Origin]
) -> Golden:
    """Provenance is stored by position; a person with one record has none stored, as it goes without
    saying."""
    if why is None:
        return Golden(name, value, origins[0], ONLY) if value is not None else Golden(name, None, None, None)
    position, rule, also, lost = why
    return Golden(
        attribute=name,
        value=value,
        origin=origins[position],
        rule=rule,
        also=tuple(origins[other] for other in also),
        lost=tuple(LostValue(text, origins[other]) for text, other in lost),
    )


def _record(row: Row) -> SourceRecord:
    return SourceRecord(
        record_id=row["record_id"],
        system=row["system"],
        key=row["key"],
        values={name: str(row[name]) for name in ATTRIBUTES if row[name] is not None},
        consent=row[CONSENT],
        consent_at=row["consent_at"],
        as_of=row["as_of"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        extra=row["extra"] or {},
    )


def _product(row: Row) -> Product:
    return Product(**{name: row[name] for name in Product.__slots__})


def _edge(row: Row) -> Edge:
    evidence = (
        FieldEvidence(name, str(level), float(bits)) for name, (level, bits) in row["evidence"].items()
    )
    return Edge(
        record_a=row["record_a"],
        record_b=row["record_b"],
        weight_bits=row["weight_bits"],
        probability=row["probability"],
        evidence=tuple(sorted(evidence, key=lambda field: -abs(field.bits))),
    )


def _history(rows: dict[str, list[Row]]) -> tuple[Happening, ...]:
    """What happened to the person and to their records, newest first, at most HISTORY_LIMIT entries."""
    happenings = [
        Happening(row["created_at"], "person_created", person_id=row["person_id"]) for row in rows["person"]
    ]
    happenings += [
        Happening(row["retired_at"], "person_merged", person_id=row["person_id"])
        for row in rows["merged"]
        if row["retired_at"]
    ]
    happenings += [
        Happening(row["created_at"], "record_added", row["system"], row["record_id"])
        for row in rows["records"]
    ]
    current = {row["record_id"]: row for row in rows["records"]}
    happenings += _changes(rows["changes"], current)
    return tuple(sorted(happenings, key=lambda entry: entry.at, reverse=True)[:HISTORY_LIMIT])


def _changes(changes: Sequence[Row], current: dict[int, Row]) -> Iterable[Happening]:
    """Changes with the values before and after; what came after is in the next change, or in the record
    itself.

    `changes` are in order of record and time. A change keeps the values that were not null; one of the key
    keeps the key alone.
    """
    after: dict[int, Row] = {record_id: dict(row) for record_id, row in current.items()}
    for change in reversed(changes):
        record_id, before = change["record_id"], change["before"]
        later = after.setdefault(record_id, {})
        names = ("key",) if change["kind"] == "rekeyed" else GOLDEN_ATTRIBUTES
        changed = tuple(
            ValueChange(name, _text(before.get(name)), _text(later.get(name)))
            for name in names
            if _text(before.get(name)) != _text(later.get(name))
        )
        after[record_id] = later | {name: before.get(name) for name in names}
        yield Happening(
            change["at"], f"record_{change['kind']}", change["system"], record_id, changes=changed
        )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
