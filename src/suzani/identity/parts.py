"""Given, family and middle names of every record, from separate columns or from full names.

Which word of a full name is which is learned from the records that keep the parts apart, then from the
forms of patronymics and family names, then from the order most full names of the file use.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
import numpy.typing as npt

from suzani.identity.dictionary import Encoded

_PATRONYMIC = re.compile(
    r".{2,}(ovich|evich|ovna|evna|ichna|ogli|ugli|kizi|qizi)$|^(ogli|ugli|kizi|qizi|uli)$"
)
_FAMILY = re.compile(r".{2,}(ov|ova|ev|eva|yev|yeva|in|ina|skiy|skaya|sky|enko|yan|dze|shvili|yants)$")
_MALE = re.compile(r"(ovich|evich|ogli|ugli)$|.{2,}(ov|ev|skiy)$")
_FEMALE = re.compile(r"(ovna|evna|ichna|kizi|qizi)$|.{2,}(ova|eva|skaya)$")
_CONNECTED = frozenset({"ogli", "ugli", "kizi", "qizi", "uli"})


@dataclass(frozen=True)
class NameColumns:
    """The encoded name columns of a table, comparable forms; full names keep a comma where there was one."""

    given: list[Encoded]
    family: list[Encoded]
    middle: list[Encoded]
    full: list[Encoded]


@dataclass(frozen=True)
class NameParts:
    """Codes (rows × alternatives) into one common list of names; -1 where a record has no such part."""

    values: list[str]
    given_name: npt.NDArray[np.int32]
    family_name: npt.NDArray[np.int32]
    middle_name: npt.NDArray[np.int32]


def sex_of_family_name(name: str) -> str:
    """ "male" or "female" where the form of a family name or patronymic shows it, else ""."""
    if _FEMALE.search(name):
        return "female"
    return "male" if _MALE.search(name) else ""


class _Names:
    """A growing common list of names with their codes."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {"": -1}

    def codes(self, names: Sequence[str], codes: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        table = [self.index.setdefault(name, len(self.index) - 1) for name in names]
        return np.array([*table, -1], dtype=np.int32)[codes]


def name_parts(columns: NameColumns, rows: int) -> NameParts:
    """The parts of every record's name. A second given name is a middle name; further family names
    (maiden name) are alternatives; a part that a record lacks is taken from its full name."""
    names = _Names()
    given = [names.codes(c.values, c.codes) for c in columns.given]
    family = [names.codes(c.values, c.codes) for c in columns.family]
    middle = [names.codes(c.values, c.codes) for c in (*columns.middle,)]
    if columns.given[1:]:
        middle += given[1:]
    given_name = given[0] if given else np.full(rows, -1, dtype=np.int32)
    first_family = family[0] if family else np.full(rows, -1, dtype=np.int32)
    middle_name = _first_of(middle, rows)
    split = _Splitter(_counts(columns.given), _counts(columns.family))
    others: list[npt.NDArray[np.int32]] = family[1:]
    for column in columns.full:
        parts = split.all(column.values)
        g, f, m = (names.codes([part[i] for part in parts], column.codes) for i in range(3))
        bare = (given_name < 0) & (first_family < 0)
        # An incomplete name keeps what its own columns say: only a wholly missing one is taken over.
        given_name = np.where(bare, g, given_name)
        first_family = np.where(bare, f, first_family)
        middle_name = np.where(middle_name < 0, m, middle_name)
    family_name = np.stack([first_family, *others], axis=1)
    values = [name for name in names.index if name]
    return NameParts(values, given_name[:, None], family_name.astype(np.int32), middle_name[:, None])


def _first_of(columns: Sequence[npt.NDArray[np.int32]], rows: int) -> npt.NDArray[np.int32]:
    result = np.full(rows, -1, dtype=np.int32)
    for codes in columns:
        result = np.where(result >= 0, result, codes).astype(np.int32)
    return result


def _counts(columns: Sequence[Encoded]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for column in columns[:1]:
        held = np.bincount(column.codes[column.codes >= 0], minlength=len(column.values))
        for value, count in zip(column.values, held.tolist(), strict=False):
            for word in value.split():
                counts[word] += count
    return counts


@dataclass(frozen=True)
class _Splitter:
    """Splits full names into (given, family, middle)."""

    given: Counter[str]
    family: Counter[str]
    scores: dict[str, float] = field(default_factory=dict)

    def all(self, values: Sequence[str]) -> list[tuple[str, str, str]]:
        family_first = self._family_stands_first(values)
        return [self.one(value, family_first) for value in values]

    def one(self, value: str, family_first: bool) -> tuple[str, str, str]:
        before, comma, after = value.partition(",")
        if comma and before.strip() and after.strip():
            first, *rest = after.split()
            return first, before.strip(), " ".join(rest)
        words = value.replace(",", " ").split()
        middle = [word for word in words if _PATRONYMIC.search(word)]
        words, middle = self._attach(words, middle)
        if len(words) < 2:
            return (words[0] if words else ""), "", " ".join(middle)
        at = self._family_at(words, family_first)
        rest = [word for index, word in enumerate(words) if index != at]
        return rest[0], words[at], " ".join(rest[1:] + middle)

    @staticmethod
    def _attach(words: list[str], middle: list[str]) -> tuple[list[str], list[str]]:
        """Take "Karim oʻgʻli", written apart, as one patronymic."""
        kept: list[str] = []
        taken: list[str] = []
        for word in words:
            if word in _CONNECTED and len(kept) > 2:
                taken.append(kept.pop() + word)
            elif word not in middle:
                kept.append(word)
            elif word not in _CONNECTED:
                taken.append(word)
        return kept, taken

    def _family_at(self, words: Sequence[str], family_first: bool) -> int:
        scores = [self._family_score(word) for word in words]
        default = 0 if family_first else len(words) - 1
        best = max(scores)
        if best - scores[default] > 1.0:
            return scores.index(best)
        return default

    def _family_score(self, word: str) -> float:
        """Log-odds, roughly, that a word is a family name and no given name."""
        score = self.scores.get(word)
        if score is None:
            seen = math.log2((self.family[word] + 0.5) / (self.given[word] + 0.5))
            score = self.scores[word] = seen + (2.0 if _FAMILY.search(word) else 0.0)
        return score

    def _family_stands_first(self, values: Sequence[str]) -> bool:
        first = last = 0
        for value in sorted(values, key=lambda value: crc32(value.encode()))[:5000]:
            words = [word for word in value.split() if not _PATRONYMIC.search(word)]
            if len(words) >= 2 and "," not in value:
                difference = self._family_score(words[0]) - self._family_score(words[-1])
                first += difference > 1.0
                last += difference < -1.0
        return first > last
