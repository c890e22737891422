"""Taking the events of a batch in: whose they are, in one transaction with all that follows from them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from suzani import profiles
from suzani.events import Event
from suzani.infra import jobs
from suzani.infra.db import Tx
from suzani.stitching import knowing, store
from suzani.stitching.reading import Reading, Seen, read
from suzani.stitching.reshaping import Evidence, Met, Reshaped, reshape, until_alone
from suzani.stitching.rules import Rules
from suzani.stitching.shaping import Edge, Held, Pair
from suzani.stitching.store import Known, NewChange, NewIdentifier, Pointer, Stored
from suzani.stitching.types import Cause, Name, Stitched, Verdict

CHANGED = "stitching.changed"
"""Published when there are affected subjects to be taken."""

SHARED = "stitching.shared"
"""Published with the `identifiers` that were seen with more anchors than they may be."""


async def stitch(tx: Tx, rules: Rules, events: Sequence[Event], now: datetime) -> Stitched:
    """Whose each event is. New identifiers are kept, and what events say of known ones takes effect.

    The subjects of all events are locked until `tx` ends, in the order of their ids, so that several may
    stitch at once. What identify calls tell about a user becomes a source record, which identity resolution
    judges. The result does not depend on how a stream is cut into batches, nor on the order in which events
    arrive, but where a limit of identifiers is reached, or a value is shared by so many that it counts for
    nothing.
    """
    if not events:
        return Stitched([], [])
    reading = read(rules, events)
    batch = _Batch(tx, rules, events, now)
    stitched, identifiers = await until_alone(tx, lambda wanted: batch.attempt(reading, wanted))
    await knowing.tell(tx, rules, events, identifiers, now)
    return stitched


@dataclass(frozen=True, slots=True)
class _Batch:
    tx: Tx
    rules: Rules
    events: Sequence[Event]
    now: datetime

    async def attempt(self, reading: Reading, wanted: frozenset[int]) -> tuple[Stitched, dict[Name, int]]:
        """Stitch unless somebody else interferes; with the ids of all names. Raises Met."""
        known = await store.lookup(self.tx, reading.names)
        blocked = [name for name, one in zip(reading.names, known, strict=True) if one and one.blocked]
        if blocked:
            reading = read(self.rules, self.events, frozenset(blocked))
            known = await store.lookup(self.tx, reading.names)
        new = [name for name, one in zip(reading.names, known, strict=True) if one is None]
        pointers = await self._pointers(new)
        evidence, locked = await self._evidence(reading, known, pointers, wanted)
        change = NewChange(Cause.EVENT, self.now)
        reshaped = Reshaped()
        if evidence.new or evidence.links:
            reshaped = await reshape(self.tx, self.rules, evidence, locked, change)
            await self._tell_shared(reshaped)
        if reshaped.reshaped:
            await store.affect(self.tx, reshaped.reshaped, moved=True)
            await jobs.publish(self.tx, CHANGED)
        return _stitched(reading, known, evidence, reshaped)

    async def _pointers(self, names: Sequence[Name]) -> dict[Name, Pointer]:
        """The records that new names lead to."""
        by_kind: dict[str, list[str]] = {}
        for name in names:
            if self.rules.kinds[name.kind].points_to:
                by_kind.setdefault(name.kind, []).append(name.value)
        found: dict[Name, Pointer] = {}
        for kind, values in by_kind.items():
            pointers = await pointers_of(self.tx, self.rules, kind, values)
            found |= {Name(kind, value): pointer for value, pointer in pointers.items()}
        return found

    async def _evidence(
        self, reading: Reading, known: Sequence[Known | None], pointers: Mapping[Name, Pointer],
        wanted: frozenset[int],
    ) -> tuple[Evidence, Collection[int]]:  # fmt: skip
        """What the batch says that was not known, and the subjects that are locked now."""
        persons = {pointer.person_id for pointer in pointers.values() if pointer.person_id is not None}
        before = {one.subject_id: one.version for one in known if one}
        targets = await store.subjects_of_persons(self.tx, persons)
        locked = await store.lock(self.tx, {*before, *targets, *wanted})
        if any(locked.get(subject) != version for subject, version in before.items()):
            raise Met
        new = await self._new(reading.names, known, pointers)
        ids = [one.identifier_id if one else new[no].held.identifier_id for no, one in enumerate(known)]
        stored = await store.links(
            self.tx,
            [(ids[weak], ids[strong]) for weak, strong in reading.pairs if known[weak] and known[strong]],
        )
        links: list[Edge] = []
        involved: set[int] = set()
        for (weak, strong), seen in reading.pairs.items():
            if edge := _news((ids[weak], ids[strong]), seen, stored):
                links.append(edge)
                involved |= {one.subject_id for one in (known[weak], known[strong]) if one}
        return Evidence(involved, list(new.values()), links), locked

    async def _new(
        self, names: Sequence[Name], known: Sequence[Known | None], pointers: Mapping[Name, Pointer]
    ) -> dict[int, NewIdentifier]:
        """The names that are new, by place, with ids."""
        places = [place for place, one in enumerate(known) if one is None]
        if not places:
            return {}
        _, ids = await store.reserve(self.tx, identifiers=len(places))
        new: dict[int, NewIdentifier] = {}
        for place, identifier_id in zip(places, ids, strict=True):
            pointer = pointers.get(names[place])
            held = Held(identifier_id, names[place], 0, pointer.person_id if pointer else None)
            new[place] = NewIdentifier(held, pointer)
        return new

    async def _tell_shared(self, shape: Reshaped) -> None:
        """Ask for a look at identifiers that were refused so often that they may count for nothing."""
        refused = {weak for (weak, _), verdict in shape.verdicts.items() if verdict is Verdict.TWO_KNOWN}
        if refused:
            counts = await store.shared_counts(self.tx, refused, self.rules.anchors)
            many = [one for one, kind, count in counts if count > self.rules.kinds[kind].shared_by]
            if many:
                await jobs.publish(self.tx, SHARED, identifiers=many)


async def pointers_of(tx: Tx, rules: Rules, kind: str, values: Sequence[str]) -> dict[str, Pointer]:
    """The records that values of a kind lead to, by value, where they lead to one."""
    rule = rules.kinds[kind]
    if rule.points_to == "product":
        return await store.product_records(tx, values)
    if rule.points_to == "key":
        return await store.key_records(tx, values, rule.systems) if rule.systems else {}
    if rule.points_to == "contact":
        return {
            value: Pointer(holder.record_id, "contact", holder.person_id)
            for value, holder in (await profiles.sole_holders(tx, rule.form, values)).items()
        }
    return {}


def _news(pair: Pair, seen: Seen, stored: Mapping[Pair, Stored]) -> Edge | None:
    """The link of a pair if it is new, or was seen earlier than was known; None if that is nothing new."""
    known = stored.get(pair)
    if known is None:
        return Edge(*pair, seen.at, seen.message, seen.alias)
    edge = known.edge
    earlier = (seen.at, seen.message) < (edge.at, edge.message)
    if known.revoked or not (earlier or (seen.alias and not edge.alias)):
        return None
    at, message = (seen.at, seen.message) if earlier else (edge.at, edge.message)
    return Edge(*pair, at, message, seen.alias or edge.alias, edge.verdict)


def _stitched(
    reading: Reading, known: Sequence[Known | None], evidence: Evidence, reshaped: Reshaped
) -> tuple[Stitched, dict[Name, int]]:
    """The answer by event, and the id of every name."""
    fresh = iter(evidence.new)
    ids = [one.identifier_id if one else next(fresh).held.identifier_id for one in known]
    so_far = [one.subject_id if one else 0 for one in known]
    subjects = [reshaped.subject_of.get(ids[no], subject) for no, subject in enumerate(so_far)]
    persons = {one.subject_id: one.person_id for one in known if one} | dict(reshaped.persons)
    ids.append(0)
    subjects.append(0)
    # NOTHING is the last place.
    stitched = Stitched(
        [subjects[no] for no in reading.strongest], [ids[no] for no in reading.strongest], reshaped.merged,
        reshaped.reshaped, persons,
    )  # fmt: skip
    return stitched, dict(zip(reading.names, ids, strict=False))
