"""What segments give to others and take from them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias

from suzani.infra.db import Tx

PRODUCT_FIELDS: Final = (
    "number", "kind", "name", "currency", "balance", "status", "opened_on", "closed_on", "system"
)  # fmt: skip
"""What rules may ask about a product."""

CONSENT_FIELDS: Final = ("marketing", "marketing_at")
"""What rules may ask about consent: by purpose `granted`, `denied` or nothing, and since when."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that rules may ask about one subject; a visitor without a person has traits alone.

    `profile`: golden values by name; `products`: each by PRODUCT_FIELDS; `traits`: values by name; `consent`
    by CONSENT_FIELDS.
    """

    profile: Mapping[str, Any] = field(default_factory=dict)
    products: Sequence[Mapping[str, Any]] = ()
    traits: Mapping[str, Any] = field(default_factory=dict)
    consent: Mapping[str, Any] = field(default_factory=dict)


class FactsReader(Protocol):
    """Reads what is known of every subject, some at a time, in one transaction."""

    def __call__(self, tx: Tx, /) -> AsyncIterator[Sequence[tuple[int, Facts]]]:
        """Batches of subjects with their facts."""
        ...


@dataclass(frozen=True, slots=True)
class Reason:
    """Whether a rule, or a part of one, holds and why.

    `what`: `all`, `any`, `none`, `products` or a place such as `traits.calls_30d`; `wanted`: the condition as
    declared; `found`: what the condition was held against (for products: how many fit). The parts of another
    segment that the rule asks about are told, too.
    """

    holds: bool
    what: str
    wanted: Any = None
    found: Any = None
    parts: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A subject has entered a segment, or has left it."""

    subject_id: int
    segment: str
    entered: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """A subject is in a segment since a time."""

    subject_id: int
    segment: str
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class InForce:
    """What became of definitions when they were put in force, by name.

    Who is in the new and the changed ones is known once everyone has been looked at again.
    """

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """How many subjects, of how many, are in each segment; `sample`: some of them, by segment."""

    subjects: int
    sizes: Mapping[str, int]
    sample: Mapping[str, tuple[int, ...]]


Memberships: TypeAlias = Mapping[int, frozenset[str]]
"""The segments of subjects, by subject id."""
