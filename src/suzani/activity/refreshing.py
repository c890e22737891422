"""What changes without a new event: subjects that were joined or split, persons whose profiles changed, time
that passed, and rules that were rewritten."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from suzani import stitching
from suzani.activity import store
from suzani.activity.accepted import SEGMENTS, segment_messages
from suzani.activity.evaluating import evaluate
from suzani.activity.recomputing import recomputed
from suzani.activity.rules import Rules
from suzani.infra.bus import Bus
from suzani.infra.db import Database, Tx
from suzani.kernel import now

_AT_ONCE: Final = 200
"""Subjects in one transaction: few enough that neither events nor others wait long meanwhile."""


class Refresher:
    """Brings what was computed of subjects up to date, a piece at a time; several may do so at once."""

    def __init__(
        self, db: Database, bus: Bus, rules: Callable[[], Rules], clock: Callable[[], datetime] = now
    ) -> None:
        self._db, self._bus, self._rules, self._clock = db, bus, rules, clock

    async def refresh(self) -> int:
        """Do what is to be done now, at most a piece of each kind; returns how many subjects that were.

        0 means that there is nothing left to do for now.
        """
        return await self._affected() + await self._due() + await self._swept()

    async def _affected(self) -> int:
        """Subjects whose events are others than before, or whose person's profile is."""
        async with self._db.transaction() as tx:
            affected = await stitching.take_affected(tx, _AT_ONCE)
            if any(one.subject_id is None for one in affected):
                await store.restart_sweep(tx)
            moved = {one.subject_id for one in affected if one.moved and one.subject_id is not None}
            others = {one.subject_id for one in affected if one.subject_id is not None} - moved
            await self._renew(tx, others, anew=moved)
        return len(affected)

    async def _due(self) -> int:
        """Subjects of which time alone has changed something."""
        async with self._db.transaction() as tx:
            due = await store.due(tx, self._clock(), _AT_ONCE)
            await self._renew(tx, due)
        return len(due)

    async def _swept(self) -> int:
        """All subjects, when the rules are others than they were."""
        digest = self._rules().digest
        async with self._db.transaction() as tx:
            sweep = await store.sweep(tx)
            if sweep is None or (sweep.digest == digest and sweep.position is None):
                return 0
            position = sweep.position or 0 if sweep.digest == digest else 0
            subjects = await store.subjects_after(tx, position, _AT_ONCE)
            await self._renew(tx, subjects)
            await store.save_sweep(tx, store.Sweep(digest, subjects[-1] if subjects else None))
        return len(subjects)

    async def _renew(self, tx: Tx, subjects: Collection[int], anew: Collection[int] = ()) -> None:
        """Compute again what follows from states; those of `anew`, and stale ones, from all their events."""
        rules, at = self._rules(), self._clock()
        persons = await stitching.lock_subjects(tx, {*subjects, *anew})
        if not persons:
            return
        states = await store.states(tx, rules.traits, persons)
        stale = {
            subject for subject, state in states.items() if state.is_lost or rules.traits.stale(state.traits)
        }
        for subject, state in (await recomputed(tx, rules, {*anew, *stale} & persons.keys())).items():
            state.version = states[subject].version
            states[subject] = state
        evaluated = await evaluate(tx, rules, states, persons, at)
        await self._bus.append(tx, SEGMENTS, segment_messages(evaluated.changes))
