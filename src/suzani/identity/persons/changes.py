"""Writing a new partition of some records: who keeps which id, what moved, who is affected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.identity.persons import store
from suzani.identity.persons.continuity import keep_ids
from suzani.identity.persons.types import Applied, NewChange
from suzani.infra.db import Tx

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Partition:
    """Records, each with its new cluster (any labels) and the person it belongs to so far (0: none).

    Persons whose records are named must be named with all of them, `gone` ones included: records that live
    no more. A new record that joins a person can come alone, with a claim for that person.
    `seen_us`: the records' `updated_at` as they were resolved, and when they were resolved before
    (microseconds since 1970, `store.NEVER` where unknown); None if that stays as it is.
    """

    record_id: Ints
    cluster: Ints
    before: Ints
    gone: Ints
    seen_us: tuple[Ints, Ints] | None = None

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
    return (await apply_and_tell(tx, change, partition, at, claim=claim))[0]


async def apply_and_tell(
    tx: Tx, change: NewChange, partition: Partition, at: datetime, *, claim: Ints | None = None
) -> tuple[Applied, Ints]:
    """`apply`, with the person of every record of the partition now."""
    first = not await store.has_history(tx)
    change_id, at = await store.start_change(tx, change, at)
    person, created = await _persons(tx, change, partition, claim, change_id, at, first)
    if first:
        columns = {"record_id": partition.record_id, "person_id": person}
        if partition.seen_us is not None:
            columns["seen_us"] = partition.seen_us[0]
        await store.add_first_memberships(tx, change, change_id, at, columns)
        await store.feed_everyone(tx, change_id)
        return Applied(change_id, at, len(created), (), (), len(person), None), person
    moves, affected = await store.replace_memberships(tx, change, change_id, at, _table(partition, person))
    retired, revived = await store.settle_persons(tx, change_id, at)
    applied = Applied(change_id, at, len(created), retired, revived, moves, None)
    return await store.feed(tx, applied, affected, created), person


async def _persons(
    tx: Tx,
    change: NewChange,
    partition: Partition,
    claim: Ints | None,
    change_id: int,
    at: datetime,
    first: bool,
) -> tuple[Ints, Ints]:
    """The person of every record, and which of them are new."""
    cluster = np.unique(partition.cluster, return_inverse=True)[1].astype(np.int64)
    claims = [partition.before] if claim is None else [claim, partition.before]
    person = keep_ids(cluster, *claims)
    if not first and not person.all():
        person = keep_ids(cluster, person, await _former(tx, partition.record_id, person))
    fresh = np.unique(cluster[person == 0])
    created = await store.add_persons(tx, len(fresh), change, change_id, at)
    of_cluster = np.zeros(int(cluster.max(initial=-1)) + 1, dtype=np.int64)
    of_cluster[cluster] = person
    of_cluster[fresh] = created
    return of_cluster[cluster], created


async def _former(tx: Tx, record_id: Ints, person: Ints) -> Ints:
    """The retired person that each record without a person left last, 0 for none."""
    missing = np.flatnonzero(person == 0)
    known = await store.former_persons(tx, record_id[missing])
    former = np.zeros(len(record_id), dtype=np.int64)
    former[missing] = [known.get(record, 0) for record in record_id[missing].tolist()]
    return former


def _table(partition: Partition, person: Ints) -> pa.Table:
    """What `store.replace_memberships` takes: the records for which something changes; gone ones have no
    person."""
    changed = np.flatnonzero((person != partition.before) | partition.said_anew())
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
