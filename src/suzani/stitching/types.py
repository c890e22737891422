"""What stitching tells others: identifiers, subjects, links and changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Name(NamedTuple):
    """An identifier as events say it, in its standard form: `email` and `ann@bank.uz`."""

    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


class Cause(StrEnum):
    """Why identifiers moved."""

    EVENT = "event"
    IDENTITY = "identity"
    SHARING = "sharing"
    STEWARD = "steward"
    UNDO = "undo"


class Verdict(StrEnum):
    """What became of two identifiers seen together.

    AGREED: they belonged together before. TWO_KNOWN: each stands for somebody already. LIMIT: the stronger
    one has as many of this kind as it may have. SHARED: one of them is seen with too many others to tell
    anything.
    """

    JOINED = ""
    AGREED = "agreed"
    TWO_KNOWN = "two known"
    LIMIT = "limit"
    SHARED = "shared"
    TAKEN_BACK = "taken back"


@dataclass(frozen=True, slots=True)
class Stitched:
    """Whose the events of a batch are.

    `subject_of` and `identifier_of` are by event; 0 where the event says nothing of whose it is. `merged`
    lists the subjects that became part of another, in order; `reshaped` those that won or lost some
    identifiers, with the events of these, otherwise. `persons` has the person, or None, of every subject
    named here. All of them are locked. `versions`: of the subjects that this batch did not change.
    `identifiers`: those that had to be looked up, among them all of users of whom something was told.
    """

    subject_of: Sequence[int]
    identifier_of: Sequence[int]
    merged: Sequence[tuple[int, int]] = ()
    reshaped: frozenset[int] = frozenset()
    persons: Mapping[int, int | None] = field(default_factory=dict)
    versions: Mapping[int, int] = field(default_factory=dict)
    identifiers: Mapping[Name, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier and whose it is. `record_id`: the source record it points to, found `record_by` key,
    product or contact; `denied`: a steward said that it points to none. `blocked`: it is seen with too many
    others to be evidence."""

    identifier_id: int
    kind: str
    value: str
    subject_id: int
    record_id: int | None
    record_by: str | None
    denied: bool
    blocked: bool
    first_seen: datetime


@dataclass(frozen=True, slots=True)
class Subject:
    """A person, or a visitor who is not known yet. `subject_id` is who it is today, `asked_id` what was asked
    for."""

    subject_id: int
    person_id: int | None
    created_at: datetime
    asked_id: int


@dataclass(frozen=True, slots=True)
class Link:
    """Two identifiers seen together, first in `message` at `at`, and what became of it.

    `change_id` is the change that came of it."""

    weak: Identifier
    strong: Identifier
    at: datetime
    message: bytes
    alias: bool
    verdict: Verdict
    change_id: int | None


class Moved(NamedTuple):
    """An identifier that a change moved."""

    identifier_id: int
    kind: str
    value: str
    from_subject: int
    to_subject: int


class What(StrEnum):
    """What a change may do to evidence."""

    REVOKED = "revoked"
    RESTORED = "restored"
    DENIED = "denied"
    ALLOWED = "allowed"
    BLOCKED = "blocked"
    CLEARED = "cleared"

    @property
    def opposite(self) -> What:
        """What takes it back."""
        return _OPPOSITES[self]


_OPPOSITES = {What.REVOKED: What.RESTORED, What.DENIED: What.ALLOWED, What.BLOCKED: What.CLEARED}
_OPPOSITES |= {back: what for what, back in _OPPOSITES.items()}


class Step(NamedTuple):
    """One thing that a change did: to a link (`weak_id` and `strong_id`), or to an identifier (`weak_id`)."""

    what: What
    weak_id: int
    strong_id: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change of subjects: why, by whom, what it did to evidence, and what that moved."""

    change_id: int
    at: datetime
    cause: Cause
    actor: str
    reason: str
    undoes: int | None
    steps: tuple[Step, ...]
    moves: tuple[Moved, ...]


@dataclass(frozen=True, slots=True)
class Affected:
    """A subject to compute anew; None for everyone. `moved`: its events are others than before; else its
    person's profile is."""

    subject_id: int | None
    moved: bool
