"""Which of a person's values survives, and by which rule; for all persons of a batch at once.

The rows are source records, ordered by person; all arrays are aligned with them. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ONLY = "only"
AGREED = "agreed"
FIRST_RECORD = "first_record"


@dataclass(frozen=True, slots=True)
class Rows:
    """The records of a batch: dense person number (ascending), rank of trust (0 best), time in
    microseconds."""

    person: Ints
    trust: Ints
    updated_us: Ints


@dataclass(frozen=True, slots=True)
class Measures:
    """What the rules look at in each row; those of a group are the sums over its attributes.

    `valid` values that pass their check, `votes` of the person's records for this value, `size` letters and
    digits, `filled` values that are there.
    """

    valid: Ints
    votes: Ints
    size: Ints
    filled: Ints

    def __add__(self, other: Measures) -> Measures:
        return Measures(
            self.valid + other.valid,
            self.votes + other.votes,
            self.size + other.size,
            self.filled + other.filled,
        )


RULES: Mapping[str, Callable[[Rows, Measures], Ints]] = {
    "validated": lambda rows, measures: measures.valid,
    "trusted_source": lambda rows, measures: -rows.trust,
    "most_recent": lambda rows, measures: rows.updated_us,
    "most_frequent": lambda rows, measures: measures.votes,
    "longest": lambda rows, measures: measures.size,
    "most_complete": lambda rows, measures: measures.filled,
}
"""Every survivorship rule by its name in the configuration: one number per row, the largest wins."""

OUTCOMES: tuple[str, ...] = (ONLY, AGREED, *RULES, FIRST_RECORD)
"""Why a value is on the golden record: the only one, all records agree, the rule that told it from the
next, or nothing did and it came first."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one attribute: aligned arrays per person that has a value, and per row that did not win.

    `outcome` indexes OUTCOMES; `also` are rows that say the same as the winner, `lost` those that say
    otherwise.
    """

    person: Ints
    winner: Ints
    outcome: Ints
    also: Ints
    lost: Ints


def votes(person: Ints, same: Ints) -> Ints:
    """How many of the person's rows hold the same value; `same` is a value code per row, -1 for none (0
    votes)."""
    span = int(same.max(initial=0)) + 2
    _, inverse, counts = np.unique(person * span + same + 1, return_inverse=True, return_counts=True)
    return np.where(same < 0, 0, counts[inverse])


def decide(rows: Rows, candidates: Ints, same: Ints, measures: Measures, rules: Sequence[str]) -> Decision:
    """Choose one of the `candidates` (row numbers) per person by `rules` in order, then the first record.

    `same` is a code per row: rows with one code hold the same value, however written.
    """
    if not len(candidates):
        none = np.empty(0, np.int64)
        return Decision(none, none, none, none, none)
    keys = [-RULES[rule](rows, measures)[candidates] for rule in rules]
    order = np.lexsort((candidates, *reversed(keys), rows.person[candidates]))
    ranked = candidates[order]
    person = rows.person[ranked]
    starts = np.r_[True, person[1:] != person[:-1]]
    first = np.flatnonzero(starts)
    differs = same[ranked] != np.repeat(same[ranked[first]], np.diff(np.r_[first, len(ranked)]))
    runner_up = np.minimum.reduceat(np.where(differs, np.arange(len(ranked)), len(ranked)), first)
    outcome = _outcomes([key[order] for key in keys], first, runner_up, rules)
    rest = ~starts
    return Decision(person[first], ranked[first], outcome, ranked[rest & ~differs], ranked[rest & differs])


def _outcomes(keys: Sequence[Ints], first: Ints, runner_up: Ints, rules: Sequence[str]) -> Ints:
    """For each person the first rule by which the winner beats the best different value."""
    count = len(keys[0]) if keys else 0
    alone = np.diff(np.r_[first, count]) == 1
    contested = runner_up < count
    outcome = np.where(alone, OUTCOMES.index(ONLY), OUTCOMES.index(AGREED))
    outcome[contested] = OUTCOMES.index(FIRST_RECORD)
    against = np.minimum(runner_up, count - 1)
    for rule, key in zip(rules, keys, strict=True):
        tells = contested & (key[first] != key[against])
        outcome[tells] = OUTCOMES.index(rule)
        contested &= ~tells
    return outcome
