"""The Fellegi–Sunter model: what each comparison level is worth, learned without labels.

Three latent classes explain a pair: the same person (m), unrelated people (u), and different people of one
household (h), who share family name, address and phone but not the given name; birth dates only as often as
twins do. Without the third, families pass for persons.

Fellegi & Sunter 1969; EM as in Winkler 1988, over counts of comparison patterns. What is known of some pairs
(two valid national ids; a steward's word) is held fixed, the rest is learned around it (Nigam et al. 2000).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.models.comparisons import Levels, level_count
from suzani.identity.models.file import FieldModel, Model
from suzani.kernel import Kind

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

__all__ = [
    "SHARED_BY_HOUSEHOLD",
    "WEIGHING_FREQUENCY",
    "Evidence",
    "FieldModel",
    "Labels",
    "Model",
    "Patterns",
    "most_by_chance",
    "starting_m",
    "train",
]

SHARED_BY_HOUSEHOLD = frozenset(
    {
        Kind.FAMILY_NAME, Kind.PATRONYMIC, Kind.PHONE, Kind.EMAIL, Kind.ADDRESS, Kind.CITY, Kind.REGION,
        Kind.POSTCODE, Kind.COUNTRY, Kind.ORGANISATION, Kind.BIRTH_DATE,
    }
)  # fmt: skip
"""What people of one household agree on more often than strangers; the birth date, because of twins."""

_START_EXACT: Mapping[Kind, float] = {
    Kind.SEX: 0.97, Kind.NATIONAL_ID: 0.9, Kind.DOCUMENT: 0.8, Kind.ADDRESS: 0.5, Kind.PHONE: 0.7,
    Kind.EMAIL: 0.7, Kind.OCCUPATION: 0.6, Kind.TEXT: 0.5, Kind.GENERATION: 0.999,
}  # fmt: skip

_TOLD_BY_NOTHING_ELSE = frozenset({Kind.GENERATION})
"""Kinds whose m stays what it starts with: all that fathers and sons differ in is Jr and Sr, so that they
would teach it to differ within a person."""

_MOST_BY_CHANCE: Mapping[Kind, float] = {
    Kind.GIVEN_NAME: 0.1, Kind.FAMILY_NAME: 0.1, Kind.BIRTH_DATE: 0.02, Kind.ADDRESS: 0.02, Kind.PHONE: 0.01,
    Kind.EMAIL: 0.01, Kind.NATIONAL_ID: 0.005, Kind.DOCUMENT: 0.005,
}  # fmt: skip


def most_by_chance(kind: Kind) -> float:
    """The highest share of unrelated people who agree on a kind, in any population.

    A file in which more records agree holds duplicates, be it nothing but copies of one record.
    """
    return _MOST_BY_CHANCE.get(kind, 0.98)


@dataclass(frozen=True)
class Patterns:
    """Distinct comparison patterns (patterns × fields) with how many pairs show each."""

    levels: npt.NDArray[np.uint8]
    counts: Floats
    of_pair: npt.NDArray[np.int64]

    @classmethod
    def of(cls, levels: Levels, kinds: Sequence[Kind]) -> Patterns:
        """Count the patterns of a matrix of levels (fields × pairs)."""
        code = np.zeros(levels.shape[1], dtype=np.int64)
        for row, kind in zip(levels, kinds, strict=True):
            code = code * level_count(kind) + row
        _, first, inverse, counts = np.unique(
            code, return_index=True, return_inverse=True, return_counts=True
        )
        return cls(levels[:, first].T, counts.astype(np.float64), inverse)


@dataclass(frozen=True)
class Labels:
    """What is known of some pairs, per pattern: how many are known to be one person (`same`) or not
    (`different`), and what they weigh in training together.

    `circular` counts the same-person pairs that nothing but their shared national id brought up: they say
    how the other fields of one person look, but not how often the id itself agrees, so they are left out of
    the m of national ids.
    """

    same: Floats
    different: Floats
    same_weight: Floats
    different_weight: Floats
    circular: Floats

    @classmethod
    def of(
        cls,
        patterns: Patterns,
        same: Bools,
        different: Bools,
        weight: float = 1.0,
        circular: Bools | None = None,
    ) -> Labels:
        """Labels of the pairs that the patterns were counted on; `weight` is what one pair counts for."""
        size = len(patterns.counts)

        def counted(mask: Bools) -> Floats:
            return np.bincount(patterns.of_pair[mask], minlength=size).astype(np.float64)

        known, apart = counted(same & ~different), counted(different & ~same)
        alone = np.zeros(size) if circular is None else counted(same & ~different & circular)
        return cls(known, apart, weight * known, weight * apart, weight * alone)

    def joined(self, other: Labels) -> Labels:
        """These and other labels; no pair may stand in both."""
        return Labels(
            self.same + other.same,
            self.different + other.different,
            self.same_weight + other.same_weight,
            self.different_weight + other.different_weight,
            self.circular + other.circular,
        )


@dataclass(frozen=True)
class Evidence:
    """What training needs besides the candidates' patterns.

    `random`: per field, the share of each level (1 and up) among random pairs that have both values;
    `both_present`: the share of random pairs that have both; `pairs`: number of all pairs of records.
    """

    kinds: tuple[Kind, ...]
    names: tuple[str, ...]
    random: tuple[Floats, ...]
    both_present: tuple[float, ...]
    pairs: float
    records: int


def starting_m(kind: Kind) -> Floats:
    """A plausible m before anything is learned: most mass on the highest level, less on each lower one."""
    size = level_count(kind) - 1
    exact = _START_EXACT.get(kind, 0.8)
    lower = np.geomspace(1, 4, size - 1) if size > 1 else np.empty(0)
    return np.append((1 - exact) * lower / lower.sum(), exact)


_PRIOR_PAIRS = 100.0
"""What is plausible of any population counts as much as so many pairs: it is what small files go by."""
_ITERATIONS = 100
_CONVERGED = 1e-4
_MOST_TWINS = 0.03
"""Of two people of one household, no larger share are twins: one birth in thirty is of a twin."""


class _Training:
    """The state of one EM run; arrays are lists over fields of probabilities over levels."""

    def __init__(self, patterns: Patterns, evidence: Evidence, labels: Labels, households: bool) -> None:
        self.patterns, self.evidence, self.labels = patterns, evidence, labels
        self.open = np.maximum(patterns.counts - labels.same - labels.different, 0.0)
        self.start = [starting_m(kind) for kind in evidence.kinds]
        self.m = list(self.start)
        self.u = [random.copy() for random in evidence.random]
        self.knows_homes = bool({Kind.ADDRESS, Kind.PHONE} & set(evidence.kinds))
        self.shared = [kind in SHARED_BY_HOUSEHOLD for kind in evidence.kinds]
        self.h = [
            m if shared and kind is not Kind.BIRTH_DATE else u
            for m, u, shared, kind in zip(self.m, self.u, self.shared, evidence.kinds, strict=True)
        ]
        self.prior = min(0.2, 0.2 * max(evidence.records, 1) / evidence.pairs)
        self.household = 0.5 * self.prior if households else 0.0

    def _log(self, tables: Sequence[Floats]) -> Floats:
        total = np.zeros(len(self.patterns.counts))
        for levels, table in zip(self.patterns.levels.T, tables, strict=True):
            total += np.append(0.0, np.log(table))[levels]
        return total

    def expect(self) -> tuple[Floats, Floats, float]:
        """Weight of same-person and household pairs per pattern, and the number of same-person pairs."""
        same = np.log(self.prior) + self._log(self.m)
        unrelated = np.log1p(-self.prior - self.household) + self._log(self.u)
        home = np.log(max(self.household, 1e-300)) + self._log(self.h)
        others = np.logaddexp(home, unrelated)
        total = np.logaddexp(same, others)
        expected, labels = self.open * np.exp(same - total), self.labels
        homes = self.open * np.exp(home - total) + labels.different_weight * np.exp(home - others)
        return expected + labels.same_weight, homes, float(expected.sum() + labels.same.sum())

    def maximise(self, same: Floats, home: Floats, matches: float) -> None:
        """Re-estimate every probability from the expected counts."""
        for index, levels in enumerate(self.patterns.levels.T):
            size = len(self.start[index])
            is_id = self.evidence.kinds[index] is Kind.NATIONAL_ID
            known = np.maximum(same - self.labels.circular, 0.0) if is_id else same
            m_mass = np.bincount(levels, weights=known, minlength=size + 1)[1:].astype(np.float64)
            h_mass = np.bincount(levels, weights=home, minlength=size + 1)[1:].astype(np.float64)
            if self.evidence.kinds[index] not in _TOLD_BY_NOTHING_ELSE:
                self.m[index] = _smoothed(m_mass, self.start[index])
            pairs = self.evidence.pairs * self.evidence.both_present[index]
            random = self.evidence.random[index]
            rest = np.maximum(random * pairs - m_mass - h_mass, np.maximum(0.02 * random * pairs, 0.05))
            self.u[index] = rest / rest.sum()
            if self.evidence.kinds[index] is Kind.BIRTH_DATE:
                self.h[index] = _with_twins(self.u[index], h_mass) if self.knows_homes else self.u[index]
            else:
                self.h[index] = _smoothed(h_mass, self.start[index]) if self.shared[index] else self.u[index]
        self.prior = float(np.clip(matches / self.evidence.pairs, 1e-15, 0.5))
        if self.household:
            self.household = float(np.clip(home.sum() / self.evidence.pairs, 1e-15, 0.3))


def _with_twins(unrelated: Floats, mass: Floats) -> Floats:
    """Birth dates within a household: strangers' dates, but for twins.

    All else that a household might share of a date (a year) would take in persons with slips in theirs.
    """
    twins = (mass[-1] + _PRIOR_PAIRS * unrelated[-1]) / (mass.sum() + _PRIOR_PAIRS)
    twins = float(np.clip(twins, unrelated[-1], max(_MOST_TWINS, unrelated[-1])))
    rest = unrelated[:-1] * ((1 - twins) / unrelated[:-1].sum())
    return np.append(rest, twins)


def _smoothed(mass: Floats, prior: Floats) -> Floats:
    result = mass + _PRIOR_PAIRS * prior
    return np.asarray(result / result.sum())


def train(patterns: Patterns, evidence: Evidence, labels: Labels | None = None) -> Model:
    """Learn a model by expectation maximisation over the candidates' comparison patterns.

    Pairs with `labels` are held fixed: nothing is guessed about them.

    u is what random pairs show less what the expected matches among them explain, so that it stays right
    where duplicates are many. Pure; deterministic.
    """
    personal = {Kind.GIVEN_NAME, Kind.BIRTH_DATE} & set(evidence.kinds)
    shared = (SHARED_BY_HOUSEHOLD - {Kind.BIRTH_DATE}) & set(evidence.kinds)
    nothing = np.zeros(len(patterns.counts), dtype=bool)
    none = Labels.of(Patterns(patterns.levels, patterns.counts, np.arange(len(nothing))), nothing, nothing)
    state = _Training(patterns, evidence, labels or none, households=bool(personal) and len(shared) >= 2)
    for _ in range(_ITERATIONS if len(patterns.counts) else 0):
        before = list(state.m)
        state.maximise(*state.expect())
        change = (np.abs(new - old).max() for new, old in zip(state.m, before, strict=True))
        if max(change, default=0.0) < _CONVERGED:
            break
    fields = tuple(
        FieldModel(name, kind.value, m.tolist(), u.tolist(), h.tolist(), kind in WEIGHING_FREQUENCY)
        for name, kind, m, u, h in zip(evidence.names, evidence.kinds, state.m, state.u, state.h, strict=True)
    )
    return Model(fields, state.prior, state.household, evidence.records)


WEIGHING_FREQUENCY = frozenset(
    {
        Kind.GIVEN_NAME,
        Kind.FAMILY_NAME,
        Kind.BIRTH_DATE,
        Kind.CITY,
        Kind.POSTCODE,
        Kind.OCCUPATION,
        Kind.ADDRESS,
    }
)
