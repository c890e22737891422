"""The SQL that takes events in: what is known of identifiers, and what changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from psycopg.rows import tuple_row

from suzani.infra.arrays import integers
from suzani.infra.db import Tx, execute, fetch, fetch_one, load_queries
from suzani.infra.queries import Query, compiled
from suzani.stitching.shaping import Edge, Held, Pair
from suzani.stitching.types import Affected, Cause, Name, Verdict

_queries = load_queries("suzani.stitching")
_SEPARATOR: Final = "\x1f"


class Known(NamedTuple):
    """An identifier that was seen before; `version` of its subject and the person of that."""

    identifier_id: int
    subject_id: int
    person_id: int | None
    version: int
    blocked: bool


class Pointer(NamedTuple):
    """A record that a name leads to, and the record's person."""

    record_id: int
    by: str
    person_id: int | None


@dataclass(frozen=True, slots=True)
class NewIdentifier:
    """An identifier to be stored."""

    held: Held
    pointer: Pointer | None


@dataclass(frozen=True, slots=True)
class NewChange:
    """Why identifiers move."""

    cause: Cause
    at: datetime
    actor: str = ""
    reason: str = ""
    undoes: int | None = None


async def _rows(tx: Tx, query: Query, **params: Any) -> list[tuple[Any, ...]]:
    """Rows as tuples: there are thousands."""
    async with tx.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(compiled(query), params)
        return await cursor.fetchall()


def joined(names: Sequence[Name]) -> dict[str, str]:
    """Names as two texts: the driver takes longer for arrays. No name has a control character."""
    return {
        "kinds": _SEPARATOR.join([name.kind for name in names]),
        "values": _SEPARATOR.join([name.value for name in names]),
    }


async def lookup(tx: Tx, names: Sequence[Name]) -> list[Known | None]:
    """What is known of each name."""
    known: list[Known | None] = [None] * len(names)
    if names:
        for number, *found in await _rows(tx, _queries.lookup, **joined(names)):
            known[number - 1] = Known(*found)
    return known


async def lock(tx: Tx, subjects: Iterable[int]) -> dict[int, int]:
    """Lock subjects until the transaction ends, in the order of their ids; the version of each."""
    return {row[0]: row[1] for row in await _rows(tx, _queries.lock, subjects=integers(sorted(subjects)))}


class Stored(NamedTuple):
    """A link as it is kept."""

    edge: Edge
    revoked: bool


async def links(tx: Tx, pairs: Collection[Pair]) -> dict[Pair, Stored]:
    """The links among these pairs that there are."""
    if not pairs:
        return {}
    weak, strong = integers(pair[0] for pair in pairs), integers(pair[1] for pair in pairs)
    rows = await _rows(tx, _queries.links, weak=weak, strong=strong)
    return {(row[0], row[1]): Stored(_edge(row), row[6]) for row in rows}


def _edge(row: Sequence[Any]) -> Edge:
    return Edge(row[0], row[1], row[2], row[3], row[4], Verdict(row[5]))


async def product_records(tx: Tx, numbers: Sequence[str]) -> dict[str, Pointer]:
    """The record of each product that one person alone holds."""
    rows = await fetch(tx, _queries.product_records, values=list(numbers))
    return {row["value"]: Pointer(row["record_id"], "product", row["person_id"]) for row in rows}


async def key_records(tx: Tx, keys: Sequence[str], systems: Sequence[str]) -> dict[str, Pointer]:
    """The record of each key in the first of some systems that has one."""
    rows = await fetch(tx, _queries.key_records, values=list(keys), systems=list(systems))
    return {row["value"]: Pointer(row["record_id"], "key", row["person_id"]) for row in rows}


async def persons_of_records(tx: Tx, records: Sequence[int]) -> dict[int, int]:
    """The person of each of these records that has one."""
    rows = await fetch(tx, _queries.persons_of_records, records=integers(records))
    return {row["record_id"]: row["person_id"] for row in rows}


async def subjects_of_persons(tx: Tx, persons: Collection[int]) -> dict[int, int | None]:
    """The person of the subject of each of these persons, by subject."""
    rows = await _rows(tx, _queries.subjects_of_persons, persons=integers(persons)) if persons else []
    return {row[0]: row[1] for row in rows}


async def subjects_now(tx: Tx, subjects: Collection[int]) -> dict[int, int | None]:
    """The person, or None, of each of these subjects."""
    return {row[0]: row[1] for row in await _rows(tx, _queries.subjects_now, subjects=integers(subjects))}


async def held(tx: Tx, subjects: Collection[int]) -> dict[int, Held]:
    """All identifiers of some subjects, by id."""
    return {row[0]: _held(row) for row in await _rows(tx, _queries.held, subjects=integers(subjects))}


def _held(row: Sequence[Any]) -> Held:
    return Held(row[0], Name(row[1], row[2]), row[3], row[4], row[5])


async def joining(tx: Tx, subjects: Collection[int]) -> dict[Pair, Edge]:
    """The links that hold some subjects together."""
    rows = await _rows(tx, _queries.joining, subjects=integers(subjects))
    return {(row[0], row[1]): _edge(row) for row in rows}


async def between_anchors(
    tx: Tx, subjects: Collection[int], anchors: Sequence[str]
) -> tuple[dict[Pair, Edge], dict[int, Held]]:
    """Links between two anchors, of those of some subjects that have no person; and both their ends."""
    rows = await _rows(tx, _queries.between_anchors, subjects=integers(subjects), anchors=list(anchors))
    ends = {row[6]: _held(row[6:]) for row in rows}
    edges = {(row[0], row[1]): _edge(row) for row in rows if row[0] in ends and row[1] in ends}
    return edges, ends


async def around(tx: Tx, subjects: Collection[int]) -> tuple[dict[Pair, Edge], set[int]]:
    """All evidence around some subjects that stands, and the subjects that it touches."""
    rows = await _rows(tx, _queries.around, subjects=integers(subjects))
    return {(row[0], row[1]): _edge(row) for row in rows}, {subject for row in rows for subject in row[6:]}


async def link_counts(tx: Tx, strong: Collection[int]) -> dict[tuple[int, str], int]:
    """How many links to weaker identifiers of a kind each identifier has."""
    rows = await _rows(tx, _queries.link_counts, strong=integers(strong)) if strong else []
    return {(row[0], row[1]): row[2] for row in rows}


async def shared_counts(
    tx: Tx, identifiers: Collection[int], anchors: Sequence[str]
) -> list[tuple[int, str, int]]:
    """Identifier, kind, and the number of anchors that it was seen with."""
    rows = await _rows(tx, _queries.shared_counts, identifiers=integers(identifiers), anchors=list(anchors))
    return [(row[0], row[1], row[2]) for row in rows]


async def reserve(tx: Tx, *, subjects: int = 0, identifiers: int = 0) -> tuple[list[int], list[int]]:
    """Ids that nobody else gets."""
    row = await fetch_one(tx, _queries.reserve, subjects=subjects, identifiers=identifiers) or {}
    return row["subjects"], row["identifiers"]


async def add_subjects(tx: Tx, created: Mapping[int, int | None], at: datetime) -> int:
    """Store new subjects with their persons; returns how many there was not one of yet."""
    ordered = sorted(created.items(), key=lambda one: (one[1] or 0, one[0]))
    subjects, persons = (
        integers(one for one, _ in ordered),
        integers(person for _, person in ordered),
    )
    return await execute(tx, _queries.add_subjects, subjects=subjects, persons=persons, at=at)


async def adopt(tx: Tx, adopted: Mapping[int, int]) -> None:
    """Give subjects that had no person theirs."""
    await execute(tx, _queries.adopt, subjects=integers(adopted), persons=integers(adopted.values()))


async def add_identifiers(
    tx: Tx, new: Iterable[NewIdentifier], subject_of: Mapping[int, int], at: datetime
) -> int:
    """Store new identifiers; returns how many nobody else had stored meanwhile. The order of their names
    keeps two who do so from waiting for each other in a circle."""
    ordered = sorted(new, key=lambda one: one.held.name)
    ids = [one.held.identifier_id for one in ordered]
    return await execute(
        tx, _queries.add_identifiers, ids=integers(ids), **joined([one.held.name for one in ordered]),
        subjects=integers(subject_of[one] for one in ids),
        records=integers(one.pointer.record_id if one.pointer else None for one in ordered),
        by=[one.pointer.by if one.pointer else None for one in ordered], at=at,
    )  # fmt: skip


async def move_identifiers(tx: Tx, moves: Mapping[int, int]) -> None:
    """Give identifiers other subjects."""
    await execute(tx, _queries.move_identifiers, ids=integers(moves), subjects=integers(moves.values()))


async def renew_subjects(
    tx: Tx, subjects: Iterable[int], came: Collection[int], merged: Mapping[int, int]
) -> None:
    """Tell subjects that identifiers left them or came, and those that are no more where they went."""
    ordered = sorted(subjects)
    await execute(
        tx, _queries.renew_subjects, subjects=integers(ordered), came=[one in came for one in ordered],
        merged_into=integers(merged.get(one) for one in ordered),
    )  # fmt: skip


async def add_change(tx: Tx, change: NewChange) -> int:
    """The id of a new change."""
    row = await fetch_one(
        tx, _queries.add_change, at=change.at, cause=change.cause.value, actor=change.actor,
        reason=change.reason, undoes=change.undoes,
    )  # fmt: skip
    assert row is not None  # noqa: S101 - insert ... returning gives a row
    return int(row["change_id"])


async def add_event_changes(tx: Tx, count: int, at: datetime) -> list[int]:
    """Ids of that many changes that events caused."""
    return sorted(row[0] for row in await _rows(tx, _queries.add_event_changes, count=count, at=at))


async def add_moves(tx: Tx, moves: Sequence[tuple[int, int, int, int]]) -> None:
    """Keep what changes moved: change, identifier, from and to which subject."""
    changes, ids, come_from, to = (integers(column) for column in zip(*moves, strict=True))
    await execute(tx, _queries.add_moves, changes=changes, ids=ids, **{"from": come_from, "to": to})


async def put_links(tx: Tx, edges: Sequence[tuple[Edge, int | None]]) -> None:
    """Store links as they are now, each with the change that it belongs to."""
    ordered = sorted(edges, key=lambda one: one[0].pair)
    await execute(
        tx, _queries.put_links, weak=integers(edge.weak for edge, _ in ordered),
        strong=integers(edge.strong for edge, _ in ordered), at=integers(edge.at for edge, _ in ordered),
        messages=[edge.message.hex() for edge, _ in ordered], alias=[edge.alias for edge, _ in ordered],
        reasons=[(edge.verdict or Verdict.JOINED).value for edge, _ in ordered],
        changes=integers(change for _, change in ordered),
    )  # fmt: skip


async def records_of_keys(tx: Tx, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Ids of records by system and key, where there are any."""
    systems, keys = [system for system, _ in names], [key for _, key in names]
    rows = await fetch(tx, _queries.records_of_keys, systems=systems, keys=keys)
    return {(row["system"], row["key"]): row["record_id"] for row in rows}


async def point_to_records(tx: Tx, pointers: Mapping[int, Pointer]) -> None:
    """Let identifiers that point to nothing lead to records."""
    found = list(pointers.values())
    await execute(
        tx,
        _queries.point_to_records,
        ids=integers(pointers),
        records=integers(one.record_id for one in found),
        by=[one.by for one in found],
    )


async def affect(tx: Tx, subjects: Iterable[int], *, moved: bool) -> None:
    """Note subjects to be computed anew."""
    await execute(tx, _queries.affect, subjects=integers(sorted(subjects)), moved=moved)


async def affect_everyone(tx: Tx) -> None:
    """Note that every profile may have changed."""
    await execute(tx, _queries.affect_everyone)


async def take_affected(tx: Tx, limit: int = 10_000) -> list[Affected]:
    """Subjects to be computed anew, taken off the list as `tx` commits; by several at once, if need be."""
    return [Affected(**row) for row in await fetch(tx, _queries.take_affected, limit=limit)]
