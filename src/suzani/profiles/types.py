"""What profiles gives to others: golden records, customers, search hits and the identity audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from: a source record, its system, and when the system last updated it."""

    record_id: int
    system: str
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class LostValue:
    """A value that did not survive, as its record holds it."""

    value: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Golden:
    """One attribute of a golden record: the value, where from, by which rule, who agrees, what lost.

    `value` is None when every value was a placeholder or there was none.
    """

    attribute: str
    value: str | date | None
    origin: Origin | None
    rule: str | None
    also: tuple[Origin, ...] = ()
    lost: tuple[LostValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Balance:
    """What a person holds and what they owe in one currency, over open products."""

    currency: str
    held: Decimal
    owed: Decimal


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as the golden record shows them."""

    person_id: int
    display_name: str | None
    golden: tuple[Golden, ...]
    record_count: int
    systems: tuple[str, ...]
    product_count: int
    product_kinds: tuple[str, ...]
    balances: tuple[Balance, ...]
    may_market: bool
    built_at: datetime


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record of a source system, values as the system wrote them; `values` holds attributes that are
    filled."""

    record_id: int
    system: str
    key: str
    values: dict[str, str]
    consent: str | None
    consent_at: datetime | None
    as_of: datetime | None
    created_at: datetime
    updated_at: datetime
    extra: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Product:
    """One product as its system holds it."""

    record_id: int
    system: str
    number: str
    kind: str | None
    name: str | None
    currency: str | None
    balance: Decimal | None
    status: str | None
    opened_on: date | None
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class FieldEvidence:
    """What one field says about a pair: the level of agreement, and its weight in bits (negative:
    against)."""

    field: str
    level: str
    bits: float


@dataclass(frozen=True, slots=True)
class Edge:
    """Why two records are one person: the match weight in bits and the probability it stands for."""

    record_a: int
    record_b: int
    weight_bits: float
    probability: float
    evidence: tuple[FieldEvidence, ...]


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One value of a record before and after a change."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of a customer's history, newest first."""

    at: datetime
    kind: str
    system: str | None = None
    record_id: int | None = None
    person_id: int | None = None
    changes: tuple[ValueChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Customer:
    """Everything the customer page shows about one person."""

    profile: Profile
    records: tuple[SourceRecord, ...]
    products: tuple[Product, ...]
    edges: tuple[Edge, ...]
    history: tuple[Happening, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """What of a person a search found: the attribute, the value as a record holds it, and whether it only
    sounds like what was typed."""

    attribute: str
    value: str
    sounds_alike: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """One person found by a search."""

    person_id: int
    display_name: str | None
    birth_date: date | None
    city: str | None
    phone: str | None
    systems: tuple[str, ...]
    record_count: int
    product_count: int
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """How many of something there are under one name (a system, a state, a reason)."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Size:
    """How many persons there are of one size (in records, or in systems)."""

    size: int
    persons: int


@dataclass(frozen=True, slots=True)
class SharedPersons:
    """How many persons two systems share; the two are the same for the system's own persons."""

    system_a: str
    system_b: str
    persons: int


@dataclass(frozen=True, slots=True)
class LoadAccount:
    """What became of the rows of one system over all its finished loads."""

    system: str
    loads: int
    rows_in: int
    rows_new: int
    rows_changed: int
    rows_unchanged: int
    rows_quarantined: int
    last_finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class BigPerson:
    """One of the persons with the most records."""

    person_id: int
    display_name: str | None
    records: int
    systems: int


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The latest finished identity run."""

    run_id: int
    started_at: datetime
    finished_at: datetime | None
    records: int
    candidates: int
    edges: int
    persons: int
    report: dict[str, Any]
    model: dict[str, Any]

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None


@dataclass(frozen=True, slots=True)
class Audit:
    """The identity audit: how many customers the systems see, and how many people there are.

    `duplicate_share` is 1 - persons / records over the records on profiles. `by_systems` counts persons by
    the number of systems that know them; the systems on their own see `records` customers, each in one
    system.
    """

    records: int
    deleted_records: int
    unresolved_records: int
    persons: int
    duplicate_share: float
    records_by_system: tuple[Count, ...]
    by_systems: tuple[Size, ...]
    by_records: tuple[Size, ...]
    shared: tuple[SharedPersons, ...]
    products: int
    persons_by_products: tuple[Size, ...]
    loads: tuple[LoadAccount, ...]
    quarantine: tuple[Count, ...]
    consent: tuple[Count, ...]
    consent_conflicts: int
    biggest: tuple[BigPerson, ...]
    latest_run: RunSummary | None
    built_at: datetime | None
