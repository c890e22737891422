"""What a batch of events does: each is checked, deduplicated, stitched to a subject, kept, and counted.

Everything happens in the transaction that also moves the position in the log, so that each event has its
effect exactly once, whatever is killed in between.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from suzani import events, stitching
from suzani.activity import store
from suzani.activity.accepted import ACCEPTED, SEGMENTS, accepted_messages, segment_messages
from suzani.activity.evaluating import Touched, evaluate
from suzani.activity.recomputing import recomputed
from suzani.activity.rows import body_of, microseconds, packed
from suzani.activity.rules import Rules
from suzani.activity.states import SubjectState
from suzani.activity.warm import Kept, Warm
from suzani.events import Event, Malformed, Violation
from suzani.infra.bus import Bus, Received
from suzani.infra.db import Tx
from suzani.kernel import now
from suzani.segments import Change
from suzani.stitching import Stitched

Check: TypeAlias = Callable[[Event], Sequence[Violation]]
"""What is wrong with an event by its source's tracking plan and the catalogue."""

PROCESSOR: Final = "activity"
"""The consumer by which events take effect."""


class Processor:
    """The consumer of collected events.

    It remembers what the last batches left of busy subjects, which holds if these were committed. That is so
    if the last message that took effect is kept, as the next batch finds out.
    """

    name = PROCESSOR
    topic = events.TOPIC

    def __init__(
        self, bus: Bus, rules: Callable[[], Rules], check: Check, clock: Callable[[], datetime] = now
    ) -> None:
        self._bus, self._rules, self._check, self._clock = bus, rules, check, clock
        self._sayings, self._subjects = stitching.Memory(), Warm()
        self._last: bytes | None = None

    async def handle(self, tx: Tx, batch: Sequence[Received]) -> None:
        """Let a batch take effect; what cannot is put into quarantine with the reason."""
        last, self._last = self._last, None
        rules, at = self._rules(), self._clock()
        usable, rejected = sorted_out(batch, self._check)
        if rejected:
            await events.quarantine(tx, rejected, at)
        seen = await store.seen(tx, [event.message for event in usable] + ([last] if last else []))
        if last not in seen:
            self._sayings.clear()
            self._subjects.clear()
        # One that comes in elsewhere at this very moment is refused by the unique key, and the batch comes
        # again.
        if fresh := [event for event in usable if event.message not in seen]:
            await self._take_effect(tx, rules, fresh, at)
            last = fresh[-1].message
        self._last = last

    async def _take_effect(self, tx: Tx, rules: Rules, fresh: Sequence[Event], at: datetime) -> None:
        """Let events that nobody has seen take effect, and tell of it."""
        stitched = await stitching.stitch(tx, rules.identifiers, fresh, at, self._sayings)
        bodies = list(map(body_of, fresh))
        await store.add_events(tx, packed(fresh, bodies, stitched.identifier_of))
        changes = await self._count(tx, rules, fresh, stitched, at)
        accepted = accepted_messages(fresh, bodies, stitched.identifier_of, stitched.subject_of)
        await stitching.tell(tx, rules.identifiers, fresh, stitched, at)
        await self._bus.append(tx, ACCEPTED, accepted)
        await self._bus.append(tx, SEGMENTS, segment_messages(changes))

    async def _count(
        self, tx: Tx, rules: Rules, fresh: Sequence[Event], stitched: Stitched, at: datetime
    ) -> Sequence[Change]:
        """Let new events, and being joined, change the states of subjects and what follows from them."""
        by_subject = defaultdict[int, list[Event]](list)
        for event, subject in zip(fresh, stitched.subject_of, strict=True):
            if subject:
                by_subject[subject].append(event)
        lost = [subject for subject, _ in stitched.merged]
        joined = {into for _, into in stitched.merged}
        unchanged = stitched.versions.keys() & by_subject.keys()
        kept = self._subjects.recall(rules, {subject: stitched.versions[subject] for subject in unchanged})
        known = {subject: one.state for subject, one in kept.items()}
        states = await store.states(tx, rules.traits, {*by_subject, *lost, *joined}, known)
        before = {subject: one.segments for subject, one in kept.items() if states[subject] is one.state}
        for subject, into in stitched.merged:
            states[into].join(rules.traits, states.pop(subject))
        await store.drop_states(tx, lost)
        touched: dict[int, Touched] = {}
        tick = rules.traits.tick(microseconds(at))
        for subject, happened in by_subject.items():
            states[subject].take(rules.traits, happened)
            if subject not in joined:
                touched[subject] = _touched(rules, happened, tick)
        await _recompute_lost(tx, rules, states)
        evaluated = await evaluate(
            tx, rules, states, stitched.persons, at, before=before, touched=touched, gone=lost
        )
        for subject, state in states.items():
            if state.version and subject in stitched.versions:
                found = Kept(state, evaluated.segments[subject], stitched.versions[subject])
                self._subjects.keep(subject, found)
        return evaluated.changes

    async def refuse(self, tx: Tx, message: Received, error: Exception) -> None:
        """Keep in quarantine what could not take effect in several attempts."""
        violation = Violation(events.Reason.REFUSED, "", f"{type(error).__name__}: {error}")
        await events.quarantine(tx, [(message.value, [violation])], self._clock())


def sorted_out(
    batch: Iterable[Received], check: Check
) -> tuple[list[Event], list[tuple[bytes, Sequence[Violation]]]]:
    """Events that can take effect, each message once, and what cannot with the reasons."""
    usable: dict[bytes, Event] = {}
    rejected: list[tuple[bytes, Sequence[Violation]]] = []
    for message in batch:
        try:
            event = events.decode(message.value)
        except Malformed as error:
            rejected.append((message.value, [error.violation]))
            continue
        if event.message in usable:
            continue
        if violations := check(event):
            rejected.append((message.value, violations))
        else:
            usable[event.message] = event
    return list(usable.values()), rejected


def _touched(rules: Rules, happened: Sequence[Event], tick: int) -> Touched:
    """What some events may have changed."""
    first, *others = map(rules.traits.touched_by, happened)
    are_late = any(rules.traits.tick(event.at) != tick for event in happened)
    return Touched(first.union(*others) if others else first, are_late)


async def _recompute_lost(tx: Tx, rules: Rules, states: dict[int, SubjectState]) -> None:
    """Replace the states that could not be read."""
    lost = [subject for subject, state in states.items() if state.is_lost]
    for subject, state in (await recomputed(tx, rules, lost)).items():
        state.version = states[subject].version
        states[subject] = state
