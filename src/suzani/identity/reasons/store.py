"""The SQL of explanations: memberships, weights, evidence, the model and what stewards said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from suzani.identity.reasons.assembly import Pair, Restraints
from suzani.identity.reasons.explaining import RecordName
from suzani.infra.db import Tx, fetch, fetch_one, load_queries

_queries = load_queries("suzani.identity.reasons")
_KINDS = ("must", "cannot")


async def survivor(tx: Tx, person_id: int) -> int | None:
    """The person an id leads to today, or None when there never was such a person."""
    row = await fetch_one(tx, _queries.survivor, person_id=person_id)
    return int(row["person_id"]) if row else None


async def record_id_of(tx: Tx, system: str, key: str) -> int | None:
    """The record of a system's key, or None."""
    row = await fetch_one(tx, _queries.record_id_of, system=system, key=key)
    return int(row["record_id"]) if row else None


async def members(tx: Tx, persons: Iterable[int]) -> dict[int, tuple[RecordName, ...]]:
    """The records of each person, by id."""
    found: dict[int, list[RecordName]] = {}
    for row in await fetch(tx, _queries.members, persons=sorted(set(persons))):
        name = RecordName(row["record_id"], row["system"], row["key"])
        found.setdefault(row["person_id"], []).append(name)
    return {person: tuple(names) for person, names in found.items()}


async def persons_of_records(tx: Tx, records: Iterable[int]) -> dict[int, int]:
    """The person of each of these records that has one."""
    rows = await fetch(tx, _queries.persons_of_records, records=sorted(set(records)))
    return {row["record_id"]: row["person_id"] for row in rows}


async def weights(tx: Tx, records: Sequence[int]) -> dict[Pair, float]:
    """The weight in bits of every stored pair with one of these records."""
    rows = await fetch(tx, _queries.weights_of_records, records=list(records))
    return {(row["record_a"], row["record_b"]): round(float(row["weight_bits"]), 2) for row in rows}


async def evidence(tx: Tx, pairs: Iterable[Pair]) -> dict[Pair, tuple[float, dict[str, Any]]]:
    """Weight and evidence of those of the pairs that are stored."""
    wanted = sorted(set(pairs))
    rows = await fetch(
        tx, _queries.evidence_of_pairs, left=[pair[0] for pair in wanted], right=[pair[1] for pair in wanted]
    )
    return {
        (row["record_a"], row["record_b"]): (round(float(row["weight_bits"]), 2), row["evidence"])
        for row in rows
    }


async def model(tx: Tx) -> dict[str, Any]:
    """The model of the latest finished run as its JSON; empty without one."""
    row = await fetch_one(tx, _queries.model)
    return dict(row["model"]) if row else {}


async def restraints(tx: Tx, records: Sequence[int]) -> Restraints:
    """What stewards said about any of these records and has not been revoked."""
    rows = await fetch(tx, _queries.constraints, records=list(records))
    said = {
        kind: {(row["record_a"], row["record_b"]) for row in rows if row["kind"] == kind} for kind in _KINDS
    }
    return Restraints(frozenset(said["must"]), frozenset(said["cannot"]))
