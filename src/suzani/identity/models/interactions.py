"""Pairs of fields that say the same thing twice, and what to take back for it.

Fellegi–Sunter adds the weights of fields as if they were independent. Among strangers they are not: who has
one's city mostly has one's region, and people of one origin share both given and family names. An
interaction states, in bits, how much more often two fields agree together than independence has it: among
unrelated people (u, taken back) and within a person (m, given back). As in a dependence tree (Chow & Liu
1968) no field is corrected along two ways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log2

import numpy as np
import numpy.typing as npt

from suzani.identity.models.comparisons import LABELS, Levels, Rows
from suzani.kernel import InvalidInput, Kind

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32] | npt.NDArray[np.int64]

SAMPLE = 50_000
"""Records on which chance agreement is counted."""
_MANY_PAIRS = 200.0
_MOSTLY_STRANGERS = 0.2
_LEAST_BITS = 0.5
_MOST_BITS = 3.5
"""Stronger dependence among strangers is not believed: they are persons and families that blocking missed."""
_FILLED = 1_000
_TELLING = 1e-4

_FROM: Mapping[Kind, str] = {
    Kind.GIVEN_NAME: "same form", Kind.FAMILY_NAME: "same form", Kind.PATRONYMIC: "same form",
    Kind.SEX: "exact", Kind.BIRTH_DATE: "one slip", Kind.CITY: "exact", Kind.REGION: "near",
    Kind.POSTCODE: "one slip", Kind.COUNTRY: "exact", Kind.OCCUPATION: "near",
}  # fmt: skip
"""The kinds that may interact, with the level from which their values count as agreeing.

Identifiers, contacts, addresses and texts do not: strangers hardly agree on them, so chance teaches nothing;
nor does the generation, which few records state.
"""


@dataclass(frozen=True, slots=True)
class Interaction:
    """Two fields (by name) whose agreement goes together, from these levels on.

    `m_bits`, `u_bits`: log2 P(both agree) / (P(first agrees) · P(second agrees)) within a person and among
    unrelated people.
    """

    first: str
    second: str
    first_level: int
    second_level: int
    m_bits: float
    u_bits: float

    @property
    def weight_bits(self) -> float:
        """What agreement of both adds to the sum of the two fields' weights; mostly negative."""
        return self.m_bits - self.u_bits

    def check(self, sizes: Mapping[str, int], where: str) -> None:
        """Raise InvalidInput unless it names two fields, levels that they have, and finite bits.

        `sizes`: the highest level of each field by its name.
        """
        for name, level in ((self.first, self.first_level), (self.second, self.second_level)):
            if not isinstance(name, str) or name not in sizes:
                raise InvalidInput(
                    f"{where}: an interaction names the field {name!r}, which the model lacks",
                    hint=f"Its fields: {', '.join(sizes)}.",
                )
            if not isinstance(level, int) or not 1 <= level <= sizes[name]:
                raise InvalidInput(f"{where}: an interaction names the level {level!r} of {name!r}")
        bits = (self.m_bits, self.u_bits)
        if self.first == self.second or not all(isinstance(b, int | float) and isfinite(b) for b in bits):
            raise InvalidInput(
                f"{where}: the interaction of {self.first!r} and {self.second!r} makes no sense"
            )


@dataclass(frozen=True)
class Expected:
    """The candidates as training left them: levels (fields × pairs), both rows of each pair, and how
    probable it is that they are one person (`same`) and that they are of one household (`home`)."""

    levels: Levels
    left: Rows
    right: Rows
    same: Floats
    home: Floats


def learn_interactions(
    names: Sequence[str], kinds: Sequence[Kind], codes: Sequence[Codes], expected: Expected
) -> tuple[Interaction, ...]:
    """The interactions among fields, the strongest first; none where there is too little to tell by.

    `codes`: per field, the code of each record's first value, -1 for none. Chance agreement is counted on up
    to 50,000 records, less what persons and households explain. Pure; deterministic.
    """
    chosen = [index for index, kind in enumerate(kinds) if kind in _FROM]
    rows = len(codes[0]) if codes else 0
    sample = _sample(rows)
    share = (len(sample) / max(rows, 1)) ** 2
    masses = _Masses.of([kinds[i] for i in chosen], [codes[i] for i in chosen], chosen, expected)
    samples = [codes[index][sample].astype(np.int64) for index in chosen]
    found = []
    for first in range(len(chosen)):
        for second in range(first + 1, len(chosen)):
            bits = _dependence(samples[first], samples[second], masses.between(first, second, share))
            if bits is not None and bits[1] - bits[0] > _LEAST_BITS:
                found.append((chosen[first], chosen[second], *bits))
    return tuple(
        Interaction(names[a], names[b], _agreeing(kinds[a]), _agreeing(kinds[b]), round(m, 4), round(u, 4))
        for a, b, m, u in _forest(found, len(names))
    )


def _agreeing(kind: Kind) -> int:
    return LABELS[kind].index(_FROM[kind])


def _sample(rows: int) -> Rows:
    if rows <= SAMPLE:
        return np.arange(rows)
    return np.sort(np.random.default_rng(rows).choice(rows, SAMPLE, replace=False))


@dataclass(frozen=True)
class _Mass:
    """Expected pairs of one person (`same`) in which both fields agree, the first does, the second does, and
    both have values; and of one person or household among a sample of records (`near`)."""

    same: tuple[float, float, float, float]
    near: tuple[float, float, float]


@dataclass(frozen=True)
class _Masses:
    """Per pair of fields: expected pairs that agree on both (`agree`), agree on the first and have the
    second (`first`), and have both (`present`); within persons, and within persons and households."""

    agree: tuple[Floats, Floats]
    first: tuple[Floats, Floats]
    present: Floats

    @classmethod
    def of(
        cls, kinds: Sequence[Kind], codes: Sequence[Codes], chosen: Sequence[int], expected: Expected
    ) -> _Masses:
        near = expected.same + expected.home
        told = np.flatnonzero(near > _TELLING)
        left, right = expected.left[told], expected.right[told]
        levels = expected.levels[chosen][:, told]
        tops = [row == len(LABELS[kind]) - 1 for kind, row in zip(kinds, levels, strict=True)]
        equal = [top & (code[left] == code[right]) for top, code in zip(tops, codes, strict=True)]
        exact = np.array(equal, dtype=np.float64).reshape(len(kinds), len(told))
        filled = (levels > 0).astype(np.float64)
        weights = expected.same[told], near[told]
        return cls(
            ((exact * weights[0]) @ exact.T, (exact * weights[1]) @ exact.T),
            ((exact * weights[0]) @ filled.T, (exact * weights[1]) @ filled.T),
            (filled * weights[0]) @ filled.T,
        )

    def between(self, first: int, second: int, share: float) -> _Mass:
        """The masses of two fields; near ones for a sample in which a `share` of all pairs is."""
        places = ((first, second), (second, first))
        same, near = (
            (float(agree[places[0]]), float(alone[places[0]]), float(alone[places[1]]))
            for agree, alone in zip(self.agree, self.first, strict=True)
        )
        return _Mass(
            (*same, float(self.present[places[0]])), (share * near[0], share * near[1], share * near[2])
        )


def _pairs(keys: Codes) -> float:
    """How many pairs of records have the same key."""
    ordered = np.sort(keys)
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    counts = np.diff(np.append(starts, len(keys))).astype(np.float64)
    return float((counts * (counts - 1) / 2).sum())


def _dependence(first: Codes, second: Codes, mass: _Mass) -> tuple[float, float] | None:
    """Bits of m and u by which two fields agree together beyond independence; None where few pairs tell."""
    both = (first >= 0) & (second >= 0)
    filled = int(both.sum())
    agree, first_alone, second_alone, matches = mass.same
    if filled < _FILLED or min(agree, first_alone, second_alone) < 1 or matches < _MANY_PAIRS / 2:
        return None
    a, b = first[both], second[both]
    joint = _pairs(a * (int(b.max()) + 1) + b)
    together = joint - mass.near[0]
    if together < max(_MANY_PAIRS, _MOSTLY_STRANGERS * joint):
        return None
    alone = (_pairs(a) - mass.near[1], _pairs(b) - mass.near[2])
    if min(alone) <= 0:
        return None
    u_bits = log2(together * (filled * (filled - 1) / 2) / (alone[0] * alone[1]))
    m_bits = log2(agree * matches / (first_alone * second_alone))
    return None if u_bits > _MOST_BITS else (m_bits, u_bits)


def _forest(found: Sequence[tuple[int, int, float, float]], size: int) -> list[tuple[int, int, float, float]]:
    """The strongest dependences that close no circle (Kruskal 1956)."""
    root = list(range(size))
    kept = []
    for first, second, m_bits, u_bits in sorted(
        found, key=lambda item: (item[2] - item[3], item[0], item[1])
    ):
        a, b = root[first], root[second]
        if a != b:
            kept.append((first, second, m_bits, u_bits))
            root = [a if top == b else top for top in root]
    return kept
