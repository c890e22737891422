"""Given, family and middle names of every record, from separate columns or from full names.

Which word of a full name is which is learned from the records that keep the parts apart, then from the
forms of patronymics and family names, then from the order most full names of the file use.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity.kernels.fullnames import Words, part_names, places
from suzani.identity.kernels.texts import gather, split_words
from suzani.identity.values.dictionary import MISSING, Codes, Encoded, unify
from suzani.identity.values.names import MAYBE_MAIDEN, maiden
from suzani.identity.values.texts import MANY, Texts, as_array, as_list, bytes_of, sampled, texts_of

_PATRONYMIC = re.compile(
    r".{2,}(ovich|evich|ovna|evna|ichna|ogli|ugli|kizi|qizi)$|^(ogli|ugli|kizi|qizi|uli)$"
)
_FAMILY = re.compile(r".{2,}(ov|ova|ev|eva|yev|yeva|in|ina|skiy|skaya|sky|enko|yan|dze|shvili|yants)$")
_MALE = re.compile(r"(ovich|evich|ogli|ugli)$|.{2,}(ov|ev|skiy)$")
_FEMALE = re.compile(r"(ovna|evna|ichna|kizi|qizi)$|.{2,}(ova|eva|skaya)$")
_CONNECTED = frozenset({"ogli", "ugli", "kizi", "qizi", "uli"})
_MOST_WORDS = 50_000
_SAMPLE = 5_000

Name = tuple[str, str, str]
"""Given name, family name and middle names; "" where there is none."""


@dataclass(frozen=True)
class NameColumns:
    """The encoded name columns of a table, comparable forms; full names keep a comma where there was one.

    `born` are the maiden names that stood beside others, in parentheses say.
    """

    given: Sequence[Encoded]
    family: Sequence[Encoded]
    middle: Sequence[Encoded]
    full: Mapping[str, Encoded]
    born: Sequence[Encoded] = ()


@dataclass(frozen=True)
class NameParts:
    """Codes (rows × alternatives) into one common array of names; -1 where a record has no such part."""

    texts: pa.StringArray
    given_name: Codes
    family_name: Codes
    middle_name: Codes

    def with_families(self, count: int) -> NameParts:
        """As many alternatives of the family name: the first ones, or further ones that nobody has."""
        lacking = max(0, count - self.family_name.shape[1])
        family_name = np.pad(self.family_name, ((0, 0), (0, lacking)), constant_values=MISSING)[:, :count]
        return replace(self, family_name=family_name)


def parted_from_maiden(encoded: Encoded) -> tuple[Encoded, Encoded | None]:
    """A column of names as typed without the maiden names in them, and these, if there are any."""
    perhaps = pc.match_substring_regex(encoded.texts, MAYBE_MAIDEN, ignore_case=True)
    names, born = maiden(encoded.texts.filter(perhaps).to_pylist())
    if not any(born):
        return encoded, None
    bare = pc.replace_with_mask(encoded.texts, perhaps, pa.array(names, pa.string()))
    nobody = pa.array(np.full(len(bare), ""), pa.string())
    maidens = pc.replace_with_mask(nobody, perhaps, pa.array(born, pa.string()))
    return Encoded(bare, encoded.codes), Encoded(maidens, encoded.codes)


def sex_of_family_name(name: str) -> str:
    """ "male" or "female" where the form of a family name or patronymic shows it, else ""."""
    if _FEMALE.search(name):
        return "female"
    return "male" if _MALE.search(name) else ""


@lru_cache(maxsize=1 << 16)
def _form(word: str) -> tuple[bool, float]:
    """Whether a word is a patronymic, and the bits its ending adds to its being a family name."""
    return bool(_PATRONYMIC.search(word)), 2.0 if _FAMILY.search(word) else 0.0


def learn_scores(columns: NameColumns) -> dict[str, float]:
    """Bits that each word is a family name and no given name, of the 50,000 words seen most at most.

    Words are counted in the first columns of given and of family names; nothing is learned when there are
    no full names to split.
    """
    if not columns.full:
        return {}
    given, family = _counts(columns.given), _counts(columns.family)
    seen = given + family
    ranked = sorted(seen, key=lambda word: (-seen[word], word))[:_MOST_WORDS]
    return {word: round(math.log2((family[word] + 0.5) / (given[word] + 0.5)), 3) for word in ranked}


def _counts(columns: Sequence[Encoded]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for column in columns[:1]:
        held = np.bincount(column.codes[column.codes >= 0], minlength=len(column.values))
        for value, count in zip(column.values, held.tolist(), strict=True):
            if count:
                for word in value.split():
                    counts[word] += count
    return counts


def name_parts(
    columns: NameColumns, splitter: Splitter, family_first: Mapping[str, bool], rows: int
) -> NameParts:
    """The parts of every record's name. A second given name is a middle name; further family names
    (maiden name) are alternatives; a part that a record lacks is taken from its full name."""
    nobody = Encoded(pa.array([], pa.string()), np.full(rows, MISSING, dtype=np.int32))
    split = [
        Encoded(as_array(names), column.codes)
        for header, column in columns.full.items()
        for names in splitter.split(column.texts, family_first[header])
    ]
    separate = [*columns.given, *columns.family, *columns.middle]
    texts, codes = unify([nobody, *separate, *columns.born, *split])
    missing, *apart = codes
    given, apart = apart[: len(columns.given)], apart[len(columns.given) :]
    family, apart = apart[: len(columns.family)], apart[len(columns.family) :]
    middle, apart = apart[: len(columns.middle)], apart[len(columns.middle) :]
    given_name, family_name = (given or [missing])[0], (family or [missing])[0]
    born, apart = apart[: len(columns.born)], apart[len(columns.born) :]
    middle_name = missing
    for other in (*middle, *given[1:]):
        middle_name = np.where(middle_name >= 0, middle_name, other)
    for g, f, m in zip(apart[::3], apart[1::3], apart[2::3], strict=True):
        bare = (given_name < 0) & (family_name < 0)
        # An incomplete name keeps what its own columns say: only a wholly missing one is taken over.
        given_name, family_name = np.where(bare, g, given_name), np.where(bare, f, family_name)
        middle_name = np.where(middle_name < 0, m, middle_name)
    maiden_name = [_first_of(born)] if any((codes >= 0).any() for codes in born) else []
    families = np.stack([family_name, *family[1:], *maiden_name], axis=1)
    return NameParts(texts, given_name[:, None], families, middle_name[:, None])


def _first_of(columns: Sequence[Codes]) -> Codes:
    first = columns[0]
    for other in columns[1:]:
        first = np.where(first >= 0, first, other)
    return first


def record_parts(
    given: Sequence[str], family: Sequence[str], middle: Sequence[str], full: Sequence[Name]
) -> tuple[str, tuple[str, ...], str]:
    """`name_parts` of one record: given name, family names and middle name of its comparable names, "" where
    missing, and of its split full names."""
    given_name, family_name = next(iter(given), ""), next(iter(family), "")
    middle_name = next(filter(None, (*middle, *given[1:])), "")
    for g, f, m in full:
        if not given_name and not family_name:
            given_name, family_name = g, f
        middle_name = middle_name or m
    return given_name, (family_name, *family[1:]), middle_name


@dataclass(frozen=True)
class Splitter:
    """Splits full names into given, family and middle names, by what was learned about words."""

    scores: Mapping[str, float]

    def split(self, values: Texts, family_first: bool) -> list[Texts]:
        """The given, the family and the middle names of comparable full names."""
        if len(values) >= MANY:
            return self._split_many(as_array(values), family_first)
        names = [self.one(value, family_first) for value in as_list(values)]
        return [[name[at] for name in names] for at in range(3)]

    def _split_many(self, texts: pa.StringArray, family_first: bool) -> list[Texts]:
        """As `split`: names with a comma one by one, the others at once."""
        commas = pc.match_substring(texts, ",")
        data, starts = bytes_of(pc.if_else(commas, "", texts))
        ids, begins, low, high = split_words(data, starts)
        typed = texts_of(*gather(data, low, high)).to_pylist()
        forms = [_form(word) for word in typed]
        words = Words(
            ids, begins, *places(data, ids, starts),
            np.array([patronymic for patronymic, _ in forms], dtype=np.bool_),
            np.array([word in _CONNECTED for word in typed], dtype=np.bool_),
            np.array([self._family_score(word) for word in typed], dtype=np.float64),
        )  # fmt: skip
        whole = [texts_of(*parted) for parted in part_names(data, words, family_first)]
        apart = [self.one(value, family_first) for value in texts.filter(commas).to_pylist()]
        return [
            pc.replace_with_mask(part, commas, pa.array([name[at] for name in apart], pa.string()))
            for at, part in enumerate(whole)
        ]

    def one(self, value: str, family_first: bool) -> Name:
        """The parts of one comparable full name."""
        if "," in value:
            before, _, after = value.partition(",")
            if before.strip() and after.strip():
                first, *rest = after.replace(",", " ").split() or [""]
                return first, before.strip(), " ".join(rest)
            value = value.replace(",", " ")
        words = value.split()
        middle = [word for word in words if _form(word)[0]]
        if middle:
            words, middle = _attach(words, middle)
        if len(words) < 2:
            return (words[0] if words else ""), "", " ".join(middle)
        family = words.pop(self._family_at(words, family_first))
        return words[0], family, " ".join(words[1:] + middle)

    def _family_at(self, words: Sequence[str], family_first: bool) -> int:
        scores = [self._family_score(word) for word in words]
        default = 0 if family_first else len(words) - 1
        best = max(scores)
        return scores.index(best) if best - scores[default] > 1.0 else default

    def _family_score(self, word: str) -> float:
        """Log-odds, roughly, that a word is a family name and no given name."""
        return self.scores.get(word, 0.0) + _form(word)[1]

    def family_stands_first(self, texts: pa.StringArray) -> bool:
        """Whether most of these full names, as far as their words tell, begin with the family name."""
        first = last = 0
        for value in sampled(texts, _SAMPLE):
            words = [word for word in value.split() if not _form(word)[0]]
            if len(words) >= 2 and "," not in value:
                difference = self._family_score(words[0]) - self._family_score(words[-1])
                first += difference > 1.0
                last += difference < -1.0
        return first > last


def _attach(words: Sequence[str], middle: Sequence[str]) -> tuple[list[str], list[str]]:
    """Take "Karim oʻgʻli", written apart, as one patronymic: the words without patronymics, and those."""
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
