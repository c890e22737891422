"""Records as the kernels read them: flat arrays of values, codes and blocking keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity.comparisons import level_count
from suzani.identity.fields import Field
from suzani.identity.kernels import hashing
from suzani.identity.kernels.counting import count_values
from suzani.identity.kernels.levels import (
    BAG,
    CODE,
    COUNT,
    DATE,
    EMAIL,
    EQUAL,
    FIRST,
    FORMS,
    GROUP,
    LETTERS,
    NAME,
    PHONE,
    POSTCODE,
    TEXT,
    Layout,
    Values,
)  # fmt: skip
from suzani.identity.kernels.linkage import VALID
from suzani.identity.keys import Keys, Source
from suzani.identity.names import folded_names, phonetic_keys, short_form_groups
from suzani.kernel import Kind

Texts = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]
Hashes = npt.NDArray[np.uint32]
Words = dict[str, tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]]

WAYS: Mapping[Kind, int] = {
    Kind.GIVEN_NAME: NAME, Kind.FAMILY_NAME: NAME, Kind.PATRONYMIC: NAME, Kind.SEX: EQUAL,
    Kind.BIRTH_DATE: DATE, Kind.NATIONAL_ID: CODE, Kind.DOCUMENT: CODE, Kind.PHONE: PHONE,
    Kind.EMAIL: EMAIL, Kind.POSTCODE: POSTCODE, Kind.ADDRESS: BAG, Kind.ORGANISATION: BAG, Kind.CITY: TEXT,
    Kind.REGION: TEXT, Kind.COUNTRY: TEXT, Kind.OCCUPATION: TEXT, Kind.TEXT: BAG,
    Kind.GENERATION: EQUAL,
}  # fmt: skip
"""How the values of each kind are compared."""

_TELLING = (
    Kind.NATIONAL_ID, Kind.BIRTH_DATE, Kind.GIVEN_NAME, Kind.FAMILY_NAME, Kind.SEX, Kind.PHONE, Kind.DOCUMENT,
    Kind.EMAIL, Kind.PATRONYMIC, Kind.POSTCODE, Kind.CITY,
)  # fmt: skip
"""Kinds in the order of comparing: what parts most pairs, and costs little, comes first."""


def texts_of(values: Sequence[str] | pa.Array) -> Texts:
    """The bytes of many strings, and where each begins (one more at the end)."""
    array = (
        pc.cast(values, pa.large_string())
        if isinstance(values, pa.Array)
        else pa.array(values, pa.large_string())
    )
    _, offsets, data = array.buffers()
    start = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    text = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    return text, start


def hashes_of(values: Sequence[str]) -> Hashes:
    """A 32-bit hash of each string; 0 for an empty one."""
    return np.asarray(hashing.hash_values(*texts_of(values)) >> np.uint64(32)).astype(np.uint32)


@dataclass(frozen=True)
class Packed:
    """Records as arrays. `codes` (rows × columns) number the values of all fields together; `keys` (rows ×
    columns, 0: none) are made by `makers`; `contents` is a hash of what each record says; `hashes` one of
    each value; `counts` (values × 2) how many records hold it, family names in the second column; `filled`
    how many records have a value of each field, one at the least."""

    fields: tuple[tuple[str, Kind], ...]
    layout: Layout
    values: Values
    codes: npt.NDArray[np.int32]
    hashes: npt.NDArray[np.uint64]
    contents: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.int64]
    filled: npt.NDArray[np.float64]
    keys: npt.NDArray[np.uint32]
    makers: Keys
    words: Words

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources of blocking keys."""
        return self.makers.sources

    @property
    def rows(self) -> int:
        """Number of records."""
        return len(self.codes)

    def take(self, rows: npt.NDArray[np.int64]) -> Packed:
        """Some of the records, with the frequencies among all."""
        return replace(self, codes=self.codes[rows], contents=self.contents[rows], keys=self.keys[rows])


def pack(fields: Sequence[Field], rows: int, words: Words | None = None) -> Packed:
    """Lay out the records that `fields` describe; `words` are known counts of words in texts, by field."""
    lists: dict[int, Sequence[str]] = {id(field.values): field.values for field in fields}
    starts = np.cumsum([0, *(len(values) for values in lists.values())])
    base = dict(zip(lists, starts.tolist(), strict=False))
    texts, start = texts_of([value for values in lists.values() for value in values])
    kinds = {id(field.values): field for field in reversed(fields)}
    known = dict(words or {})
    forms = np.zeros((len(start) - 1, FORMS), dtype=np.uint32)
    for number, values in lists.items():
        part = start[base[number] : base[number] + len(values) + 1]
        forms[base[number] : base[number] + len(values), :LETTERS] = _forms(
            kinds[number], (texts, part), known
        )
    forms[:, LETTERS:] = hashing.signatures(texts, start)
    group = _add_groups(forms, fields, base)
    layout = layout_of(fields)
    codes = np.full((rows, int(layout.table[:, COUNT].sum())), -1, dtype=np.int32)
    for field, first in zip(fields, layout.table[:, FIRST].tolist(), strict=True):
        shifted = np.where(field.codes >= 0, field.codes + base[id(field.values)], -1)
        codes[:, first : first + field.codes.shape[1]] = shifted
    hashes = hashing.hash_values(texts, start)
    packed_values = Values(texts, start, forms, group)
    named = tuple((field.name, field.kind) for field in fields)
    makers = Keys.of(named, layout)
    return Packed(
        named, layout, packed_values, codes, hashes,
        contents_of(named, layout, codes, hashes), _counts(fields, layout, codes, len(hashes)),
        np.array([max(int(field.filled.sum()), 1) for field in fields], dtype=np.float64),
        hashing.hash_keys(makers.table, codes, hashes, forms), makers, known,
    )  # fmt: skip


def contents_of(
    fields: Sequence[tuple[str, Kind]],
    layout: Layout,
    codes: npt.NDArray[np.int32],
    hashes: npt.NDArray[np.uint64],
) -> npt.NDArray[np.uint64]:
    """A hash of what each record says; it begins with the birth date, so that duplicates mostly lie side by
    side in the order of it."""
    contents = np.asarray(hashing.hash_records(codes, hashes))
    first = next((f for f, (_, kind) in enumerate(fields) if kind is Kind.BIRTH_DATE), None)
    if first is not None:
        dates = codes[:, layout.table[first, FIRST]]
        filled = np.flatnonzero(dates >= 0)
        day = hashes[dates[filled]] >> np.uint64(48)
        contents[filled] = day << np.uint64(48) | contents[filled] >> np.uint64(16)
    return contents


def layout_of(fields: Sequence[Field]) -> Layout:
    """Where each field's codes lie in a record, and in which order fields are compared."""
    widths = [field.codes.shape[1] for field in fields]
    position = {field.name: index for index, field in enumerate(fields)}
    telling = {kind: rank for rank, kind in enumerate(_TELLING)}
    order = sorted(range(len(fields)), key=lambda i: (telling.get(fields[i].kind, len(telling)), i))
    table = [
        [WAYS[field.kind] for field in fields],
        np.cumsum([0, *widths])[:-1],
        widths,
        [level_count(field.kind) - 1 for field in fields],
    ]
    return Layout(
        table=np.ascontiguousarray(np.array(table, dtype=np.int64).T),
        order=np.array(order, dtype=np.int64),
        given=position.get("given_name", -1),
        family=position.get("family_name", -1),
    )


def _name_forms(field: Field, texts: Texts, words: Words) -> Hashes:
    folded, sounds = folded_names(field.values), phonetic_keys(field.values)
    joined = hashes_of([form.replace(" ", "") for form in folded])
    # Sounds too short to tell names apart keep their letters as keys.
    keys = hashes_of([s if len(s) > 2 else f for s, f in zip(sounds, folded, strict=True)])
    return np.stack([hashes_of(sounds), joined, keys, np.zeros_like(keys)], axis=1)


def _columns(*columns: Hashes) -> Hashes:
    empty = np.zeros((len(columns[0]), LETTERS - len(columns)), dtype=np.uint32)
    return np.concatenate([np.stack(columns, axis=1), empty], axis=1)


def _id_forms(field: Field, texts: Texts, words: Words) -> Hashes:
    forms = np.zeros((len(field.values), LETTERS), dtype=np.uint32)
    forms[:, VALID] = field.valid[:-1]
    return forms


def _place_forms(field: Field, texts: Texts, words: Words) -> Hashes:
    folded, sounds = folded_names(field.values), phonetic_keys(field.values)
    return _columns(hashes_of([s if len(s) > 2 else f for s, f in zip(sounds, folded, strict=True)]))


def _bag_forms(field: Field, texts: Texts, words: Words) -> Hashes:
    hashes, begins = hashing.hash_words(*texts)
    if field.name not in words:
        found, counts = np.unique(hashes, return_counts=True)
        # A word seen once is not worth remembering: one that is not known is taken for as rare.
        words[field.name] = found[counts > 1], counts[counts > 1].astype(np.int64)
    pairs = hashing.rare_pairs(hashes, begins, *words[field.name])
    return np.concatenate([hashing.hash_numbers(*texts)[:, None], pairs], axis=1)


_FORMS_OF: Mapping[Kind, Callable[[Field, Texts, Words], Hashes]] = {
    Kind.GIVEN_NAME: _name_forms,
    Kind.FAMILY_NAME: _name_forms,
    Kind.PATRONYMIC: _name_forms,
    Kind.BIRTH_DATE: lambda field, texts, words: _columns(
        hashing.hash_parts(*texts, 0, 4), hashing.hash_parts(*texts, 4, 8)
    ),
    Kind.NATIONAL_ID: _id_forms,
    Kind.PHONE: lambda field, texts, words: _columns(hashing.hash_parts(*texts, -7, 0)),
    Kind.EMAIL: lambda field, texts, words: _columns(hashing.hash_until(*texts, ord("@"))),
    Kind.POSTCODE: lambda field, texts, words: _columns(_areas(*texts)),
    Kind.CITY: _place_forms,
    Kind.ADDRESS: _bag_forms,
    Kind.ORGANISATION: _bag_forms,
    Kind.TEXT: _bag_forms,
}


def _areas(text: npt.NDArray[np.uint8], start: npt.NDArray[np.int64]) -> Hashes:
    """A hash of each postcode without its last three characters, of two at the least."""
    lengths = np.maximum(2, np.diff(start) - 3)
    ends = np.minimum(start[:-1] + lengths, start[1:])
    return hashing.hash_stretches(text, start[:-1], ends)


def _forms(field: Field, texts: Texts, words: Words) -> Hashes:
    """What is computed once per value: see `kernels.levels` for the columns of each way to compare."""
    make = _FORMS_OF.get(field.kind)
    return make(field, texts, words) if make else np.zeros((len(field.values), LETTERS), dtype=np.uint32)


def _add_groups(forms: Hashes, fields: Sequence[Field], base: Mapping[int, int]) -> npt.NDArray[np.int32]:
    """The short-form groups of names, in one array: their number, then each; `forms` tells where."""
    groups = [0]
    names = {id(f.values): f.values for f in fields if WAYS[f.kind] == NAME}
    for number, values in names.items():
        for value, known in enumerate(short_form_groups(values), base[number]):
            if known:
                forms[value, GROUP] = len(groups)
                groups += [len(known), *sorted(known)]
    return np.array(groups, dtype=np.int32)


def _counts(
    fields: Sequence[Field], layout: Layout, codes: npt.NDArray[np.int32], size: int
) -> npt.NDArray[np.int64]:
    """How many records hold each value; what counts for family names stands in the second column."""
    result = np.zeros((size, 2), dtype=np.int64)
    for field, first, count in zip(fields, layout.table[:, FIRST], layout.table[:, COUNT], strict=True):
        if field.kind is not Kind.PATRONYMIC:
            column = int(field.kind is Kind.FAMILY_NAME)
            result[:, column] += count_values(codes, first, first + count, size)
    return result
