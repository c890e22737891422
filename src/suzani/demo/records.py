"""Which person is a customer of which system, since when, and as of which day each system knows them."""

from __future__ import annotations

from functools import partial

import numpy as np

from suzani.demo.identifiers import distinct
from suzani.demo.systems import SYSTEMS
from suzani.demo.types import NEXT_MONTH, TODAY, Culture, Days, Ints, People, Records, Streams

_PER_PERSON = np.array([0.715, 0.21, 0.058, 0.014, 0.003])
_TWICE_IN_ONE_SYSTEM = 0.11
_NEW_IN_MONTH_2 = 0.01
CLERKS = 120
"""Clerks of each system."""
_FIRST_DAY = np.datetime64("2005-01-10", "D")


def new_next_month(records: int) -> int:
    """How many of a bank's records first appear in the second month."""
    return max(round(records * _NEW_IN_MONTH_2), 1)


def _per_person(people: int, records: int, rng: np.random.Generator) -> Ints:
    """Records of each person, 1 to 5, adding up to `records`."""
    counts = rng.choice(np.arange(1, 6), size=people, p=_PER_PERSON / _PER_PERSON.sum())
    while (gap := records - int(counts.sum())) != 0:
        able = np.flatnonzero(counts < 5 if gap > 0 else counts > 1)
        chosen = rng.choice(able, size=min(abs(gap), len(able)), replace=False)
        counts[chosen] += np.sign(gap)
    return counts


def _assign_systems(culture: Ints, counts: Ints, rng: np.random.Generator) -> Ints:
    """A system for each record, persons in order; mostly different ones, now and then one twice."""
    weight = np.array([[s.weight * s.boost.get(c, 1.0) for s in SYSTEMS] for c in Culture])
    order = np.argsort(-(np.log(weight)[culture] + rng.gumbel(size=(len(culture), len(SYSTEMS)))), axis=1)
    person = np.repeat(np.arange(len(counts)), counts)
    nth = np.arange(len(person)) - np.repeat(np.cumsum(counts) - counts, counts)
    again = (nth > 0) & (rng.random(len(person)) < _TWICE_IN_ONE_SYSTEM)
    systems: Ints = order[person, np.where(again, 0, nth)]
    return systems


def _history(people: People, person: Ints, system: Ints, rng: np.random.Generator) -> tuple[Days, Days]:
    """Days on which each record was opened and last updated."""
    age = np.array([s.age_days for s in SYSTEMS])[system]
    updated = TODAY - 1 - (rng.exponential(age)).astype(np.int64).astype("timedelta64[D]")
    opened = updated - rng.exponential(1100, len(person)).astype(np.int64).astype("timedelta64[D]")
    adult = people.birth[person] + np.timedelta64(16 * 365 + 30, "D")
    opened = np.minimum(np.maximum(np.maximum(opened, adult), _FIRST_DAY), TODAY - 2)
    return opened, np.maximum(opened, updated)


def _drawn(rng: np.random.Generator, low: int, high: int, count: int) -> Ints:
    return rng.integers(low, high, count)


def _keys(system: Ints, rng: np.random.Generator) -> Ints:
    """A number for each record, unique within its system, that says nothing about the person."""
    keys = np.zeros(len(system), dtype=np.int64)
    for number, spec in enumerate(SYSTEMS):
        rows = np.flatnonzero(system == number)
        low, high = 10 ** (spec.key_digits - 1), 10**spec.key_digits
        keys[rows] = distinct(partial(_drawn, rng, low, high), len(rows))
    return keys


def allot(people: People, records: int, streams: Streams) -> Records:
    """`records` records in the first month, a hundredth more in the second, in the order of the extracts."""
    later = new_next_month(records)
    newcomers = later // 2
    counts = _per_person(len(people) - newcomers, records, streams("records.counts"))
    rng = streams("records.later")
    known = rng.choice(len(people) - newcomers, size=later - newcomers, replace=True)
    system = _assign_systems(people.culture[: len(counts)], counts, streams("records.systems"))
    person = np.concatenate(
        [np.repeat(np.arange(len(counts)), counts), known, np.arange(len(counts), len(people))]
    )
    shares = np.array([s.weight for s in SYSTEMS])
    system = np.concatenate([system, rng.choice(len(SYSTEMS), size=later, p=shares / shares.sum())])
    opened, updated = _history(people, person, system, streams("records.history"))
    month = np.where(np.arange(len(person)) < records, 1, 2)
    span = int((NEXT_MONTH - TODAY).astype(np.int64))
    opened[month == 2] = TODAY + rng.integers(0, span, later).astype("timedelta64[D]")
    updated = np.maximum(opened, updated)
    return _shuffle(person, system, opened, updated, month, streams)


def _shuffle(
    person: Ints, system: Ints, opened: Days, updated: Days, month: Ints, streams: Streams
) -> Records:
    rng, count = streams("records.order"), len(person)
    stale = np.array([s.habits.stale for s in SYSTEMS])[system]
    known_on = np.where(rng.random(count) < stale, opened, updated)
    moment = updated.astype("datetime64[s]") + rng.integers(8 * 3600, 19 * 3600, count).astype(
        "timedelta64[s]"
    )
    clerk = np.minimum(rng.geometric(0.02, count) - 1, CLERKS - 1)
    keys = _keys(system, streams("records.keys"))
    records = Records(person, system, clerk, opened, moment, known_on, keys, month)
    order = rng.permutation(count)
    return records.take(order[np.argsort(system[order], kind="stable")])
