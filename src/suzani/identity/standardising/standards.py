"""The standard form of values by kind, and the names and kinds of the fields that come of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity.kernels.texts import replace_words
from suzani.identity.values import names as name_forms
from suzani.identity.values.addresses import standard_addresses, standard_texts
from suzani.identity.values.contacts import (
    matching_phones,
    standard_documents,
    standard_emails,
    standard_postcodes,
)
from suzani.identity.values.scripts import latin
from suzani.identity.values.texts import MANY, Texts, as_array, as_list, bytes_of, texts_of, words_in
from suzani.kernel import Kind
from suzani.sources import SEXES

_SEX_WORDS = SEXES | {"1": "male", "2": "female", "e": "male", "a": "female"}
SEX_LABELS = ("male", "female")
GENERATION_LABELS = ("sr", "jr", "3", "4")

IDENTIFYING = frozenset({Kind.PHONE, Kind.EMAIL, Kind.NATIONAL_ID, Kind.DOCUMENT})
"""Kinds whose values, held by many people, are no evidence."""

OF_ONE_COLUMN = (
    Kind.NATIONAL_ID, Kind.DOCUMENT, Kind.CITY, Kind.REGION, Kind.POSTCODE, Kind.COUNTRY, Kind.OCCUPATION,
    Kind.TEXT, Kind.ORGANISATION,
)  # fmt: skip
"""Kinds of which every column is a field of its own, in the order of the fields."""

OF_ALL_COLUMNS = (Kind.PHONE, Kind.EMAIL)
"""Kinds of which all columns are alternatives of one field."""

BIRTH_PARTS = (Kind.BIRTH_YEAR, Kind.BIRTH_MONTH, Kind.BIRTH_DAY)
WITH_SUFFIX = (Kind.FAMILY_NAME, Kind.FULL_NAME, Kind.GIVEN_NAME)
ADDRESS_PARTS = (Kind.HOUSE, Kind.STREET, Kind.ADDRESS)

_OWN_NAMES: Mapping[str, Kind] = {
    "given_name": Kind.GIVEN_NAME,
    "family_name": Kind.FAMILY_NAME,
    "middle_name": Kind.PATRONYMIC,
    "generation": Kind.GENERATION,
    "birth_date": Kind.BIRTH_DATE,
    "phone": Kind.PHONE,
    "email": Kind.EMAIL,
    "address": Kind.ADDRESS,
    "sex": Kind.SEX,
}


def field_name(column: str, kind: Kind) -> str:
    """A column called like one of our own fields, but holding something else, is named by its kind too."""
    return f"{column} ({kind.value})" if _OWN_NAMES.get(column, kind) is not kind else column


def standard_sexes(values: Sequence[str]) -> list[str]:
    """ "male" or "female" for each word that says so, else ""."""
    return [_SEX_WORDS.get(value.lower().rstrip("."), "") for value in values]


def _listed(standardise: Callable[[Sequence[str]], list[str]], values: Texts) -> Texts:
    return standardise(as_list(values))


def standard_full_names(values: Texts) -> Texts:
    """`comparable_full_names`; of many, the words are brought to Latin letters once each.

    Hangul and Chinese need whole names: there the family name is one syllable of a word.
    """
    if len(values) < MANY:
        return name_forms.comparable_full_names(as_list(values))
    texts = as_array(values)
    apart = pc.match_substring_regex(texts, r"[\p{Hangul}\p{Han}]")
    rest = pc.if_else(apart, "", texts)
    latin = name_forms.comparable_full_names(latin_by_words(rest).to_pylist())
    whole = name_forms.comparable_full_names(texts.filter(apart).to_pylist())
    return pc.replace_with_mask(pa.array(latin, pa.string()), apart, pa.array(whole, pa.string()))


def generations(values: Texts) -> Texts:
    """Which bearer of each name as typed its suffix says: one of `GENERATION_LABELS`, or ""."""
    if len(values) < MANY:
        return name_forms.generation(as_list(values))
    texts = as_array(values)
    ids, begins, typed = words_in(texts)
    suffixes = np.array(name_forms.are_suffixes(typed), dtype=bool)
    before = np.append(0, np.cumsum(suffixes[ids]))
    rows = np.flatnonzero(before[begins[1:]] > before[begins[:-1]])
    said = np.full(len(texts), "", dtype=object)
    said[rows] = name_forms.generation(texts.take(pa.array(rows)).to_pylist())
    return pa.array(said, pa.string())


def latin_by_words(texts: pa.StringArray) -> pa.StringArray:
    """`latin` of many texts, each distinct word once."""
    ids, _, typed = words_in(texts)
    return texts_of(*replace_words(*bytes_of(texts), ids, *bytes_of(as_array(latin(typed)))))


_NAMES = partial(_listed, name_forms.comparable_names)

STANDARDISERS: Mapping[Kind, Callable[[Texts], Texts]] = {
    Kind.GIVEN_NAME: _NAMES,
    Kind.FAMILY_NAME: _NAMES,
    Kind.PATRONYMIC: _NAMES,
    Kind.FULL_NAME: standard_full_names,
    Kind.GENERATION: lambda values: name_forms.generation([f"a {value}" for value in as_list(values)]),
    Kind.ORGANISATION: standard_texts,
    Kind.SEX: partial(_listed, standard_sexes),
    Kind.NATIONAL_ID: standard_documents,
    Kind.DOCUMENT: standard_documents,
    Kind.PHONE: matching_phones,
    Kind.EMAIL: partial(_listed, standard_emails),
    Kind.ADDRESS: standard_addresses,
    Kind.CITY: _NAMES,
    Kind.REGION: _NAMES,
    Kind.POSTCODE: partial(_listed, standard_postcodes),
    Kind.COUNTRY: _NAMES,
    Kind.OCCUPATION: _NAMES,
    Kind.TEXT: standard_texts,
}
"""How the trimmed values of each kind are brought to their standard form; dates need their order too."""
