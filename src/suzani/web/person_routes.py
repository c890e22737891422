"""The routes for what people ask and decide about single persons: where they went, join, separate, undo."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from suzani import identity
from suzani.identity import Constraint, Event, Outcome, Whereabouts
from suzani.infra.platform import Platform
from suzani.web.limits import LARGEST_ID

MOST_NAMED = 1_000
"""Persons or records that one decision may name."""

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
IdInPath = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Words = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"^[^\x00]+$")]
RecordName = Annotated[
    str, Field(min_length=3, max_length=500, pattern=r"^[^\x00]+$", description="A record as system/key")
]
Problems = dict[int | str, dict[str, Any]]


class Deciding(BaseModel):
    """Who decides, and why: both are kept with the change."""

    model_config = ConfigDict(extra="forbid")

    actor: Words
    reason: Words


class Joining(Deciding):
    """Persons, with all their records, and records that are one person."""

    persons: list[Id] = Field(default=[], max_length=MOST_NAMED)
    records: list[RecordName] = Field(default=[], max_length=MOST_NAMED)


class Separating(Deciding):
    """Records that leave their person together; what stays keeps the id."""

    records: list[RecordName] = Field(min_length=1, max_length=MOST_NAMED)


class Undoing(Deciding):
    """Of a run that changed several unrelated persons: which to restore."""

    persons: list[Id] | None = Field(default=None, max_length=MOST_NAMED)


def add_persons(router: APIRouter, platform: Platform, problems: Problems, refusals: Problems) -> None:
    """Put the routes on the router: what can be asked, and what can be decided."""
    _add_lineage(router, platform, problems)
    _add_decisions(router, platform, problems | refusals)
    _add_taking_back(router, platform, problems | refusals)


def _add_lineage(router: APIRouter, platform: Platform, problems: Problems) -> None:
    @router.get("/persons/{person_id}/whereabouts", tags=["persons"], responses=problems)
    async def whereabouts(person_id: IdInPath) -> Whereabouts:
        """What an id stands for today: its records, or who took over; which ids it took over, and with whom
        the records are that left it."""
        async with platform.db.transaction() as tx:
            return await identity.whereabouts(tx, person_id)

    @router.get("/persons/{person_id}/history", tags=["persons"], responses=problems)
    async def history(person_id: IdInPath) -> tuple[Event, ...]:
        """Every change of a person, earliest first: when, why, by whom, which records came and left. A
        `change_id` of these can be undone."""
        async with platform.db.transaction() as tx:
            return await identity.history(tx, person_id)

    @router.get("/identity/constraints", tags=["persons"], responses=problems)
    async def constraints(
        record: Annotated[
            list[RecordName] | None, Query(max_length=100, description="Only about these, as system/key")
        ] = None,
        active: Annotated[bool, Query(description="Only those that still hold")] = True,
    ) -> list[Constraint]:
        """What stewards said about records: `must` be one person, or `cannot`."""
        async with platform.db.transaction() as tx:
            about = None if record is None else await identity.record_ids(tx, record)
            return await identity.constraints(tx, records=about, active=active)


def _add_decisions(router: APIRouter, platform: Platform, problems: Problems) -> None:
    @router.post("/persons/join", tags=["persons"], responses=problems)
    async def join(asked: Joining) -> Outcome:
        """Say that persons are one: at once, and in every later run. The persons of records that are named
        are joined whole."""
        async with platform.db.transaction() as tx:
            records = await identity.record_ids(tx, asked.records)
        words = {"actor": asked.actor, "reason": asked.reason}
        return await identity.join(platform, persons=asked.persons, records=records, **words)

    @router.post("/persons/{person_id}/separate", tags=["persons"], responses=problems)
    async def separate(person_id: IdInPath, asked: Separating) -> Outcome:
        """Say that records of a person are someone else: at once, and in every later run."""
        async with platform.db.transaction() as tx:
            leaving = await identity.record_ids(tx, asked.records)
        words = {"actor": asked.actor, "reason": asked.reason}
        return await identity.separate(platform, leaving, person=person_id, **words)


def _add_taking_back(router: APIRouter, platform: Platform, problems: Problems) -> None:
    @router.post("/identity/changes/{change_id}/undo", tags=["persons"], responses=problems)
    async def undo(change_id: IdInPath, asked: Undoing) -> Outcome:
        """Undo a merge or a split at any later time: who was who before is so again, under the old ids. An
        undo is a change too, and can be undone."""
        words = {"actor": asked.actor, "reason": asked.reason}
        return await identity.undo(platform, change_id, persons=asked.persons, **words)

    @router.post("/identity/constraints/{constraint_id}/revoke", tags=["persons"], responses=problems)
    async def revoke(constraint_id: IdInPath, asked: Deciding) -> Outcome:
        """Take one constraint back; persons change when their records are resolved again, if at all."""
        return await identity.revoke(platform, constraint_id, actor=asked.actor, reason=asked.reason)
