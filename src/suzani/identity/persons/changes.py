"""Writing a new partition of some records: who keeps which id, what moved, who is affected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.identity.kernels import keeping
from suzani.identity.persons import amend_store, store
from suzani.identity.persons.amend_store import Amendment
from suzani.identity.persons.continuity import keep_ids
from suzani.identity.persons.types import Applied, Cause, NewChange
from suzani.infra.db import Tx
from suzani.infra.message import Message

Ints = npt.NDArray[np.int64]
Former = Callable[[Ints], Awaitable[dict[int, int]]]
FEW = 1_000
"""So many records are written by other statements."""


@dataclass(frozen=True)
class Partition:
    """Records, each with its new cluster (any labels) and the person it belongs to so far (0: none).

    Persons whose records are named must be named with all of them, `gone` ones included: records that live
    no more. A new record that joins a person can come alone, with a claim for that person.
    `seen_us`: the records' `updated_at` as they were resolved, and when they were resolved before
    (microseconds since 1970, `store.NEVER` where unknown); None if that stays as it is. `is_new`: which
    records never had a person, if that is known.
    """

    record_id: Ints
    cluster: Ints
    before: Ints
    gone: Ints
    seen_us: tuple[Ints, Ints] | None = None
    is_new: npt.NDArray[np.bool_] | None = None

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
    person = await assign(partition, partial(store.former_persons, tx), claim)
    return (await amend(tx, change, partition, person, at))[0]


async def assign(partition: Partition, former: Former, claim: Ints | None = None) -> Ints:
    """The person of every record, as `apply` says; -1, -2, ... for persons that are to be new.

    `former` is asked for the retired persons that records left last (`store.former_persons`), if need be.
    """
    cluster = keeping.ranks(partition.cluster)
    claims = [partition.before] if claim is None else [claim, partition.before]
    person = keep_ids(cluster, *claims)
    open_ = person == 0
    if partition.is_new is not None:
        open_ &= ~partition.is_new
    if open_.any():
        known = await former(partition.record_id[open_])
        left = np.zeros_like(person)
        left[open_] = [known.get(record, 0) for record in partition.record_id[open_].tolist()]
        person = keep_ids(cluster, person, left)
    return np.asarray(keeping.number_new(cluster, person))


async def amend(
    tx: Tx, change: NewChange, partition: Partition, person: Ints, at: datetime, edges: str = "[]",
    last: Message | None = None,
) -> tuple[Applied, Ints]:  # fmt: skip
    """Write a change: `person` as `assign` gives it, `edges` the new evidence (rows of `identity.edge` as
    JSON). Returns what was done, and the person of every record now.

    With `last`, which began the transaction, a change of few records ends it.
    """
    changed = _changed(partition, person)
    if len(changed) + len(partition.gone) < FEW:
        created = await store.take_person_ids(tx, count_new(person))
        message = last or Message(tx)
        applied, person = add_change(message, change, partition, person, created, at, edges)
        if last is not None:
            last.commit()
        await message.send()
        return applied(), person
    change_id, at = await store.start_change(tx, change, at)
    created = await store.add_persons(tx, count_new(person), change, change_id, at)
    person = _numbered(person, created)
    table = _table(partition, person, changed)
    moves, affected = await store.replace_memberships(tx, change, change_id, at, table)
    retired, revived = await store.settle_persons(tx, change_id, at)
    done = Applied(change_id, at, len(created), retired, revived, moves, None)
    done = await store.feed(tx, done, affected, created)
    if change.cause is not Cause.RUN:
        await store.touch_resolved(tx, change_id)
    await store.add_edges(tx, edges)
    return done, person


def add_change(
    message: Message, change: NewChange, partition: Partition, person: Ints, created: Ints, at: datetime,
    edges: str, after: int | None = None,
) -> tuple[Callable[[], Applied], Ints]:  # fmt: skip
    """`amend` of few records as a part of a message, the new persons under ids `created`. The first that is
    returned gives what was done once the message is answered; `after` as in `add_amendment`."""
    changed, person = _changed(partition, person), _numbered(person, created)
    amendment = _amendment(partition, person, changed, created)
    return amend_store.add_amendment(message, change, amendment, at, edges, after), person


def _changed(partition: Partition, person: Ints) -> Ints:
    """Places of records that move or say something new."""
    return np.asarray(((person != partition.before) | partition.said_anew()).nonzero()[0])


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


def count_new(person: Ints) -> int:
    """How many persons are to be new."""
    return -int(person.min(initial=0))


def _numbered(person: Ints, created: Ints) -> Ints:
    """The persons of all records, the new ones by their ids."""
    numbered, fresh = person.copy(), person < 0
    numbered[fresh] = created[-1 - person[fresh]]
    return numbered


def _amendment(partition: Partition, person: Ints, changed: Ints, created: Ints) -> Amendment:
    """The records for which something changes, the gone ones last."""
    rest = [None] * len(partition.gone)
    seen: list[int | None] = [None] * len(changed)
    if partition.seen_us is not None:
        seen = [None if us == store.NEVER else us for us in partition.seen_us[0][changed].tolist()]
    only_new = not rest and partition.is_new is not None and bool(partition.is_new[changed].all())
    return Amendment(
        [*partition.record_id[changed].tolist(), *partition.gone.tolist()],
        [*person[changed].tolist(), *rest], [*seen, *rest], created.tolist(), only_new,
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
