"""What identity tells others about changes of persons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Cause(StrEnum):
    """Why persons changed: a run over all records, a delta, one record, a steward, or an undo."""

    RUN = "run"
    DELTA = "delta"
    ONLINE = "online"
    STEWARD = "steward"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class NewChange:
    """A change about to be made. `persons`: what an undo is limited to, None for all that it undoes."""

    cause: Cause
    run_id: int | None = None
    actor: str = ""
    reason: str = ""
    undoes: int | None = None
    persons: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was made."""

    change_id: int
    at: datetime
    cause: Cause
    run_id: int | None
    actor: str
    reason: str
    undoes: int | None
    persons: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Applied:
    """What a change did. `affected` persons are those of the feed, None for everyone; `moves` counts the
    records that came, went, or changed their person."""

    change_id: int
    at: datetime
    created: int
    retired: tuple[int, ...]
    revived: tuple[int, ...]
    moves: int
    affected: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Affected:
    """Persons that changed since a consumer last read the feed, None for everyone; it ended at `up_to`."""

    persons: tuple[int, ...] | None
    up_to: int


class Kind(StrEnum):
    """What a steward says about two records."""

    MUST = "must"
    CANNOT = "cannot"


@dataclass(frozen=True, slots=True)
class Constraint:
    """A steward's word about two records; `revoked_at` is None while it holds."""

    constraint_id: int
    kind: Kind
    record_a: int
    record_b: int
    at: datetime
    actor: str
    reason: str
    change_id: int
    revoked_at: datetime | None
    revoked_by: str | None
    revoked_change: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a steward's decision did at once: the persons that its records belong to now, the ids that were
    retired and revived, how many persons are new, how many records moved, and the constraints that were added
    and taken back."""

    change_id: int
    at: datetime
    persons: tuple[int, ...]
    created: int
    retired: tuple[int, ...]
    revived: tuple[int, ...]
    moves: int
    constraints: tuple[int, ...]
    revoked: tuple[int, ...]
