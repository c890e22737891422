"""Subjects follow their persons: what identity resolution joins or separates, events come together or part
by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from suzani.identity import affected_persons, mark_read
from suzani.infra import jobs
from suzani.infra.db import Tx
from suzani.infra.platform import Platform
from suzani.kernel import now
from suzani.stitching import following_store, store
from suzani.stitching.following_store import Persons, Pointing
from suzani.stitching.reshaping import Evidence, Met, reshape, until_alone
from suzani.stitching.rules import Kind, Rules, load_identifiers
from suzani.stitching.service import CHANGED, pointers_of
from suzani.stitching.store import NewChange, Pointer
from suzani.stitching.types import Cause, Name

CONSUMER: Final = "stitching"
"""The name under which stitching reads the feed of affected persons."""

_SUBJECTS_AT_ONCE: Final = 5_000
_POINTING_AT_ONCE: Final = 20_000
_POINTING_KINDS: Final = ("key", "product", "contact")


@dataclass(frozen=True, slots=True)
class Followed:
    """What following came to: how many persons got a subject, identifiers that lead to other records than
    before, and subjects whose identifiers changed."""

    created: int
    pointed: int
    moved: int


async def follow(platform: Platform) -> Followed:
    """Let subjects follow the persons that changed since the last time, in one transaction with the mark that
    they were read; who computes anything from subjects is told which are affected.

    New persons get their subjects first, in a transaction of their own: there may be very many.
    """
    rules = load_identifiers(platform.data_dir)
    async with platform.db.transaction() as tx:
        affected = await affected_persons(tx, CONSUMER)
        created = await ensure_subjects(tx, affected.persons)
    async with platform.db.transaction() as tx:
        following = _Following(tx, rules, affected.persons, now())
        followed = await until_alone(tx, following.attempt)
        await mark_read(tx, CONSUMER, affected.up_to)
    return Followed(created, *followed)


async def ensure_subjects(tx: Tx, persons: Persons = None) -> int:
    """A subject for each of these persons, or for all; returns how many had none."""
    return await following_store.add_missing_subjects(tx, persons, now())


@dataclass(frozen=True, slots=True)
class _Following:
    tx: Tx
    rules: Rules
    persons: Persons
    now: datetime

    async def attempt(self, wanted: frozenset[int]) -> tuple[int, int]:
        """Follow unless somebody else interferes: identifiers that lead elsewhere, and subjects that changed.
        Raises Met."""
        tx = self.tx
        pointers, subjects = await self._pointers()
        subjects |= await following_store.misplaced(tx, self.persons)
        subjects |= await following_store.followers(tx, pointers)
        before = await following_store.versions(tx, subjects)
        leading = await following_store.persons_at_records(tx, subjects)
        leading |= {one.person_id for one in pointers.values() if one and one.person_id is not None}
        targets = await following_store.subjects_of_persons(tx, leading)
        settling = await following_store.unsettled(tx, self.persons)
        locked = await store.lock(tx, {*subjects, *targets, *settling, *wanted})
        if any(locked.get(subject) != version for subject, version in before.items()):
            raise Met
        await following_store.point(tx, pointers)
        moved = await self._reshape(subjects, locked)
        await following_store.settle(tx, settling)
        await self._tell(moved | {*settling})
        return len(pointers), len(moved)

    async def _pointers(self) -> tuple[dict[int, Pointer | None], set[int]]:
        """The identifiers that lead to other records than before, and their subjects."""
        changed: dict[int, Pointer | None] = {}
        subjects: set[int] = set()
        async for some in self._pointing():
            found = await _found(self.tx, self.rules, some)
            for one in some:
                pointer = found.get(Name(one.kind, one.value))
                kept = pointer is None and one.record_by == "key"
                if not kept and (pointer.record_id if pointer else None) != one.record_id:
                    changed[one.identifier_id] = pointer
                    subjects.add(one.subject_id)
        return changed, subjects

    async def _pointing(self) -> AsyncIterator[Sequence[Pointing]]:
        """The identifiers that the changed persons may have to do with, some at a time."""
        if self.persons is not None:
            names = _names(self.rules, await following_store.values_of_persons(self.tx, self.persons))
            found = await following_store.pointing_named(self.tx, names) if names else []
            found += await following_store.pointing_to_persons(self.tx, self.persons)
            yield list({one.identifier_id: one for one in found}.values())
            return
        kinds = [kind.name for kind in self.rules.kinds.values() if kind.points_to in _POINTING_KINDS]
        after = 0
        while some := await following_store.pointing_after(self.tx, after, kinds, _POINTING_AT_ONCE):
            yield some
            after = some[-1].identifier_id

    async def _reshape(self, subjects: Collection[int], locked: Collection[int]) -> set[int]:
        """Give the identifiers of subjects theirs anew; the subjects that won or lost some."""
        moved: set[int] = set()
        change = NewChange(Cause.IDENTITY, self.now)
        ordered = sorted(subjects)
        for start in range(0, len(ordered), _SUBJECTS_AT_ONCE):
            evidence = Evidence(ordered[start : start + _SUBJECTS_AT_ONCE])
            found = await reshape(self.tx, self.rules, evidence, locked, change)
            moved |= found.changed
        return moved

    async def _tell(self, moved: Collection[int]) -> None:
        """Note who is affected, for those who compute something from subjects."""
        await store.affect(self.tx, moved, moved=True)
        if self.persons is None:
            await store.affect_everyone(self.tx)
        else:
            own = await following_store.subjects_of_persons(self.tx, self.persons)
            await store.affect(self.tx, own - {*moved}, moved=False)
        await jobs.publish(self.tx, CHANGED)


async def _found(tx: Tx, rules: Rules, some: Iterable[Pointing]) -> dict[Name, Pointer]:
    """The records that some identifiers lead to now."""
    by_kind: dict[str, list[str]] = {}
    for one in some:
        if one.kind in rules.kinds:
            by_kind.setdefault(one.kind, []).append(one.value)
    found: dict[Name, Pointer] = {}
    for kind, values in by_kind.items():
        pointers = await pointers_of(tx, rules, kind, values)
        found |= {Name(kind, value): pointer for value, pointer in pointers.items()}
    return found


def _names(rules: Rules, rows: Sequence[Mapping[str, Any]]) -> list[Name]:
    """What identifiers could say of the persons with these records. Pure."""
    names: dict[Name, None] = {}
    for kind in rules.kinds.values():
        for row in rows:
            for raw in _values(kind, row):
                if raw is not None and (value := kind.read(raw)):
                    names[Name(kind.name, value)] = None
    return list(names)


def _values(kind: Kind, row: Mapping[str, Any]) -> Iterable[str | None]:
    if kind.points_to == "product":
        return list(row["products"])
    if kind.points_to == "key":
        return [row["key"]] if row["system"] in kind.systems else []
    if kind.points_to == "contact":
        return [row["email"]] if kind.form == "email" else [row["phone"], row["phone_2"]]
    return []
