"""How alike two values of a field are, as a small integer level; computed once per distinct value pair.

Level 0 means that one side is missing (no evidence), 1 that the values differ, and the highest level of a
kind that they are the same. What a level is worth is for the model to learn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, JaroWinkler

from suzani.identity.dictionary import Codes, recode
from suzani.identity.fields import Field
from suzani.identity.names import folded_names, phonetic_keys, short_forms
from suzani.kernel import Kind

Levels = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]
PairLevels = Callable[[Codes, Codes], Levels]

MISSING, DIFFERENT = 0, 1
_NAME = ("missing", "different", "initial", "similar", "near", "same form", "exact")
_SWAPPED_AT_MOST = 4

LABELS: Mapping[Kind, tuple[str, ...]] = {
    Kind.GIVEN_NAME: _NAME,
    Kind.FAMILY_NAME: _NAME,
    Kind.PATRONYMIC: _NAME,
    Kind.SEX: ("missing", "different", "exact"),
    Kind.GENERATION: ("missing", "different", "exact"),
    Kind.BIRTH_DATE: (
        "missing",
        "different",
        "same month and day",
        "same year",
        "two slips",
        "one slip",
        "exact",
    ),
    Kind.NATIONAL_ID: ("missing", "different", "two slips", "one slip", "exact"),
    Kind.DOCUMENT: ("missing", "different", "two slips", "one slip", "exact"),
    Kind.PHONE: ("missing", "different", "one slip", "same ending", "exact"),
    Kind.EMAIL: ("missing", "different", "similar", "same mailbox name", "near", "exact"),
    Kind.POSTCODE: ("missing", "different", "same area", "one slip", "exact"),
    Kind.ADDRESS: ("missing", "different", "weak", "similar", "near", "contained", "exact"),
    Kind.ORGANISATION: ("missing", "different", "weak", "similar", "near", "contained", "exact"),
    Kind.CITY: ("missing", "different", "similar", "near", "exact"),
    Kind.REGION: ("missing", "different", "similar", "near", "exact"),
    Kind.COUNTRY: ("missing", "different", "similar", "near", "exact"),
    Kind.OCCUPATION: ("missing", "different", "similar", "near", "exact"),
    Kind.TEXT: ("missing", "different", "weak", "similar", "near", "contained", "exact"),
}
"""The names of each kind's levels, by level."""


def level_count(kind: Kind) -> int:
    """Number of levels of a kind, missing included."""
    return len(LABELS[kind])


def _texts(values: Sequence[str]) -> Texts:
    return np.array(values, dtype=object)


def _ratio(
    scorer: Any, left: Texts, right: Texts, score_cutoff: float | None = None
) -> npt.NDArray[np.float32]:
    return np.asarray(
        process.cpdist(
            left.tolist(), right.tolist(), scorer=scorer, dtype=np.float32, score_cutoff=score_cutoff
        )
    )


@dataclass(frozen=True)
class _NameForms:
    """Precomputed forms of a list of names."""

    text: Texts
    joined: Codes
    sound: Codes
    groups: Mapping[str, frozenset[int]]
    has_group: npt.NDArray[np.bool_]
    double: npt.NDArray[np.bool_]
    lengths: npt.NDArray[np.int32]
    first: npt.NDArray[np.str_]

    @classmethod
    def of(cls, values: Sequence[str]) -> _NameForms:
        everyone = np.arange(len(values), dtype=np.int32)
        folded = [form.replace(" ", "") for form in folded_names(values)]
        groups = short_forms()
        return cls(
            _texts(values),
            recode(folded, everyone).codes,
            recode(phonetic_keys(values), everyone).codes,
            groups,
            np.fromiter((value in groups for value in values), dtype=bool, count=len(values)),
            np.fromiter((" " in value for value in values), dtype=bool, count=len(values)),
            np.fromiter(map(len, values), dtype=np.int32, count=len(values)),
            np.fromiter((value[0] for value in values), dtype="U1", count=len(values)),
        )

    def levels(self, a: Codes, b: Codes) -> Levels:
        """Levels 1 to 5 of distinct pairs of different names."""
        left, right = self.text[a], self.text[b]
        alike = _ratio(JaroWinkler.normalized_similarity, left, right)
        shorter = np.minimum(self.lengths[a], self.lengths[b])
        level = np.full(len(a), DIFFERENT, dtype=np.uint8)
        level[(alike >= 0.80) | ((self.sound[a] == self.sound[b]) & (self.sound[a] >= 0) & (shorter > 2))] = 3
        close = np.flatnonzero((alike >= 0.70) & (shorter >= 4))
        slips = _ratio(OSA.distance, left[close], right[close], score_cutoff=1)
        level[close[slips <= 1]] = 4
        level[(alike >= 0.93) & (shorter >= 4)] = 4
        self._mark_contained(level, a, b)
        level[(shorter == 1) & (level < 4)] = DIFFERENT
        level[(shorter == 1) & (self.first[a] == self.first[b])] = 2
        level[(self.joined[a] == self.joined[b]) & (self.joined[a] >= 0)] = 5
        self._mark_short_forms(level, a, b)
        return level

    def _mark_contained(self, level: Levels, a: Codes, b: Codes) -> None:
        """A double name and one of its words ("Maria Luisa", "Maria") are near."""
        for i in np.flatnonzero((level < 4) & (self.double[a] | self.double[b])):
            words, others = set(self.text[a[i]].split()), set(self.text[b[i]].split())
            if max(map(len, words & others), default=0) >= 3:
                level[i] = 4

    def _mark_short_forms(self, level: Levels, a: Codes, b: Codes) -> None:
        for i in np.flatnonzero(self.has_group[a] & self.has_group[b] & (level < 5)):
            if self.groups[self.text[a[i]]] & self.groups[self.text[b[i]]]:
                level[i] = 5


def _name_levels(values: Sequence[str]) -> PairLevels:
    return _NameForms.of(values).levels


def _date_levels(values: Sequence[str]) -> PairLevels:
    digits = np.frombuffer("".join(values).encode(), dtype=np.uint8).reshape(-1, 8)

    def levels(a: Codes, b: Codes) -> Levels:
        left, right = digits[a], digits[b]
        same = left == right
        unlike = 8 - same.sum(axis=1)
        year, month_day = same[:, :4].all(axis=1), same[:, 4:].all(axis=1)
        crossed = (left[:, 4:6] == right[:, 6:]).all(axis=1) & (left[:, 6:] == right[:, 4:6]).all(axis=1)
        swapped = ((left[:, :-1] == right[:, 1:]) & (left[:, 1:] == right[:, :-1]) & ~same[:, :-1]).any(
            axis=1
        )
        level = np.full(len(a), DIFFERENT, dtype=np.uint8)
        level[month_day] = 2
        level[year] = 3
        level[unlike == 2] = 4
        level[(unlike == 1) | ((unlike == 2) & swapped) | (year & crossed)] = 5
        return level

    return levels


def _code_levels(values: Sequence[str]) -> PairLevels:
    texts = _texts(values)

    def levels(a: Codes, b: Codes) -> Levels:
        slips = _ratio(OSA.distance, texts[a], texts[b], score_cutoff=2)
        level = np.full(len(a), DIFFERENT, dtype=np.uint8)
        level[slips <= 2] = 2
        level[slips <= 1] = 3
        return level

    return levels


def _phone_levels(values: Sequence[str]) -> PairLevels:
    texts = _texts(values)
    endings = recode([value[-7:] for value in values], np.arange(len(values), dtype=np.int32)).codes

    def levels(a: Codes, b: Codes) -> Levels:
        slips = _ratio(OSA.distance, texts[a], texts[b], score_cutoff=1)
        level = np.full(len(a), DIFFERENT, dtype=np.uint8)
        level[slips <= 1] = 2
        level[endings[a] == endings[b]] = 3
        return level

    return levels


def _email_levels(values: Sequence[str]) -> PairLevels:
    texts = _texts(values)
    names = _texts([value.partition("@")[0] for value in values])

    def levels(a: Codes, b: Codes) -> Levels:
        whole = _ratio(OSA.normalized_similarity, texts[a], texts[b])
        mailbox = _ratio(JaroWinkler.normalized_similarity, names[a], names[b])
        level = np.full(len(a), DIFFERENT, dtype=np.uint8)
        level[(mailbox >= 0.90) | (whole >= 0.75)] = 2
        level[names[a] == names[b]] = 3
        level[whole >= 0.88] = 4
        return level

    return levels


def _postcode_levels(values: Sequence[str]) -> PairLevels:
    texts = _texts(values)
    areas = recode([v[: max(2, len(v) - 3)] for v in values], np.arange(len(values), dtype=np.int32)).codes

    def levels(a: Codes, b: Codes) -> Levels:
        slips = _ratio(OSA.distance, texts[a], texts[b], score_cutoff=1)
        level = np.full(len(a), DIFFERENT, dtype=np.uint8)
        level[areas[a] == areas[b]] = 2
        level[slips <= 1] = 3
        return level

    return levels


def _numbers(value: str) -> str:
    return " ".join(word for word in value.split() if word.isdigit())


def _bag_levels(values: Sequence[str]) -> PairLevels:
    texts = _texts(values)
    numbers = recode([_numbers(value) for value in values], np.arange(len(values), dtype=np.int32)).codes

    def levels(a: Codes, b: Codes) -> Levels:
        left, right = texts[a], texts[b]
        whole = _ratio(fuzz.ratio, left, right)
        level = np.full(len(a), DIFFERENT, dtype=np.uint8)
        level[whole >= 58] = 2
        level[whole >= 72] = 3
        level[whole >= 86] = 4
        unsure = np.flatnonzero((whole >= 35) & (whole < 86))
        within = _ratio(fuzz.token_set_ratio, left[unsure], right[unsure])
        level[unsure[within >= 95]] = 5
        clash = (numbers[a] != numbers[b]) & (numbers[a] >= 0) & (numbers[b] >= 0)
        level[clash & (level == 4)] = 3
        return level

    return levels


def _text_levels(values: Sequence[str]) -> PairLevels:
    texts = _texts(values)

    def levels(a: Codes, b: Codes) -> Levels:
        alike = _ratio(JaroWinkler.normalized_similarity, texts[a], texts[b])
        level = np.full(len(a), DIFFERENT, dtype=np.uint8)
        level[alike >= 0.80] = 2
        level[alike >= 0.90] = 3
        return level

    return levels


def _equal_or_not(values: Sequence[str]) -> PairLevels:
    return lambda a, b: np.full(len(a), DIFFERENT, dtype=np.uint8)


_BY_KIND: Mapping[Kind, Callable[[Sequence[str]], PairLevels]] = {
    Kind.GIVEN_NAME: _name_levels,
    Kind.FAMILY_NAME: _name_levels,
    Kind.PATRONYMIC: _name_levels,
    Kind.SEX: _equal_or_not,
    Kind.GENERATION: _equal_or_not,
    Kind.BIRTH_DATE: _date_levels,
    Kind.NATIONAL_ID: _code_levels,
    Kind.DOCUMENT: _code_levels,
    Kind.PHONE: _phone_levels,
    Kind.EMAIL: _email_levels,
    Kind.POSTCODE: _postcode_levels,
    Kind.ADDRESS: _bag_levels,
    Kind.ORGANISATION: _bag_levels,
    Kind.CITY: _text_levels,
    Kind.REGION: _text_levels,
    Kind.COUNTRY: _text_levels,
    Kind.OCCUPATION: _text_levels,
    Kind.TEXT: _bag_levels,
}


@dataclass(frozen=True)
class _Comparison:
    """Compares codes of one list of values."""

    pair_levels: PairLevels
    exact: int
    size: int

    def levels(self, a: Codes, b: Codes) -> Levels:
        """Level of each pair of codes, 0 where one is missing."""
        level = np.zeros(len(a), dtype=np.uint8)
        present = (a >= 0) & (b >= 0)
        level[present & (a == b)] = self.exact
        rest = np.flatnonzero(present & (a != b))
        if len(rest):
            low, high = np.minimum(a[rest], b[rest]), np.maximum(a[rest], b[rest])
            distinct, inverse = np.unique(low.astype(np.int64) * self.size + high, return_inverse=True)
            first, second = np.divmod(distinct, self.size)
            level[rest] = self.pair_levels(first.astype(np.int32), second.astype(np.int32))[inverse]
        return level


class Comparator:
    """Compares records field by field.

    `fields` as `build_fields` gives them; comparing takes two arrays of row numbers and returns a matrix of
    levels (fields × pairs, uint8).
    """

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = tuple(fields)
        shared: dict[int, _Comparison] = {}
        for field in fields:
            if id(field.values) not in shared:
                shared[id(field.values)] = _Comparison(
                    _BY_KIND[field.kind](field.values), level_count(field.kind) - 1, len(field.values)
                )
        self._comparisons = [shared[id(field.values)] for field in fields]
        position = {field.name: index for index, field in enumerate(fields)}
        self._given = position.get("given_name")
        self._family = position.get("family_name")

    def compare(self, left: Rows, right: Rows) -> Levels:
        """Levels of every field for each pair of rows."""
        levels = np.zeros((len(self.fields), len(left)), dtype=np.uint8)
        for index in range(len(self.fields)):
            levels[index] = self._best(index, left, right)
        if self._given is not None and self._family is not None:
            self._swap_names(levels, left, right)
        return levels

    def _best(self, index: int, left: Rows, right: Rows) -> Levels:
        """The best level over all alternatives of a multi-valued field."""
        codes, comparison = self.fields[index].codes, self._comparisons[index]
        best = comparison.levels(codes[left, 0], codes[right, 0])
        for i in range(codes.shape[1]):
            for j in range(codes.shape[1]):
                if i or j:
                    both = np.flatnonzero((codes[left, i] >= 0) & (codes[right, j] >= 0))
                    found = comparison.levels(codes[left[both], i], codes[right[both], j])
                    best[both] = np.maximum(best[both], found)
        return best

    def _swap_names(self, levels: Levels, left: Rows, right: Rows) -> None:
        """Given and family name in each other's place, or one of them in the other's with none beside it."""
        g, f = self._given or 0, self._family or 0
        poor = np.flatnonzero((levels[g] < _SWAPPED_AT_MOST) & (levels[f] < _SWAPPED_AT_MOST))
        if not len(poor):
            return
        given, family, names = self.fields[g].codes[:, 0], self.fields[f].codes[:, 0], self._comparisons[g]
        gf = names.levels(given[left[poor]], family[right[poor]])
        fg = names.levels(family[left[poor]], given[right[poor]])
        both = (gf >= _SWAPPED_AT_MOST) & (fg >= _SWAPPED_AT_MOST)
        levels[g, poor[both]] = levels[f, poor[both]] = _SWAPPED_AT_MOST
        one = np.maximum(gf, fg) >= _SWAPPED_AT_MOST
        lone = one & ~both & (levels[f, poor] == MISSING)
        levels[f, poor[lone]] = _SWAPPED_AT_MOST
        levels[g, poor[lone]] = MISSING
