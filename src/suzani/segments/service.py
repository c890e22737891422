"""Segments in the database: definitions in force, who enters and leaves, and how big a segment would be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from suzani.infra.db import Tx
from suzani.kernel import NotFound
from suzani.segments import store
from suzani.segments.membership import Rules, changes
from suzani.segments.types import Change, FactsReader, InForce, Membership, Preview
from suzani.traits.calendar import microseconds

_SAMPLE = 10

apply_changes = store.apply_changes
memberships = store.memberships
segments_of = store.segments_of
SEGMENTS_OF = store.SEGMENTS_OF
counts = store.counts


async def put_in_force(tx: Tx, rules: Rules, at: datetime) -> tuple[InForce, list[Change]]:
    """Make these the definitions in force. Who was in a segment that is no longer declared leaves it.

    Cheap when nothing has changed. Membership of new and changed segments follows with every event, and for
    everyone with `settle`.
    """
    await store.lock_definitions(tx)
    known = await store.definitions(tx)
    new = tuple(name for name in rules.names if name not in known)
    changed = tuple(
        segment.name
        for segment in rules.segments
        if segment.name in known and known[segment.name]["digest"] != segment.digest
    )
    titled = any(
        segment.name in known and known[segment.name]["title"] != segment.title for segment in rules.segments
    )
    retired = tuple(await store.retire(tx, rules.names, at))
    left = await store.leave_retired(tx, at) if retired else []
    if new or changed or titled:
        await store.put_in_force(tx, rules.segments, at)
    return InForce(new, changed, retired), left


async def unsettled(tx: Tx) -> tuple[str, ...]:
    """The segments whose definitions not everyone has been held against yet."""
    found = await store.definitions(tx)
    return tuple(name for name, row in found.items() if row["settled_digest"] != row["digest"])


async def settle(tx: Tx, rules: Rules, reader: FactsReader, at: datetime) -> list[Change]:
    """Hold everyone against every segment in force; returns who entered and left.

    Reads all subjects, in batches. A subject that an event changes meanwhile must be kept from it by locks of
    the reader's.
    """
    as_of = microseconds(at)
    found: list[Change] = []
    async for batch in reader(tx):
        before = await store.memberships(tx, [subject for subject, _ in batch])
        after = {subject: rules.members(facts, as_of) for subject, facts in batch}
        found += await store.apply_changes(tx, changes(before, after, at), at)
    await store.settle(tx, rules.names)
    return found


async def preview(tx: Tx, rules: Rules, names: Collection[str], reader: FactsReader, at: datetime) -> Preview:
    """How many subjects would be in these segments of `rules`, whether in force or not. Writes nothing.

    Raises NotFound for a segment that is not among the rules.
    """
    as_of, asked = microseconds(at), rules.only(names)
    subjects, sizes = 0, dict.fromkeys(names, 0)
    sample: dict[str, list[int]] = {name: [] for name in names}
    async for batch in reader(tx):
        subjects += len(batch)
        for subject, facts in batch:
            for name in asked.members(facts, as_of) & sizes.keys():
                sizes[name] += 1
                if len(sample[name]) < _SAMPLE:
                    sample[name].append(subject)
    return Preview(subjects, sizes, {name: tuple(found) for name, found in sample.items()})


async def members(tx: Tx, segment: str, *, after: int = 0, limit: int = 100) -> list[Membership]:
    """A page of a segment's members by subject id; the next begins after the last.

    Raises NotFound for a segment that is not in force.
    """
    page = await store.members(tx, segment, after, limit)
    if not page:
        known = await store.definitions(tx)
        if segment not in known:
            raise NotFound.among("segment", segment, known)
    return page


async def history(tx: Tx, subject_id: int, limit: int = 200) -> Sequence[Change]:
    """What a subject has entered and left, newest first."""
    return await store.history(tx, subject_id, limit)
