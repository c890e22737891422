"""Writing a new partition of some records: who keeps which id, what moved, who is affected."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.identity.persons import amend_store, store
from suzani.identity.persons.amend_store import Amendment
from suzani.identity.persons.continuity import keep_ids
from suzani.identity.persons.types import Applied, Cause, NewChange
from suzani.infra.db import Tx
from suzani.infra.message import Message

Ints = npt.NDArray[np.int64]
_FEW = 1_000


@dataclass(frozen=True)
class Partition:
    """Records, each with its new cluster (any labels) and the person it belongs to so far (0: none).

    Persons whose records are named must be named with all of them, `gone` ones included: records that live
    no more. A new record that joins a person can come alone, with a claim for that person.
    `seen_us`: the records' `updated_at` as they were resolved, and when they were resolved before
    (microseconds since 1970, `store.NEVER` where unknown); None if that stays as it is. `new`: records that
    never had a person.
    """

    record_id: Ints
    cluster: Ints
    before: Ints
    gone: Ints
    seen_us: tuple[Ints, Ints] | None = None
    new: Ints = field(default_factory=lambda: np.empty(0, np.int64))

    def said_anew(self) -> npt.NDArray[np.bool_]:
        """Records that say something else than when they were last resolved."""
        if self.seen_us is None:
            return np.zeros(len(self.record_id), dtype=bool)
        now, before = self.seen_us
        return np.asarray(now != before)


async def apply(
    tx: Tx, change: NewChange, partition: Partition, at: datetime, *, claim: Ints | None = None
) -> Applied:
    """Give every cluster its person and write what follows from it; the caller holds `store.lock`.

    A cluster keeps the id of the person that most of its records belonged to; `claim` goes before that: which
    person each record stands for, 0 for none. A cluster without either gets back the retired person that its
    records left last, or else a new id.
    """
    if change.cause is Cause.RUN and not await store.has_history(tx):
        return await _begin(tx, change, partition, at)
    person = await assign(tx, partition, claim)
    return (await amend(tx, change, partition, person, at))[0]


async def assign(tx: Tx, partition: Partition, claim: Ints | None = None) -> Ints:
    """The person of every record, as `apply` says; -1, -2, ... for persons that are to be new."""
    cluster = np.unique(partition.cluster, return_inverse=True)[1].astype(np.int64)
    claims = [partition.before] if claim is None else [claim, partition.before]
    person = keep_ids(cluster, *claims)
    missing = np.flatnonzero(person == 0)
    if len(missing):
        missing = missing[~np.isin(partition.record_id[missing], partition.new)]
    if len(missing):
        known = await store.former_persons(tx, partition.record_id[missing])
        former = np.zeros(len(person), dtype=np.int64)
        former[missing] = [known.get(record, 0) for record in partition.record_id[missing].tolist()]
        person = keep_ids(cluster, person, former)
    fresh = person == 0
    person[fresh] = -1 - np.unique(cluster[fresh], return_inverse=True)[1]
    return person


async def amend(
    tx: Tx, change: NewChange, partition: Partition, person: Ints, at: datetime, edges: str = "[]",
    last: Message | None = None,
) -> tuple[Applied, Ints]:  # fmt: skip
    """Write a change: `person` as `assign` gives it, `edges` the new evidence (rows of `identity.edge` as
    JSON). Returns what was done, and the person of every record now.

    With `last`, which began the transaction, a change of few records ends it.
    """
    changed = np.flatnonzero((person != partition.before) | partition.said_anew())
    if len(changed) + len(partition.gone) < _FEW:
        amendment = _amendment(partition, person, changed)
        applied, created = await amend_store.amend(tx, change, amendment, at, edges, last)
        return applied, _numbered(person, created)
    change_id, at = await store.start_change(tx, change, at)
    created = await store.add_persons(tx, _count_new(person), change, change_id, at)
    person = _numbered(person, created)
    table = _table(partition, person, changed)
    moves, affected = await store.replace_memberships(tx, change, change_id, at, table)
    retired, revived = await store.settle_persons(tx, change_id, at)
    applied = Applied(change_id, at, len(created), retired, revived, moves, None)
    applied = await store.feed(tx, applied, affected, created)
    if change.cause is not Cause.RUN:
        await store.touch_resolved(tx, change_id)
    await store.add_edges(tx, edges)
    return applied, person


async def _begin(tx: Tx, change: NewChange, partition: Partition, at: datetime) -> Applied:
    """The first persons ever: nobody has moved."""
    change_id, at = await store.start_change(tx, change, at)
    cluster = np.unique(partition.cluster, return_inverse=True)[1]
    created = await store.add_persons(tx, int(cluster.max(initial=-1)) + 1, change, change_id, at)
    columns = {"record_id": partition.record_id, "person_id": created[cluster]}
    if partition.seen_us is not None:
        columns["seen_us"] = partition.seen_us[0]
    await store.add_first_memberships(tx, change, change_id, at, columns)
    await store.feed_everyone(tx, change_id)
    return Applied(change_id, at, len(created), (), (), len(partition.record_id), None)


def _count_new(person: Ints) -> int:
    return -int(person.min(initial=0))


def _numbered(person: Ints, created: Ints) -> Ints:
    """The persons of all records, the new ones by their ids."""
    numbered, fresh = person.copy(), person < 0
    numbered[fresh] = created[-1 - person[fresh]]
    return numbered


def _amendment(partition: Partition, person: Ints, changed: Ints) -> Amendment:
    """The records for which something changes, the gone ones last."""
    rest = [None] * len(partition.gone)
    seen: list[int | None] = [None] * len(changed)
    if partition.seen_us is not None:
        seen = [None if us == store.NEVER else us for us in partition.seen_us[0][changed].tolist()]
    return Amendment(
        [*partition.record_id[changed].tolist(), *partition.gone.tolist()],
        [*person[changed].tolist(), *rest], [*seen, *rest], _count_new(person),
    )  # fmt: skip


def _table(partition: Partition, person: Ints, changed: Ints) -> pa.Table:
    """The same as a table: gone records have no person."""
    gone = len(partition.gone)
    seen = np.full(len(person), store.NEVER) if partition.seen_us is None else partition.seen_us[0]
    seen = np.append(seen[changed], np.full(gone, store.NEVER))
    person = np.append(person[changed], np.zeros(gone, np.int64))
    return pa.table(
        {
            "record_id": np.append(partition.record_id[changed], partition.gone),
            "person_id": pa.array(person, mask=person == 0),
            "seen": pa.array(seen, store.TIME, mask=seen == store.NEVER),
        }
    )
