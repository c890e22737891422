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
from suzani.activity.evaluating import evaluate
from suzani.activity.recomputing import recomputed
from suzani.activity.rows import packed
from suzani.activity.rules import Rules
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
    """The consumer of collected events."""

    name = PROCESSOR
    topic = events.TOPIC

    def __init__(
        self, bus: Bus, rules: Callable[[], Rules], check: Check, clock: Callable[[], datetime] = now
    ) -> None:
        self._bus, self._rules, self._check, self._clock = bus, rules, check, clock

    async def handle(self, tx: Tx, batch: Sequence[Received]) -> None:
        """Let a batch take effect; what cannot is put into quarantine with the reason."""
        rules, at = self._rules(), self._clock()
        usable, rejected = sorted_out(batch, self._check)
        if rejected:
            await events.quarantine(tx, rejected, at)
        fresh = await _unseen(tx, usable)
        if not fresh:
            return
        stitched = await stitching.stitch(tx, rules.identifiers, fresh, at)
        await store.add_events(tx, packed(fresh, stitched.identifier_of))
        changes = await _take_effect(tx, rules, fresh, stitched, at)
        accepted = accepted_messages(fresh, stitched.identifier_of, stitched.subject_of)
        await self._bus.append(tx, ACCEPTED, accepted)
        await self._bus.append(tx, SEGMENTS, segment_messages(changes))

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


async def _unseen(tx: Tx, usable: Sequence[Event]) -> list[Event]:
    """The events that are not kept yet. One that comes in elsewhere at this very moment is refused by the
    unique key, and the batch is tried again."""
    seen = await store.seen(tx, [event.message for event in usable])
    return [event for event in usable if event.message not in seen]


async def _take_effect(
    tx: Tx, rules: Rules, fresh: Sequence[Event], stitched: Stitched, at: datetime
) -> list[Change]:
    """Let new events, and being joined, change the states of subjects and what follows from them."""
    by_subject = defaultdict[int, list[Event]](list)
    for event, subject in zip(fresh, stitched.subject_of, strict=True):
        if subject:
            by_subject[subject].append(event)
    lost = [subject for subject, _ in stitched.merged]
    joined = {into for _, into in stitched.merged}
    states = await store.states(tx, rules.traits, {*by_subject, *lost, *joined})
    for subject, into in stitched.merged:
        states[into].join(rules.traits, states.pop(subject))
    await store.drop_states(tx, lost)
    touched: dict[int, frozenset[str]] = {}
    for subject, happened in by_subject.items():
        states[subject].take(rules.traits, happened)
        if subject not in joined:
            touched[subject] = frozenset[str]().union(*map(rules.traits.touched_by, happened))
    if lost_states := [subject for subject, state in states.items() if state.is_lost]:
        states |= await recomputed(tx, rules, lost_states)
    return await evaluate(tx, rules, states, stitched.persons, at, touched=touched, gone=lost)
