"""What is known of every subject, for rules that are tried before they are put in force."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from suzani import traits
from suzani.activity import store
from suzani.activity.evaluating import facts_of, known_of
from suzani.activity.rows import microseconds
from suzani.infra.db import Tx
from suzani.infra.settings import Settings
from suzani.kernel import now
from suzani.segments import Facts, FactsReader

_AT_ONCE: Final = 5_000


def every_subject(settings: Settings) -> FactsReader:
    """A reader of all living subjects of a platform. Raises InvalidInput for traits that cannot be used."""
    plan = traits.load_plan(settings.data_dir)

    async def read(tx: Tx) -> AsyncIterator[Sequence[tuple[int, Facts]]]:
        at = microseconds(now())
        subjects = await store.subjects_after(tx, 0, _AT_ONCE)
        while subjects:
            persons = await store.persons_of(tx, subjects)
            known = await known_of(tx, persons.values())
            states = await store.states(tx, plan, subjects)
            yield [
                (subject, facts_of(known.get(persons[subject] or 0), plan.values(state.traits, at)))
                for subject, state in states.items()
            ]
            subjects = await store.subjects_after(tx, subjects[-1], _AT_ONCE)

    return read
