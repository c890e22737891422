"""Carrying out what a steward decides: checked against all that was decided before, and in effect at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import psycopg

from suzani.identity.persons import lineage_store, store
from suzani.identity.persons.changes import Partition, apply
from suzani.identity.persons.constraints import Contradiction, Link, among, find_contradiction
from suzani.identity.persons.settling import Evidence, settle
from suzani.identity.persons.types import Cause, Kind, NewChange, Outcome
from suzani.infra import jobs
from suzani.infra.db import Tx
from suzani.kernel import Busy, Conflict, InvalidInput, NotFound, now

Ints = npt.NDArray[np.int64]
Claim = Callable[[Ints, Ints, Ints], Ints]
"""From record, person so far and new cluster: the person that each record stands for, 0 for none."""


PATIENCE_SECONDS: Final = 5.0
"""How long a decision waits for a run or another decision to end."""

_RUN_SECONDS: Final = 10


class Contradicted(Conflict):
    """What is asked for contradicts `constraints` that stand (their ids)."""

    def __init__(self, message: str, constraints: Sequence[int]) -> None:
        super().__init__(
            message,
            hint="Undo one of these changes first (`suzani person undo CHANGE`), or take one constraint back"
            " (`suzani person constraints --revoke N`).",
        )
        self.constraints = tuple(constraints)


@dataclass(frozen=True)
class Decision:
    """What is `said` from now on, what only shapes this change (`meanwhile`), what goes together unless
    something keeps it apart (`together`), what is `taken_back`, and further records it is `about`."""

    change: NewChange
    said: Sequence[Link] = ()
    meanwhile: Sequence[Link] = ()
    together: Sequence[Link] = ()
    taken_back: Sequence[Link] = ()
    about: Sequence[int] = ()
    claim: Claim | None = None


async def hold_lock(tx: Tx) -> None:
    """Hold the lock of identity until the transaction ends.

    Raises Busy when others, such as a run over all records, keep it for longer than `PATIENCE_SECONDS`.
    """
    try:
        await store.lock_within(tx, PATIENCE_SECONDS, 0)
    except psycopg.errors.LockNotAvailable:
        raise Busy("all records are being resolved; nothing can be decided meanwhile", _RUN_SECONDS) from None


async def decide(tx: Tx, decision: Decision) -> Outcome:
    """Carry out a decision; the caller holds the lock. Publishes `identity.changed`.

    Raises Contradicted, naming the constraints, when it cannot hold beside those that stand.
    """
    taken = [link.constraint_id for link in decision.taken_back if link.constraint_id is not None]
    standing = [link for link in await lineage_store.active_links(tx) if link.constraint_id not in taken]
    if decision.change.cause is Cause.STEWARD:
        await _refuse_repeated(tx, standing, decision.said)
    links = [*standing, *decision.said, *decision.meanwhile]
    found = find_contradiction(links)
    if found is not None:
        raise await _conflict(tx, found)
    partition = await _settled(tx, decision, links)
    claim = None
    if decision.claim is not None:
        claim = decision.claim(partition.record_id, partition.before, partition.cluster)
    applied = await apply(tx, decision.change, partition, now(), claim=claim)
    facts = (decision.change, applied.change_id, applied.at)
    await lineage_store.revoke_constraints(tx, taken, *facts)
    added = await lineage_store.add_constraints(tx, decision.said, *facts)
    await jobs.publish(tx, "identity.changed")
    holders = await lineage_store.persons_of_records(tx, partition.record_id.tolist())
    return Outcome(
        change_id=applied.change_id,
        at=applied.at,
        persons=tuple(sorted(set(holders.values()))),
        created=applied.created,
        retired=applied.retired,
        revived=applied.revived,
        moves=applied.moves,
        constraints=added,
        revoked=tuple(taken),
    )


async def _refuse_repeated(tx: Tx, standing: Sequence[Link], said: Sequence[Link]) -> None:
    """Raise Conflict when all of this was said before and stands."""
    known = {(link.kind, link.a, link.b): link.constraint_id for link in standing}
    ids = [known.get((link.kind, link.a, link.b)) for link in said]
    stored = [number for number in ids if number is not None]
    if said and len(stored) == len(said):
        told = await lineage_store.constraints(tx, ids=stored)
        changes = ", ".join(map(str, sorted({one.change_id for one in told})))
        raise Conflict(f"this was decided already, in change {changes}")


async def _settled(tx: Tx, decision: Decision, links: Sequence[Link]) -> Partition:
    """The persons of all records that the decision names, whole, as they are to be."""
    decided = [*decision.said, *decision.meanwhile]
    named = sorted({record for link in decided for record in (link.a, link.b)} | set(decision.about))
    persons = await lineage_store.persons_of_records(tx, named)
    record_id, person = await lineage_store.records_of_persons(tx, sorted(set(persons.values())))
    must, cannot = among([*links, *decision.together], record_id)
    cluster = settle(record_id, person, must, cannot, await evidence_among(tx, record_id))
    return Partition(record_id, cluster, person, np.empty(0, np.int64))


async def evidence_among(tx: Tx, record_id: Ints) -> Evidence:
    """The stored evidence between any two of these records."""
    edges = await store.edges_among(tx, record_id)
    probability = np.clip(edges.column("probability").to_numpy(), 1e-6, 1 - 1e-6)
    return Evidence(
        edges.column("record_a").to_numpy(),
        edges.column("record_b").to_numpy(),
        np.log2(probability / (1 - probability)),
    )


async def _conflict(tx: Tx, found: Contradiction) -> Contradicted:
    """The contradiction in words, with the way out."""
    links = [found.cannot, *found.path]
    names = await lineage_store.record_names(tx, [record for link in links for record in (link.a, link.b)])
    stored = [link.constraint_id for link in links if link.constraint_id is not None]
    told = {c.constraint_id: c for c in await lineage_store.constraints(tx, ids=stored)}

    def name(record: int) -> str:
        return f"{names[record]['system']}/{names[record]['key']}" if record in names else f"record {record}"

    def words(link: Link) -> str:
        verb = "are one person" if link.kind is Kind.MUST else "are two persons"
        said = told.get(link.constraint_id or 0)
        who = (
            "as asked for now"
            if said is None
            else (
                f"constraint {said.constraint_id} of change {said.change_id}, by {said.actor}"
                f" on {said.at:%Y-%m-%d}: {said.reason}"
            )
        )
        return f"{name(link.a)} and {name(link.b)} {verb} ({who})"

    return Contradicted("this contradicts what was decided: " + "; ".join(map(words, links)), stored)


async def require_live(tx: Tx, records: Sequence[int]) -> dict[int, int]:
    """The person of each of these records.

    Raises NotFound for a record that never was, Conflict for one that is deleted or not resolved yet.
    """
    persons = await lineage_store.persons_of_records(tx, records)
    missing = [record for record in records if record not in persons]
    if missing:
        names = await lineage_store.record_names(tx, missing)
        row = names.get(missing[0])
        if row is None:
            raise NotFound(f"there is no record {missing[0]}")
        name = f"record {row['system']}/{row['key']}"
        if row["deleted_at"] is not None:
            raise Conflict(f"{name} is deleted")
        raise Conflict(f"{name} is not resolved yet", hint="Run `suzani resolve`.")
    return persons


async def require_persons(tx: Tx, persons: Sequence[int]) -> None:
    """Raise NotFound for an id that never was a person's, Conflict for one that is retired, saying where it
    went."""
    for person_id in persons:
        row = await lineage_store.person(tx, person_id)
        if row is None:
            raise NotFound(f"no person has the id {person_id}")
        if row["retired_at"] is not None:
            heir = await lineage_store.survivor(tx, person_id)
            where = f"person {heir} has taken over" if heir else "all records are gone"
            raise Conflict(f"person {person_id} was retired: {where}")


def require_words(actor: str, reason: str) -> None:
    """Raise InvalidInput unless it is said who decides, and why."""
    for what, text in (("an actor", actor), ("a reason", reason)):
        if not text.strip():
            raise InvalidInput(f"a decision needs {what}")
