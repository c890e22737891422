"""Taking the events of a batch in: whose they are, in one transaction with all that follows from them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from suzani import profiles
from suzani.events import Event
from suzani.infra import jobs
from suzani.infra.db import Tx
from suzani.stitching import store
from suzani.stitching.reading import NOTHING, Heard, Reading, Seen, hear, understand
from suzani.stitching.remembering import Memory, Settled
from suzani.stitching.reshaping import Evidence, Met, Reshaped, reshape, until_alone
from suzani.stitching.rules import Rules
from suzani.stitching.shaping import Edge, Held, Pair
from suzani.stitching.store import Known, NewChange, NewIdentifier, Pointer, Stored
from suzani.stitching.types import Cause, Name, Stitched, Verdict

CHANGED = "stitching.changed"
"""Published when there are affected subjects to be taken."""

SHARED = "stitching.shared"
"""Published with the `identifiers` that were seen with more anchors than they may be."""


async def stitch(
    tx: Tx, rules: Rules, events: Sequence[Event], now: datetime, memory: Memory | None = None
) -> Stitched:
    """Whose each event is. New identifiers are kept, and what events say of known ones takes effect.

    The subjects of all events are locked until `tx` ends, in the order of their ids, so that several may
    stitch at once. The result does not depend on how a stream is cut into batches, nor on the order in which
    events arrive, but where a limit of identifiers is reached, or a value is shared by so many that it counts
    for nothing. With a `memory` of earlier batches it is the same, in less time.
    """
    if not events:
        return Stitched([], [])
    heard, memory = hear(rules, events), memory or Memory()
    found = await until_alone(tx, _Batch(tx, rules, heard, now, memory).attempt)
    memory.keep({heard.sayings[place].said: found.by_saying[place] for place in found.memorable})
    return Stitched(
        [found.by_saying[place].subject_id for place in heard.of_event],
        [found.by_saying[place].identifier_id for place in heard.of_event],
        found.reshaped.merged, found.reshaped.reshaped, found.persons, found.versions, found.identifiers,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Unsettled:
    """Sayings by their `places` in the batch, what they say, and what is known of the names in it."""

    places: Sequence[int]
    reading: Reading
    known: Sequence[Known | None]

    @property
    def versions(self) -> dict[int, int]:
        """Of the subjects of known names."""
        return {one.subject_id: one.version for one in self.known if one}

    @property
    def persons(self) -> dict[int, int | None]:
        """Of the subjects of known names."""
        return {one.subject_id: one.person_id for one in self.known if one}


@dataclass(frozen=True, slots=True)
class _Found:
    """What became of a batch: by saying, and the ids of the names that had to be looked up; the person of
    each subject, the version of those that stay as they are, and which sayings are worth remembering."""

    by_saying: Sequence[Settled]
    identifiers: Mapping[Name, int]
    reshaped: Reshaped
    persons: Mapping[int, int | None]
    versions: Mapping[int, int]
    memorable: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Batch:
    tx: Tx
    rules: Rules
    heard: Heard
    now: datetime
    memory: Memory

    async def attempt(self, wanted: frozenset[int]) -> _Found:
        """Stitch unless somebody else interferes. Raises Met."""
        settled = self.memory.recall(self.rules, self.heard.sayings)
        unsettled = await self._looked_up(settled)
        pointers = await self._pointers(
            [name for name, one in zip(unsettled.reading.names, unsettled.known, strict=True) if one is None]
        )
        locked = await self._locked(settled, unsettled, pointers, wanted)
        evidence = await self._evidence(unsettled, pointers)
        change = NewChange(Cause.EVENT, self.now)
        reshaped = Reshaped()
        if evidence.new or evidence.links:
            reshaped = await reshape(self.tx, self.rules, evidence, locked, change)
            await self._tell_shared(reshaped)
        if reshaped.reshaped:
            await store.affect(self.tx, reshaped.reshaped, moved=True)
            await jobs.publish(self.tx, CHANGED)
        return self._found(settled, unsettled, evidence, reshaped, locked)

    async def _looked_up(self, settled: Collection[int]) -> _Unsettled:
        """What is said beyond what is settled."""
        places = [place for place in range(len(self.heard.sayings)) if place not in settled]
        sayings = [self.heard.sayings[place] for place in places]
        reading = understand(self.rules, sayings)
        known = await store.lookup(self.tx, reading.names)
        blocked = [name for name, one in zip(reading.names, known, strict=True) if one and one.blocked]
        if blocked:
            reading = understand(self.rules, sayings, frozenset(blocked))
            known = await store.lookup(self.tx, reading.names)
        return _Unsettled(places, reading, known)

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

    async def _locked(
        self, settled: Mapping[int, Settled], unsettled: _Unsettled, pointers: Mapping[Name, Pointer],
        wanted: frozenset[int],
    ) -> Mapping[int, int]:  # fmt: skip
        """Lock everybody concerned; the versions. Raises Met when somebody was faster."""
        persons = {pointer.person_id for pointer in pointers.values() if pointer.person_id is not None}
        targets = await store.subjects_of_persons(self.tx, persons)
        remembered = {one.subject_id for one in settled.values()}
        locked = await store.lock(self.tx, {*remembered, *unsettled.versions, *targets, *wanted})
        outdated = [place for place, one in settled.items() if locked.get(one.subject_id) != one.version]
        if outdated:
            self.memory.drop([self.heard.sayings[place] for place in outdated])
        if outdated or any(locked.get(one) != version for one, version in unsettled.versions.items()):
            raise Met
        return locked

    async def _evidence(self, unsettled: _Unsettled, pointers: Mapping[Name, Pointer]) -> Evidence:
        """What the batch says that was not known."""
        reading, known = unsettled.reading, unsettled.known
        new = await self._new(reading.names, known, pointers)
        ids = [one.identifier_id if one else new[no].held.identifier_id for no, one in enumerate(known)]
        pairs = [(ids[weak], ids[strong]) for weak, strong in reading.pairs if known[weak] and known[strong]]
        stored = await store.links(self.tx, pairs)
        links: list[Edge] = []
        involved: set[int] = set()
        for (weak, strong), seen in reading.pairs.items():
            if edge := _news((ids[weak], ids[strong]), seen, stored):
                links.append(edge)
                involved |= {one.subject_id for one in (known[weak], known[strong]) if one}
        return Evidence(involved, list(new.values()), links)

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

    def _found(
        self, settled: Mapping[int, Settled], unsettled: _Unsettled, evidence: Evidence, reshaped: Reshaped,
        locked: Mapping[int, int],
    ) -> _Found:  # fmt: skip
        """Everything by saying, with what others may rely on later."""
        fresh, subject_of = iter(evidence.new), reshaped.subject_of
        names = [
            (one.identifier_id, subject_of.get(one.identifier_id, one.subject_id)) if one
            else (number := next(fresh).held.identifier_id, subject_of[number])
            for one in unsettled.known
        ]  # fmt: skip
        persons = {one.subject_id: one.person_id for one in settled.values()} | unsettled.persons
        persons |= reshaped.persons
        changed = {*evidence.subjects, *reshaped.changed}
        versions = dict.fromkeys(subject_of.values(), 0) | dict(locked)
        versions = {subject: version for subject, version in versions.items() if subject not in changed}
        by_saying: dict[int, Settled] = {}
        for place, one in settled.items():
            by_saying[place] = one._replace(subject_id=subject_of.get(one.identifier_id, one.subject_id))
        memorable = []
        for number, place in enumerate(unsettled.places):
            strongest, saying = unsettled.reading.strongest[number], self.heard.sayings[place]
            identifier_id, subject_id = (0, 0) if strongest == NOTHING else names[strongest]
            by_saying[place] = Settled(
                identifier_id, subject_id, versions.get(subject_id, 0), persons.get(subject_id), saying.at,
                saying.message,
            )  # fmt: skip
            if subject_id in versions and number not in unsettled.reading.muted:
                memorable.append(place)
        ids = {name: one for name, (one, _) in zip(unsettled.reading.names, names, strict=True)}
        return _Found(
            [by_saying[place] for place in range(len(by_saying))], ids, reshaped, persons, versions, memorable
        )

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
