"""Standardised, dictionary-encoded columns: what the matching kernels work on.

Each distinct value is standardised once; rows hold integer codes. A field may be multi-valued (two
phones): its codes then have several columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity import names as name_forms
from suzani.identity.dates import order_of, standard_dates
from suzani.identity.dictionary import MISSING, Codes, Encoded, encode, recode, restandardise, stack, strings
from suzani.identity.documents import Identifier, scheme_of
from suzani.identity.norms import FieldShape, Norms
from suzani.identity.parts import NameColumns, learn_scores, name_parts, sex_of_family_name
from suzani.identity.sharing import shared_values
from suzani.identity.single import standardise_record
from suzani.identity.standards import (
    ADDRESS_PARTS,
    BIRTH_PARTS,
    IDENTIFYING,
    OF_ALL_COLUMNS,
    OF_ONE_COLUMN,
    SEX_LABELS,
    STANDARDISERS,
    field_name,
)
from suzani.identity.texts import as_list
from suzani.kernel import Kind

__all__ = ["Field", "build_fields", "standardise", "standardise_record"]

_SAMPLE = 20_000


@dataclass(frozen=True)
class Field:
    """One piece of evidence about every record.

    `values` are the distinct standard forms; `codes` (rows × alternatives, int32) point into them, -1 where
    the record has none. Given, family and middle names share one list of values, so that they can be
    compared across.
    """

    name: str
    kind: Kind
    values: list[str]
    codes: Codes
    scheme: Identifier | None = None

    def reordered(self, order: npt.NDArray[np.int64]) -> Field:
        """The field with its records in another order."""
        return replace(self, codes=self.codes[order])

    @property
    def rows(self) -> int:
        """Number of records."""
        return int(self.codes.shape[0])

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """How many records hold each value (first alternative and others alike)."""
        held = self.codes[self.codes >= 0]
        return np.bincount(held, minlength=len(self.values)).astype(np.int64)

    @cached_property
    def valid(self) -> npt.NDArray[np.bool_]:
        """Which values pass the check digit of the field's scheme; one more, False, for a missing value."""
        passed = self.scheme.valid(self.values) if self.scheme else np.zeros(len(self.values), dtype=bool)
        return np.append(passed, False)

    @property
    def filled(self) -> npt.NDArray[np.bool_]:
        """Which records have a value."""
        return np.asarray((self.codes >= 0).any(axis=1))


def build_fields(table: pa.Table, kinds: Mapping[str, Kind]) -> list[Field]:
    """The evidence in a table of strings, given what each column is."""
    return standardise(table, kinds)[0]


def standardise(
    table: pa.Table, kinds: Mapping[str, Kind], norms: Norms | None = None
) -> tuple[list[Field], Norms]:
    """The evidence in a table of strings, given what each column is, and how the data is written.

    Without `norms` they are learned from the table; columns of kind IGNORE and columns without any usable
    value leave no field. With `norms` nothing is learned and `kinds` is not asked: every record gets the
    same values as in any other company, and there are exactly the fields of the norms, a field without
    values where the table has no such column.
    """
    columns = _Columns(table, norms or Norms(_used(table, kinds)), learning=norms is None)
    fields = columns.evidence()
    if norms is None:
        fields = [field for field in fields if field.filled.any()]
        norms = replace(columns.norms, fields=_shapes(fields), shared=_shared(fields))
    found = {field.name: field for field in fields}
    shaped = [found.get(shape.name) or _empty(shape, table.num_rows) for shape in norms.fields]
    return [_without(field, norms.unshared.get(field.name)) for field in shaped], norms


def _used(table: pa.Table, kinds: Mapping[str, Kind]) -> tuple[tuple[str, Kind], ...]:
    named = [(column, kinds.get(column, Kind.IGNORE)) for column in table.column_names]
    return tuple((column, kind) for column, kind in named if kind is not Kind.IGNORE)


def _shapes(fields: Sequence[Field]) -> tuple[FieldShape, ...]:
    return tuple(
        FieldShape(field.name, field.kind, field.codes.shape[1], field.scheme.name if field.scheme else None)
        for field in fields
    )


def _empty(shape: FieldShape, rows: int) -> Field:
    codes = np.full((rows, shape.alternatives), MISSING, dtype=np.int32)
    return Field(shape.name, shape.kind, [], codes)


def _shared(fields: Sequence[Field]) -> dict[str, tuple[str, ...]]:
    """The identifiers of many unrelated people, per field that has any."""
    family = next((field for field in fields if field.name == "family_name"), None)
    if family is None:
        return {}
    shared = {
        field.name: shared_values(field.values, field.codes, family.values, family.codes[:, 0])
        for field in fields
        if field.kind in IDENTIFYING
    }
    return {name: values for name, values in shared.items() if values}


def _without(field: Field, shared: frozenset[str] | None) -> Field:
    """Drop the values that are no evidence."""
    if not shared:
        return field
    dropped = np.array([*(value in shared for value in field.values), True])
    return replace(field, codes=np.where(dropped[field.codes], MISSING, field.codes).astype(np.int32))


class _Columns:
    """The columns of one table, and the norms by which they are read (learned on the way, or given)."""

    def __init__(self, table: pa.Table, norms: Norms, *, learning: bool) -> None:
        self.table = table
        self.norms = norms
        self.learning = learning

    def evidence(self) -> list[Field]:
        """All fields that the columns can give, in order, some perhaps without values."""
        by_kind = self.norms.by_kind
        fields = self._names() + self._birth_dates()
        fields += [self._alternatives(kind, by_kind[kind]) for kind in OF_ALL_COLUMNS if kind in by_kind]
        fields += self._addresses()
        for kind in OF_ONE_COLUMN:
            fields += [self._single(kind, column) for column in by_kind.get(kind, ())]
        fields = _dated_by_ids(fields, self.table.num_rows)
        return [*map(_of_the_father, fields), self._sexes(fields)]

    def _encoded(self, column: str) -> Encoded:
        """The distinct trimmed values of a column; all missing where the table has no such column."""
        if column not in self.table.column_names:
            return Encoded(pa.array([], pa.string()), np.full(self.table.num_rows, MISSING, dtype=np.int32))
        return encode(self.table.column(column))

    def _standard(self, column: str, kind: Kind) -> Encoded:
        return restandardise(self._encoded(column), STANDARDISERS[kind])

    def _alternatives(self, kind: Kind, columns: Sequence[str]) -> Field:
        both = stack([self._standard(column, kind) for column in columns])
        return Field(kind.value, kind, both.values, both.codes)

    def _single(self, kind: Kind, column: str) -> Field:
        name = field_name(column, kind)
        both = stack([self._standard(column, kind)])
        scheme = self.norms.scheme_of(name)
        if self.learning and kind is Kind.NATIONAL_ID:
            scheme = scheme_of(_sample(both.values))
        return Field(name, kind, both.values, both.codes, scheme)

    def _names(self) -> list[Field]:
        given, family, middle = (
            [self._standard(column, kind) for column in self.norms.columns_of(kind)]
            for kind in (Kind.GIVEN_NAME, Kind.FAMILY_NAME, Kind.PATRONYMIC)
        )
        full = {
            column: self._standard(column, Kind.FULL_NAME) for column in self.norms.columns_of(Kind.FULL_NAME)
        }
        columns = NameColumns(given, family, middle, full)
        if self.learning:
            self._learn_names(columns)
        parts = name_parts(columns, self.norms.splitter, self.norms.family_first, self.table.num_rows)
        values = parts.texts.to_pylist()
        return [
            Field("given_name", Kind.GIVEN_NAME, values, parts.given_name),
            Field("family_name", Kind.FAMILY_NAME, values, parts.family_name),
            Field("middle_name", Kind.PATRONYMIC, values, parts.middle_name),
        ]

    def _learn_names(self, columns: NameColumns) -> None:
        self.norms = replace(self.norms, name_scores=learn_scores(columns))
        stands_first = self.norms.splitter.family_stands_first
        first = {header: stands_first(column.values) for header, column in columns.full.items()}
        self.norms = replace(self.norms, family_first=first)

    def _birth_dates(self) -> list[Field]:
        columns = self.norms.columns_of(Kind.BIRTH_DATE)
        if columns:
            dated = stack([self._dates(column, self._encoded(column)) for column in columns])
            return [Field("birth_date", Kind.BIRTH_DATE, dated.values, dated.codes)]
        parts = [self.norms.columns_of(kind)[:1] for kind in BIRTH_PARTS]
        if not all(parts) or not all(part[0] in self.table.column_names for part in parts):
            return []
        texts = [strings(self.table.column(part[0])) for part in parts]
        dated = stack([self._dates(parts[0][0], encode(pc.binary_join_element_wise(*texts, "-")))])
        return [Field("birth_date", Kind.BIRTH_DATE, dated.values, dated.codes)]

    def _dates(self, column: str, encoded: Encoded) -> Encoded:
        if self.learning:
            learned = {**self.norms.day_first, column: order_of(encoded.values).day_first}
            self.norms = replace(self.norms, day_first=learned)
        order = self.norms.order_of(column)
        return restandardise(encoded, lambda values: standard_dates(as_list(values), order))

    def _addresses(self) -> list[Field]:
        """All parts of the street address as one bag of words: clerks put them in any of the columns."""
        columns = self.norms.columns_of(*ADDRESS_PARTS)
        present = [column for column in columns if column in self.table.column_names]
        if not present:
            return []
        texts = [strings(self.table.column(column)) for column in present]
        joined = texts[0]
        if len(texts) > 1:
            joined = pc.binary_join_element_wise(*(pc.fill_null(text, "") for text in texts), " ")
        bags = stack([restandardise(encode(joined), STANDARDISERS[Kind.ADDRESS])])
        return [Field("address", Kind.ADDRESS, bags.values, bags.codes)]

    def _sexes(self, fields: Sequence[Field]) -> Field:
        """Sex as stated; where it is not, as the form of the name or a valid national id shows it."""
        codes = np.full(self.table.num_rows, MISSING, dtype=np.int32)
        for column in self.norms.columns_of(Kind.SEX):
            stated = self._standard(column, Kind.SEX)
            codes = np.where(codes >= 0, codes, _labels(stated.values)[stated.codes])
        for field in fields:
            if field.scheme is not None or field.name in ("family_name", "middle_name"):
                rows = np.flatnonzero(codes < 0)
                codes[rows] = _shown_sexes(field, rows)
        seen = np.unique(codes[codes >= 0])
        if self.learning and len(seen) < 2:
            codes = np.full_like(codes, MISSING)
        return Field("sex", Kind.SEX, list(SEX_LABELS), codes[:, None].astype(np.int32))


def _sample(values: Sequence[str]) -> Sequence[str]:
    """About 20,000 values, the same whatever order they come in."""
    step = len(values) // _SAMPLE + 1
    return values if step == 1 else [value for value in values if crc32(value.encode()) % step == 0]


def _labels(sexes: Sequence[str]) -> Codes:
    """The code of each sex; one more, missing, for a missing value."""
    return np.array([*(SEX_LABELS.index(sex) if sex else MISSING for sex in sexes), MISSING], dtype=np.int32)


def _shown_sexes(field: Field, rows: npt.NDArray[np.int64]) -> Codes:
    """The sex that a field's values show, for some of its rows."""
    held = field.codes[rows, 0]
    used = np.unique(held[held >= 0])
    values = [field.values[code] for code in used.tolist()]
    target = np.full(len(field.values) + 1, MISSING, dtype=np.int32)
    if field.scheme is None:
        shown = [sex_of_family_name(value) for value in values]
    else:
        passed = field.scheme.valid(values).tolist()
        shown = [field.scheme.sex(v) if ok else "" for v, ok in zip(values, passed, strict=True)]
    target[used] = _labels(shown)[:-1]
    return np.asarray(target[held])


def _of_the_father(field: Field) -> Field:
    """Patronymics without their endings; sex has been read off them by now."""
    if field.name != "middle_name":
        return field
    used, codes = np.unique(field.codes, return_inverse=True)
    held = [field.values[code] if code >= 0 else "" for code in used.tolist()]
    bare = recode(name_forms.father_names(held), codes.reshape(field.codes.shape).astype(np.int32))
    return Field(field.name, field.kind, bare.values, bare.codes)


def _dated_by_ids(fields: list[Field], rows: int) -> list[Field]:
    """Give records without a birth date the one that their valid national id carries."""
    for source in list(fields):
        if source.scheme is None:
            continue
        at = next((i for i, field in enumerate(fields) if field.name == "birth_date"), len(fields))
        none = Field("birth_date", Kind.BIRTH_DATE, [], np.full((rows, 1), MISSING, dtype=np.int32))
        fields[at : at + 1] = [_dated(next(iter(fields[at : at + 1]), none), source, source.scheme)]
    return fields


def _dated(stated: Field, source: Field, scheme: Identifier) -> Field:
    """Birth dates, with those that valid national ids carry where none is stated."""
    lacking = (stated.codes < 0).any(axis=1) & (source.codes[:, 0] >= 0)
    used = np.unique(source.codes[lacking, 0])
    values = [source.values[code] for code in used.tolist()]
    passed = scheme.valid(values).tolist()
    dates = [scheme.birth_date(v) if ok else "" for v, ok in zip(values, passed, strict=True)]
    if not any(dates):
        return stated
    target = np.full(len(source.values) + 1, MISSING, dtype=np.int32)
    target[used] = np.arange(len(used), dtype=np.int32) + len(stated.values)
    shown = np.where(lacking, target[source.codes[:, 0]], MISSING)[:, None]
    both = recode([*stated.values, *dates], np.where(stated.codes >= 0, stated.codes, shown).astype(np.int32))
    return Field(stated.name, Kind.BIRTH_DATE, both.values, both.codes)
