"""Standardised, dictionary-encoded columns: what the matching kernels work on.

Each distinct value is standardised once; rows hold integer codes. A field may be multi-valued (two
phones): its codes then have several columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity import names as name_forms
from suzani.identity.addresses import standard_addresses, standard_texts
from suzani.identity.contacts import (
    matching_phones,
    standard_documents,
    standard_emails,
    standard_postcodes,
)
from suzani.identity.dates import standard_dates
from suzani.identity.dictionary import MISSING, Codes, encode, recode, restandardise, stack
from suzani.identity.documents import Identifier, scheme_of
from suzani.identity.parts import NameColumns, name_parts, sex_of_family_name
from suzani.kernel import Kind
from suzani.sources import SEXES

_SEX_WORDS = SEXES | {"1": "male", "2": "female", "e": "male", "a": "female"}


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


def _text_values(values: Sequence[str]) -> list[str]:
    return name_forms.comparable_names(values)


def _sexes(values: Sequence[str]) -> list[str]:
    return [_SEX_WORDS.get(value.lower().rstrip("."), "") for value in values]


_STANDARDISERS: Mapping[Kind, Callable[[Sequence[str]], list[str]]] = {
    Kind.GIVEN_NAME: name_forms.comparable_names,
    Kind.FAMILY_NAME: name_forms.comparable_names,
    Kind.PATRONYMIC: name_forms.comparable_names,
    Kind.ORGANISATION: standard_texts,
    Kind.SEX: _sexes,
    Kind.BIRTH_DATE: standard_dates,
    Kind.NATIONAL_ID: standard_documents,
    Kind.DOCUMENT: standard_documents,
    Kind.PHONE: matching_phones,
    Kind.EMAIL: standard_emails,
    Kind.ADDRESS: standard_addresses,
    Kind.CITY: _text_values,
    Kind.REGION: _text_values,
    Kind.POSTCODE: standard_postcodes,
    Kind.COUNTRY: _text_values,
    Kind.OCCUPATION: _text_values,
    Kind.TEXT: standard_texts,
}


def build_fields(table: pa.Table, kinds: Mapping[str, Kind]) -> list[Field]:
    """The evidence in a table of strings, given what each column is.

    Columns of kind IGNORE and columns without any usable value leave no field.
    """
    by_kind: dict[Kind, list[str]] = {}
    for column in table.column_names:
        by_kind.setdefault(kinds.get(column, Kind.IGNORE), []).append(column)
    fields = _name_fields(table, by_kind)
    fields += _date_fields(table, by_kind)
    fields += [_merged(table, kind, by_kind[kind]) for kind in (Kind.PHONE, Kind.EMAIL) if kind in by_kind]
    fields += _address_field(table, by_kind)
    single = (Kind.NATIONAL_ID, Kind.DOCUMENT, Kind.CITY, Kind.REGION, Kind.POSTCODE, Kind.COUNTRY)
    for kind in (*single, Kind.OCCUPATION, Kind.TEXT, Kind.ORGANISATION):
        fields += [_merged(table, kind, [column], column) for column in by_kind.get(kind, [])]
    fields = _dated_by_ids(fields)
    fields += _sex_field(table, by_kind, fields)
    fields = _named_apart(fields)
    sounds = _family_sounds(fields)
    return [_without_shared(_fathers(field), sounds) for field in fields if field.values]


_OWN_NAMES: Mapping[str, Kind] = {
    "given_name": Kind.GIVEN_NAME,
    "family_name": Kind.FAMILY_NAME,
    "middle_name": Kind.PATRONYMIC,
    "birth_date": Kind.BIRTH_DATE,
    "phone": Kind.PHONE,
    "email": Kind.EMAIL,
    "address": Kind.ADDRESS,
    "sex": Kind.SEX,
}


def _named_apart(fields: Sequence[Field]) -> list[Field]:
    """A column called like one of our own fields but holds something else is named by its kind too."""
    return [
        replace(item, name=f"{item.name} ({item.kind.value})")
        if _OWN_NAMES.get(item.name, item.kind) is not item.kind
        else item
        for item in fields
    ]


def _fathers(field: Field) -> Field:
    """Patronymics without their endings; sex has been read off them by now."""
    if field.name != "middle_name":
        return field
    bare = recode(name_forms.father_names(field.values), field.codes)
    return Field(field.name, field.kind, bare.values, bare.codes)


def _merged(table: pa.Table, kind: Kind, columns: Sequence[str], name: str = "") -> Field:
    encoded = [restandardise(encode(table.column(column)), _STANDARDISERS[kind]) for column in columns]
    values, codes = stack(encoded)
    scheme = scheme_of(values[:20_000]) if kind is Kind.NATIONAL_ID else None
    return Field(name or kind.value, kind, values, codes, scheme)


def _name_fields(table: pa.Table, by_kind: Mapping[Kind, list[str]]) -> list[Field]:
    columns = NameColumns(
        *(
            [restandardise(encode(table.column(c)), standardise) for c in by_kind.get(kind, [])]
            for kind, standardise in (
                (Kind.GIVEN_NAME, name_forms.comparable_names),
                (Kind.FAMILY_NAME, name_forms.comparable_names),
                (Kind.PATRONYMIC, name_forms.comparable_names),
                (Kind.FULL_NAME, name_forms.comparable_full_names),
            )
        )
    )
    parts = name_parts(columns, table.num_rows)
    kinds = {"given_name": Kind.GIVEN_NAME, "family_name": Kind.FAMILY_NAME, "middle_name": Kind.PATRONYMIC}
    return [
        Field(name, kind, parts.values, getattr(parts, name))
        for name, kind in kinds.items()
        if (getattr(parts, name) >= 0).any()
    ]


def _date_fields(table: pa.Table, by_kind: Mapping[Kind, list[str]]) -> list[Field]:
    parts = [by_kind.get(kind, []) for kind in (Kind.BIRTH_YEAR, Kind.BIRTH_MONTH, Kind.BIRTH_DAY)]
    fields = [_merged(table, Kind.BIRTH_DATE, by_kind[Kind.BIRTH_DATE])] if Kind.BIRTH_DATE in by_kind else []
    if all(parts) and not fields:
        texts = [pc.cast(table.column(columns[0]), pa.string()) for columns in parts]
        joined = pc.binary_join_element_wise(*texts, "-")
        encoded = restandardise(encode(joined), standard_dates)
        values, codes = stack([encoded])
        fields = [Field("birth_date", Kind.BIRTH_DATE, values, codes)]
    return fields


def _dated_by_ids(fields: list[Field]) -> list[Field]:
    """Give records without a birth date the one that their valid national id carries."""
    for source in [field for field in fields if field.scheme is not None]:
        dates = [
            source.scheme.birth_date(value) if source.scheme and valid else ""
            for value, valid in zip(source.values, source.valid.tolist(), strict=False)
        ]
        if not any(dates):
            continue
        shown = recode(dates, source.codes[:, :1])
        at = next((i for i, field in enumerate(fields) if field.kind is Kind.BIRTH_DATE), len(fields))
        stated = fields[at : at + 1] or [
            Field("birth_date", Kind.BIRTH_DATE, [], np.full_like(shown.codes, -1))
        ]
        both = np.where(shown.codes >= 0, shown.codes + len(stated[0].values), MISSING)
        merged = recode(
            [*stated[0].values, *shown.values], np.where(stated[0].codes >= 0, stated[0].codes, both)
        )
        fields[at : at + 1] = [Field(stated[0].name, Kind.BIRTH_DATE, merged.values, merged.codes)]
    return fields


def _address_field(table: pa.Table, by_kind: Mapping[Kind, list[str]]) -> list[Field]:
    """All parts of the street address as one bag of words: clerks put them in any of the columns."""
    columns = [c for kind in (Kind.HOUSE, Kind.STREET, Kind.ADDRESS) for c in by_kind.get(kind, [])]
    if not columns:
        return []
    texts = [pc.fill_null(pc.cast(table.column(column), pa.string()), "") for column in columns]
    joined = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, " ")
    values, codes = stack([restandardise(encode(joined), standard_addresses)])
    return [Field("address", Kind.ADDRESS, values, codes)]


def _sex_field(table: pa.Table, by_kind: Mapping[Kind, list[str]], fields: Sequence[Field]) -> list[Field]:
    """Sex as stated; where it is not, as a valid national id or the form of the name shows it."""
    labels = ["male", "female"]
    codes = np.full(table.num_rows, MISSING, dtype=np.int32)
    for column in by_kind.get(Kind.SEX, []):
        stated = restandardise(encode(table.column(column)), _sexes)
        target = np.array([labels.index(value) for value in stated.values] + [MISSING], dtype=np.int32)
        codes = np.where(codes >= 0, codes, target[stated.codes])
    for field in fields:
        if field.scheme is not None:
            valid = field.valid.tolist()
            shown = [field.scheme.sex(v) if ok else "" for v, ok in zip(field.values, valid, strict=False)]
        elif field.name in ("middle_name", "family_name"):
            shown = [sex_of_family_name(value) for value in field.values]
        else:
            continue
        target = np.array([labels.index(v) if v else MISSING for v in shown] + [MISSING], dtype=np.int32)
        codes = np.where(codes >= 0, codes, target[field.codes[:, 0]])
    if len(np.unique(codes[codes >= 0])) < 2:
        return []
    return [Field("sex", Kind.SEX, labels, codes[:, None].astype(np.int32))]


_SHARED_BY = 12
"""An identifier held under this many family names is a placeholder or an agent's, not evidence."""


def _family_sounds(fields: Sequence[Field]) -> npt.NDArray[np.int32] | None:
    """A code per record for the sound of its family name; None when there are no family names."""
    family = next((field for field in fields if field.kind is Kind.FAMILY_NAME), None)
    if family is None:
        return None
    return recode(name_forms.phonetic_keys(family.values), family.codes[:, :1]).codes[:, 0]


def _without_shared(field: Field, sounds: npt.NDArray[np.int32] | None) -> Field:
    """Drop identifier values that many unrelated people share: an agent's phone, a made-up number."""
    if sounds is None or field.kind not in (Kind.PHONE, Kind.EMAIL, Kind.NATIONAL_ID, Kind.DOCUMENT):
        return field
    shared = np.zeros(len(field.values) + 1, dtype=bool)
    for codes in field.codes.T:
        held = (codes >= 0) & (sounds >= 0)
        pairs = np.unique(codes[held].astype(np.int64) << 32 | sounds[held])
        shared[: len(field.values)] |= (
            np.bincount((pairs >> 32).astype(np.int64), minlength=len(field.values)) > _SHARED_BY
        )
    if not shared.any():
        return field
    codes = np.where(shared[field.codes], MISSING, field.codes).astype(np.int32)
    return Field(field.name, field.kind, field.values, codes, field.scheme)
