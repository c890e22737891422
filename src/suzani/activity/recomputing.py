"""States from all events that are kept, as if nothing else were known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import groupby
from operator import itemgetter

from suzani.activity import store
from suzani.activity.rows import event_of
from suzani.activity.rules import Rules
from suzani.activity.states import SubjectState
from suzani.infra.db import Tx


async def recomputed(tx: Tx, rules: Rules, subjects: Collection[int]) -> Mapping[int, SubjectState]:
    """The states of subjects from all their events."""
    states = {subject: SubjectState(rules.traits.empty()) for subject in subjects}
    rows = await store.events_of(tx, subjects) if subjects else []
    for subject, its_rows in groupby(rows, itemgetter("subject_id")):
        states[subject].take(rules.traits, map(event_of, its_rows))
    return states
