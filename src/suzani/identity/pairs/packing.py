"""Records as the kernels read them: flat arrays of values, codes and blocking keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from functools import cache, cached_property
from itertools import accumulate, chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity.kernels import hashing
from suzani.identity.kernels.columns import close_up, count_column
from suzani.identity.kernels.levels import COUNT, FIRST, Layout, Values
from suzani.identity.kernels.linkage import VALID
from suzani.identity.kernels.marks import (
    BAG,
    CODE,
    DATE,
    EMAIL,
    EQUAL,
    FORMS,
    GROUP,
    KEY,
    NAME,
    PHONE,
    POSTCODE,
    TEXT,
    make_marks,
)
from suzani.identity.models.comparisons import level_count
from suzani.identity.pairs.keys import Keys, Source
from suzani.identity.standardising.fields import Field
from suzani.identity.values.names import folded_names, folded_short_forms, sounds_of
from suzani.identity.values.texts import Texts, as_array, as_list
from suzani.kernel import Kind

Ints = npt.NDArray[np.int64]
Stretches = tuple[npt.NDArray[np.uint8], Ints]
Hashes = npt.NDArray[np.uint32]
_BLOCK = 8192
Words = dict[str, tuple[npt.NDArray[np.uint64], Ints]]

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


def texts_of(*lists: Texts) -> Stretches:
    """The bytes of the strings of one list after another, and where each begins (one more at the end)."""
    if not any(isinstance(values, pa.Array) for values in lists):
        return _few_texts([*chain.from_iterable(lists)])
    large = [pc.cast(as_array(values), pa.large_string()) for values in lists]
    array = large[0] if len(large) == 1 else pa.concat_arrays(large)
    _, offsets, data = array.buffers()
    start = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    text = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    return text, start


def _few_texts(texts: Sequence[str]) -> Stretches:
    """The same without Arrow, whose start is more than all the work for a few strings."""
    joined = "".join(texts)
    lengths = map(len, texts if joined.isascii() else map(str.encode, texts))
    starts = np.fromiter(accumulate(lengths, initial=0), np.int64, len(texts) + 1)
    return np.frombuffer(joined.encode() or b"\0", np.uint8), starts


@dataclass(frozen=True)
class Packed:
    """Records as arrays. `codes` (rows × columns) number the values of all fields together; `makers` tell how
    blocking keys are made; `contents` is a hash of what each record says; `hashes` one of each value.

    By field: the values of its list are those from lists[f, 0] to lists[f, 1]; counts[f] tells how many
    records hold each of them, `filled` how many have a value, one at the least.
    """

    fields: tuple[tuple[str, Kind], ...]
    layout: Layout
    values: Values
    codes: npt.NDArray[np.int32]
    hashes: npt.NDArray[np.uint64]
    contents: npt.NDArray[np.uint64]
    lists: Ints
    counts: tuple[Ints, ...]
    filled: npt.NDArray[np.float64]
    makers: Keys
    words: Words

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources of blocking keys."""
        return self.makers.sources

    @cached_property
    def keys(self) -> Hashes:
        """The blocking keys of each record (rows × columns, 0: none)."""
        return hashing.hash_keys(self.makers.table, self.codes, self.hashes, self.values.form)

    @property
    def rows(self) -> int:
        """Number of records."""
        return len(self.codes)

    def take(self, rows: npt.NDArray[np.int64]) -> Packed:
        """Some of the records, with the frequencies among all."""
        return replace(self, codes=np.take(self.codes, rows, axis=0), contents=self.contents[rows])


def pack_values(
    lists: Sequence[Field], words: Words | None = None
) -> tuple[Values, npt.NDArray[np.uint64], Words]:
    """The values of one list after another, a hash of each, and the counts of words that they were judged
    by: `words`, by field, and their own where there are none."""
    values, ways, words = form_values(lists, words)
    make_marks(ways, *values)
    return values, hashing.hash_values(values.text, values.start), words


def form_values(lists: Sequence[Field], words: Words | None = None) -> tuple[Values, Ints, Words]:
    """`pack_values`, with the ways to compare (as `make_marks` takes them) in place of marks and hashes."""
    texts, start = texts_of(*(field.values for field in lists))
    forms = np.zeros((len(start) - 1, FORMS), dtype=np.uint32)
    known = _Known(dict(words or {}))
    ends = accumulate(len(field.values) for field in lists)
    stretches = [(field, end - len(field.values), end) for field, end in zip(lists, ends, strict=True)]
    for field, first, end in stretches:
        make = _FORMS_OF.get(field.kind)
        if make:
            made = make(field, (texts, start[first : end + 1]), known)
            forms[first:end, : made.shape[1]] = made
    ways = [(WAYS[field.kind], first, end) for field, first, end in stretches]
    values = Values(texts, start, forms, np.array(known.groups, dtype=np.int32))
    return values, np.array(ways, dtype=np.int64).reshape(-1, 3), known.words


def pack(fields: Sequence[Field], rows: int, words: Words | None = None) -> Packed:
    """Lay out the records that `fields` describe; `words` are known counts of words in texts, by field."""
    base, distinct = _bases(fields)
    values, hashes, words = pack_values(distinct, words)
    layout = layout_of(fields)
    codes = _codes(fields, base, rows)
    close_up(codes, layout.table[:, FIRST], layout.table[:, COUNT])
    named = tuple((field.name, field.kind) for field in fields)
    firsts = [base[id(field.values)] for field in fields]
    lists = [(first, first + len(field.texts)) for first, field in zip(firsts, fields, strict=True)]
    held = [count_column(field.codes, len(field.texts)) for field in fields]
    return Packed(
        named, layout, values, codes, hashes,
        contents_of(named, layout, codes, hashes),
        np.array(lists, dtype=np.int64).reshape(-1, 2),
        tuple(counts for counts, _ in held), np.array([max(filled, 1.0) for _, filled in held]),
        Keys.of(named, layout), words,
    )  # fmt: skip


def _bases(fields: Sequence[Field]) -> tuple[dict[int, int], list[Field]]:
    """The number of the first value of each list of values, by the list's identity, and one field of each."""
    distinct = {id(field.values): field for field in reversed(fields)}
    lists = list(dict.fromkeys(id(field.values) for field in fields))
    starts = np.cumsum([0, *(len(distinct[number].texts) for number in lists)])
    return dict(zip(lists, starts.tolist(), strict=False)), [distinct[number] for number in lists]


def _codes(fields: Sequence[Field], base: Mapping[int, int], rows: int) -> npt.NDArray[np.int32]:
    """The codes of all fields side by side, numbered through; a block of rows stays in the cache."""
    widths = [field.codes.shape[1] for field in fields]
    shifts = np.repeat([base[id(field.values)] for field in fields], widths).astype(np.int32)
    codes = np.empty((rows, sum(widths)), dtype=np.int32)
    for first in range(0, rows if fields else 0, _BLOCK):
        block = codes[first : first + _BLOCK]
        np.concatenate([field.codes[first : first + _BLOCK] for field in fields], axis=1, out=block)
        block += (block >= 0) * shifts
    return codes


def contents_of(
    fields: Sequence[tuple[str, Kind]],
    layout: Layout,
    codes: npt.NDArray[np.int32],
    hashes: npt.NDArray[np.uint64],
) -> npt.NDArray[np.uint64]:
    """A hash of what each record says; it begins with the birth date, so that duplicates mostly lie side by
    side in the order of it."""
    dates = (layout.table[f, FIRST] for f, (_, kind) in enumerate(fields) if kind is Kind.BIRTH_DATE)
    return np.asarray(hashing.hash_records(codes, hashes, next(dates, -1)))


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


@dataclass
class _Known:
    """What is learned of words, and the short-form groups of names, in the course of making forms.

    `groups` holds, where a form says, their number and then each."""

    words: Words
    groups: list[int] = dataclass_field(default_factory=lambda: [0])

    def place(self, forms: Hashes, folded: npt.NDArray[np.uint64]) -> None:
        """Write where the groups of each folded name stand; 0 for a name without any."""
        known, groups = _short_forms()
        at = np.minimum(np.searchsorted(known, folded), len(known) - 1)
        for name in np.flatnonzero(known[at] == folded).tolist():
            own = groups[at[name]]
            forms[name, GROUP] = len(self.groups)
            self.groups += [len(own), *sorted(own)]


@cache
def _short_forms() -> tuple[npt.NDArray[np.uint64], list[frozenset[int]]]:
    """The hashes of folded names that have short forms, sorted, and the groups of each."""
    groups = folded_short_forms()
    hashes = hashing.hash_values(*texts_of([*groups]))
    order, values = np.argsort(hashes), [*groups.values()]
    return hashes[order], [values[at] for at in order.tolist()]


def _name_forms(field: Field, texts: Stretches, known: _Known) -> Hashes:
    forms, folded = _folded_forms(field)
    known.place(forms, folded)
    return forms


def _folded_forms(field: Field) -> tuple[Hashes, npt.NDArray[np.uint64]]:
    """The forms of names but for their groups, and a hash of each folded one."""
    folded = folded_names(as_list(field.values))
    sounds = sounds_of(folded)
    return hashing.name_forms(_lines(folded), _lines(sounds), len(folded))


def _lines(texts: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Names in ASCII, which have no line breaks in them, each as a line."""
    return np.frombuffer("\n".join([*texts, ""]).encode() or b"\n", np.uint8)


def _id_forms(field: Field, texts: Stretches, known: _Known) -> Hashes:
    forms = np.zeros((len(field.values), VALID + 1), dtype=np.uint32)
    forms[:, VALID] = field.valid[:-1]
    return forms


def _place_forms(field: Field, texts: Stretches, known: _Known) -> Hashes:
    return _folded_forms(field)[0][:, [KEY]]


def _bag_forms(field: Field, texts: Stretches, known: _Known) -> Hashes:
    numbers, begins, hashes, digits = hashing.number_words(*texts)
    if field.name not in known.words:
        known.words[field.name] = _repeated(hashes, np.bincount(numbers, minlength=len(hashes)))
    repeated, held = known.words[field.name]
    at = np.searchsorted(repeated, hashes)
    seen = np.append(repeated, np.uint64(0))[at] == hashes
    counts = np.where(seen, np.append(held, 0)[at], 0)
    return np.asarray(hashing.bag_forms(numbers, begins, hashes, digits, counts))


def _repeated(hashes: npt.NDArray[np.uint64], counts: Ints) -> tuple[npt.NDArray[np.uint64], Ints]:
    """The words seen more than once, sorted: one that is not known is taken for as rare as one seen once."""
    often = np.flatnonzero(counts > 1)
    often = often[np.argsort(hashes[often])]
    return hashes[often], counts[often].astype(np.int64)


def _areas(text: npt.NDArray[np.uint8], start: npt.NDArray[np.int64]) -> Hashes:
    """A hash of each postcode without its last three characters, of two at the least."""
    lengths = np.maximum(2, np.diff(start) - 3)
    ends = np.minimum(start[:-1] + lengths, start[1:])
    return hashing.hash_stretches(text, start[:-1], ends)


def _shaped(make: Callable[..., Hashes], *places: Any) -> Callable[[Field, Stretches, _Known], Hashes]:
    return lambda field, texts, known: make(*texts, *places)[:, None]


_FORMS_OF: Mapping[Kind, Callable[[Field, Stretches, _Known], Hashes]] = {
    Kind.GIVEN_NAME: _name_forms,
    Kind.FAMILY_NAME: _name_forms,
    Kind.PATRONYMIC: _name_forms,
    Kind.BIRTH_DATE: lambda field, texts, known: np.stack(
        [hashing.hash_parts(*texts, 0, 4), hashing.hash_parts(*texts, 4, 8)], axis=1
    ),
    Kind.NATIONAL_ID: _id_forms,
    Kind.PHONE: _shaped(hashing.hash_parts, -7, 0),
    Kind.EMAIL: _shaped(hashing.hash_until, ord("@")),
    Kind.POSTCODE: _shaped(_areas),
    Kind.CITY: _place_forms,
    Kind.ADDRESS: _bag_forms,
    Kind.ORGANISATION: _bag_forms,
    Kind.TEXT: _bag_forms,
}
