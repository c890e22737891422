"""Standardised, dictionary-encoded columns: what the matching kernels work on.

Each distinct value is standardised once; rows hold integer codes. A field may be multi-valued (two
phones): its codes then have several columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity.standardising.field import Field
from suzani.identity.standardising.filling import dated_by_ids, labels, of_the_father, shown_sexes
from suzani.identity.standardising.norms import FieldShape, Norms
from suzani.identity.standardising.sharing import shared_values
from suzani.identity.standardising.single import standardise_record
from suzani.identity.standardising.standards import (
    ADDRESS_PARTS,
    BIRTH_PARTS,
    GENERATION_LABELS,
    IDENTIFYING,
    OF_ALL_COLUMNS,
    OF_ONE_COLUMN,
    SEX_LABELS,
    STANDARDISERS,
    WITH_SUFFIX,
    field_name,
    generations,
)
from suzani.identity.values.dates import order_of, standard_dates
from suzani.identity.values.dictionary import MISSING, Codes, Encoded, encode, restandardise, stack, strings
from suzani.identity.values.documents import scheme_of
from suzani.identity.values.parts import NameColumns, learn_scores, name_parts, parted_from_maiden
from suzani.identity.values.texts import as_list, sampled
from suzani.kernel import Kind

__all__ = ["Field", "build_fields", "standardise", "standardise_record"]

_SAMPLE = 20_000


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
        fields = _telling([field for field in fields if field.filled.any()], table.num_rows)
        norms = replace(columns.norms, fields=_shapes(fields), shared=_shared(fields))
    found = {field.name: field for field in fields}
    shaped = [found.get(shape.name) or _empty(shape, table.num_rows) for shape in norms.fields]
    return [_without(field, norms.unshared.get(field.name)) for field in shaped], norms


_ENOUGH_TO_TELL = 50


def _telling(fields: list[Field], rows: int) -> list[Field]:
    """Without the fields in which all records say the same, which is no evidence that they are one person.

    Unless they say the same in everything: then they are copies. Of few records all may well be one person's.
    """
    if rows < _ENOUGH_TO_TELL:
        return fields
    return [field for field in fields if _varies(field.codes)] or fields


def _varies(codes: Codes) -> bool:
    """Whether any two records say different things."""
    held = codes[codes >= 0]
    return len(held) > 0 and bool(held.min() < held.max())


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
    shared = {field.name: shared_values(field, family) for field in fields if field.kind in IDENTIFYING}
    return {name: values for name, values in shared.items() if values}


def _without(field: Field, shared: frozenset[str] | None) -> Field:
    """Drop the values that are no evidence."""
    if not shared:
        return field
    dropped = pc.is_in(field.texts, value_set=pa.array(sorted(shared), pa.string()))
    dropped = np.append(dropped.to_numpy(zero_copy_only=False), True)
    return replace(field, codes=np.where(dropped[field.codes], MISSING, field.codes).astype(np.int32))


class _Columns:
    """The columns of one table, and the norms by which they are read (learned on the way, or given)."""

    def __init__(self, table: pa.Table, norms: Norms, *, learning: bool) -> None:
        self.table = table
        self.norms = norms
        self.learning = learning

    def evidence(self) -> list[Field]:
        """All fields that the columns can give, in order, some perhaps without values."""
        with ThreadPoolExecutor(1) as beside:
            others = beside.submit(self._without_norms)
            # Names and dates teach norms, which one thread alone may change.
            fields = self._names() + self._birth_dates()
            fields = dated_by_ids(fields + others.result(), self.table.num_rows)
        return [*map(of_the_father, fields), self._sexes(fields)]

    def _without_norms(self) -> list[Field]:
        """The fields of which nothing is learned but the schemes of their numbers, in order."""
        by_kind = self.norms.by_kind
        fields = [self._alternatives(kind, by_kind[kind]) for kind in OF_ALL_COLUMNS if kind in by_kind]
        fields += self._addresses()
        for kind in OF_ONE_COLUMN:
            fields += [self._single(kind, column) for column in by_kind.get(kind, ())]
        return fields

    def _encoded(self, column: str) -> Encoded:
        """The distinct trimmed values of a column; all missing where the table has no such column."""
        if column not in self.table.column_names:
            return Encoded(pa.array([], pa.string()), np.full(self.table.num_rows, MISSING, dtype=np.int32))
        return encode(self.table.column(column))

    def _standard(self, column: str, kind: Kind) -> Encoded:
        return restandardise(self._encoded(column), STANDARDISERS[kind])

    def _alternatives(self, kind: Kind, columns: Sequence[str]) -> Field:
        both = stack([self._standard(column, kind) for column in columns])
        return Field(kind.value, kind, both.texts, both.codes)

    def _single(self, kind: Kind, column: str) -> Field:
        name = field_name(column, kind)
        both = stack([self._standard(column, kind)])
        scheme = self.norms.scheme_of(name)
        if self.learning and kind is Kind.NATIONAL_ID:
            scheme = scheme_of(sampled(both.texts, _SAMPLE))
        return Field(name, kind, both.texts, both.codes, scheme)

    def _names(self) -> list[Field]:
        given, middle = (
            [self._standard(column, kind) for column in self.norms.columns_of(kind)]
            for kind in (Kind.GIVEN_NAME, Kind.PATRONYMIC)
        )
        family, full, born = self._parted_names()
        columns = NameColumns(given, family, middle, full, born)
        if self.learning:
            self._learn_names(columns)
        parts = name_parts(columns, self.norms.splitter, self.norms.family_first, self.table.num_rows)
        if not self.learning:
            parts = parts.with_families(self.norms.alternatives_of("family_name"))
        values = parts.texts
        return [
            Field("given_name", Kind.GIVEN_NAME, values, parts.given_name),
            Field("family_name", Kind.FAMILY_NAME, values, parts.family_name),
            Field("middle_name", Kind.PATRONYMIC, values, parts.middle_name),
            self._generations(),
        ]

    def _parted_names(self) -> tuple[list[Encoded], dict[str, Encoded], list[Encoded]]:
        """Family names and full names without the maiden names beside them, and these."""
        family, full, born = [], {}, []
        for kind in (Kind.FAMILY_NAME, Kind.FULL_NAME):
            for column in self.norms.columns_of(kind):
                names, maiden = parted_from_maiden(self._encoded(column))
                standard = restandardise(names, STANDARDISERS[kind])
                if kind is Kind.FULL_NAME:
                    full[column] = standard
                else:
                    family.append(standard)
                if maiden:
                    born.append(restandardise(maiden, STANDARDISERS[Kind.FAMILY_NAME]))
        return family, full, born

    def _generations(self) -> Field:
        """Which bearer of the name (Jr., III) is stated, or the suffix of a family, full or given name."""
        codes = np.full(self.table.num_rows, MISSING, dtype=np.int32)
        stated = [
            self._standard(column, Kind.GENERATION) for column in self.norms.columns_of(Kind.GENERATION)
        ]
        suffixed = map(self._encoded, self.norms.columns_of(*WITH_SUFFIX))
        for said in [*stated, *(restandardise(encoded, generations) for encoded in suffixed)]:
            if not len(said.texts):
                continue
            numbers = [GENERATION_LABELS.index(label) for label in said.values]
            codes = np.where(codes >= 0, codes, np.array([*numbers, MISSING], dtype=np.int32)[said.codes])
        return Field("generation", Kind.GENERATION, list(GENERATION_LABELS), codes[:, None])

    def _learn_names(self, columns: NameColumns) -> None:
        self.norms = replace(self.norms, name_scores=learn_scores(columns))
        stands_first = self.norms.splitter.family_stands_first
        first = {header: stands_first(column.texts) for header, column in columns.full.items()}
        self.norms = replace(self.norms, family_first=first)

    def _birth_dates(self) -> list[Field]:
        columns = self.norms.columns_of(Kind.BIRTH_DATE)
        if columns:
            dated = stack([self._dates(column, self._encoded(column)) for column in columns])
            return [Field("birth_date", Kind.BIRTH_DATE, dated.texts, dated.codes)]
        parts = [self.norms.columns_of(kind)[:1] for kind in BIRTH_PARTS]
        if not all(parts) or not all(part[0] in self.table.column_names for part in parts):
            return []
        texts = [strings(self.table.column(part[0])) for part in parts]
        dated = stack([self._dates(parts[0][0], encode(pc.binary_join_element_wise(*texts, "-")))])
        return [Field("birth_date", Kind.BIRTH_DATE, dated.texts, dated.codes)]

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
        return [Field("address", Kind.ADDRESS, bags.texts, bags.codes)]

    def _sexes(self, fields: Sequence[Field]) -> Field:
        """Sex as stated; where it is not, as the form of the name or a valid national id shows it."""
        codes = np.full(self.table.num_rows, MISSING, dtype=np.int32)
        for column in self.norms.columns_of(Kind.SEX):
            stated = self._standard(column, Kind.SEX)
            codes = np.where(codes >= 0, codes, labels(stated.values)[stated.codes])
        for field in fields:
            if field.scheme is not None or field.name in ("family_name", "middle_name"):
                rows = np.flatnonzero(codes < 0)
                codes[rows] = shown_sexes(field, rows)
        seen = np.unique(codes[codes >= 0])
        if self.learning and len(seen) < 2:
            codes = np.full_like(codes, MISSING)
        return Field("sex", Kind.SEX, list(SEX_LABELS), codes[:, None].astype(np.int32))
