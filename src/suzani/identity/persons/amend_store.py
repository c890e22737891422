"""The SQL of a change of few records: all that follows from it, by one statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from suzani.identity.persons.types import Applied, NewChange
from suzani.infra.arrays import integers
from suzani.infra.db import Query, load_queries
from suzani.infra.message import Message

_queries = load_queries("suzani.identity.persons", "amend.sql")
_start = load_queries("suzani.identity.persons").start_change


def _started(query: Query) -> Query:
    """A statement with what begins a change in its place."""
    return Query(query.text.replace("%(start_change)s", _start.text), query.name)


_ADD, _AMEND = _started(_queries.add), _started(_queries.amend)


@dataclass(frozen=True, slots=True)
class Amendment:
    """Records that come, go, change their person or say something new.

    `person_id`: None for a record that is gone. `seen_us`: when what a record says was written, in
    microseconds since 1970; None: it says what it did. `created`: new persons, under ids taken for them.
    `only_new`: no record ever had a person.
    """

    record_id: Sequence[int]
    person_id: Sequence[int | None]
    seen_us: Sequence[int | None]
    created: Sequence[int]
    only_new: bool


def add_amendment(
    message: Message, change: NewChange, amendment: Amendment, at: datetime, edges: str,
    after: int | None = None,
) -> Callable[[], Applied]:  # fmt: skip
    """Write memberships, moves, persons, the feed and new evidence, as a part of a message; what is returned
    gives what was done once that is answered. `edges`: rows of `identity.edge` as JSON.

    The message holds `store.lock`. It fails with psycopg's NotNullViolation if `after` is not the latest
    change.
    """
    only = None if change.persons is None else integers(change.persons)
    rows = message.add(
        _ADD if amendment.only_new else _AMEND,
        at=at, cause=change.cause.value, run_id=change.run_id, actor=change.actor, reason=change.reason,
        undoes=change.undoes, only=only, after=after, created=integers(amendment.created),
        records=integers(amendment.record_id), persons=integers(amendment.person_id),
        seen_us=integers(amendment.seen_us), edges=edges,
    )  # fmt: skip

    def applied() -> Applied:
        [row] = rows()
        return Applied(
            row["change_id"], row["at"], len(amendment.created), tuple(row["retired"]),
            tuple(row["revived"]), row["moves"], tuple(row["affected"]),
        )  # fmt: skip

    return applied
