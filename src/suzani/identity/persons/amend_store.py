"""The SQL of a change of few records: all that follows from it, by one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from suzani.identity.persons.types import Applied, NewChange
from suzani.infra.arrays import integers
from suzani.infra.db import Tx, load_queries
from suzani.infra.message import Message

Ints = npt.NDArray[np.int64]

_queries = load_queries("suzani.identity.persons", "amend.sql")


@dataclass(frozen=True, slots=True)
class Amendment:
    """Records that come, go, change their person or say something new.

    `person_id`: below 0 for the first, second, ... of `created` new persons, None for a record that is gone.
    `seen_us`: when what a record says was written, in microseconds since 1970; None: it says what it did.
    """

    record_id: Sequence[int]
    person_id: Sequence[int | None]
    seen_us: Sequence[int | None]
    created: int


async def amend(
    tx: Tx, change: NewChange, amendment: Amendment, at: datetime, edges: str, last: Message | None = None
) -> tuple[Applied, Ints]:
    """Write memberships, moves, persons, the feed and new evidence; returns what was done, and the new
    persons in their order. `edges`: rows of `identity.edge` as JSON. The caller holds `store.lock`.

    With `last`, which began the transaction, it ends with this: what is returned is durable.
    """
    only = None if change.persons is None else integers(change.persons)
    message = last or Message(tx)
    rows = message.add(
        _queries.amend, at=at, cause=change.cause.value, run_id=change.run_id, actor=change.actor,
        reason=change.reason, undoes=change.undoes, only=only, created=amendment.created,
        records=integers(amendment.record_id), persons=integers(amendment.person_id),
        seen_us=integers(amendment.seen_us), edges=edges,
    )  # fmt: skip
    if last is not None:
        last.commit()
    await message.send()
    [row] = rows()
    applied = Applied(
        row["change_id"], row["at"], amendment.created, tuple(row["retired"]), tuple(row["revived"]),
        row["moves"], tuple(row["affected"]),
    )  # fmt: skip
    return applied, np.array(row["created"], dtype=np.int64)
