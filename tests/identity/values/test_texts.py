"""Many values at once give what each gives alone: the compiled ways beside the plain ones."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from suzani.identity.standardising.standards import generations, standard_full_names
from suzani.identity.values.addresses import standard_addresses, standard_texts
from suzani.identity.values.contacts import matching_phones, standard_documents
from suzani.identity.values.parts import Splitter
from suzani.identity.values.texts import MANY, Texts, as_array, as_list, bytes_of, texts_of

UNSHRUNK = settings(deadline=None, max_examples=40, phases=[Phase.explicit, Phase.reuse, Phase.generate])
TYPED = [
    "+998 90 123-45-78", "1234567", "123456789", "0 1234567890", "987654321", "999999999", "88 9999999",
    "٩٠١٢٣٤٥٧٨", "12345", "90 234 56 78", "AA 1234567", "aa0000000", "АВ1234568", "b7654321", "00000",
    "zzzzz", "ab0", "x10", "ab", "AB12345670", "ул. Навои, д. 12, кв. 5", "Navoi ko'chasi 12A",
    "Юнусабад, 4-квартал №7", "12 Main St, Apt 5/12", "Каримов Али Вали ўғли", "Karimov, Ali Valievich",
    "Lee, Ann, B", "김민준", "Smith John Jr.", "Mary Ann Lee-Smith", "X Y Z qizi ogli", "qizi",
    "Petrov Ivan Ivanovich", "ΑΣ.Α", "=\u0338 x", "a\u00a0b", "", " ", ",", "O'Neil",
]  # fmt: skip
VALUES = st.lists(st.one_of(st.sampled_from(TYPED), st.text(max_size=20)), min_size=1, max_size=30)

EVERY: list[Callable[[Texts], Texts]] = [
    matching_phones, standard_documents, standard_addresses, standard_texts, standard_full_names, generations,
]  # fmt: skip


@pytest.mark.parametrize("standardise", EVERY)
@UNSHRUNK
@given(VALUES)
def test_many_values_are_standardised_as_each_alone(
    standardise: Callable[[Texts], Texts], values: list[str]
) -> None:
    many = as_array(values * (MANY // len(values) + 1))
    assert as_list(standardise(many))[: len(values)] == [as_list(standardise([value]))[0] for value in values]


@pytest.mark.parametrize("family_first", [True, False])
@UNSHRUNK
@given(VALUES)
def test_many_full_names_are_split_as_each_alone(family_first: bool, values: list[str]) -> None:
    splitter = Splitter({"lee": 1.6, "ali": -2.0, "ann": -1.5})
    names = as_list(standard_full_names(values))
    many = splitter.split(as_array(names * (MANY // len(names) + 1)), family_first)
    parts = zip(*(as_list(part)[: len(names)] for part in many), strict=True)
    assert list(parts) == [splitter.one(name, family_first) for name in names]


@given(st.lists(st.text(max_size=5)), st.data())
def test_texts_survive_the_way_to_bytes_and_back(values: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(values)))
    part = pa.array(values, pa.string())[start:]
    assert texts_of(*bytes_of(part)).to_pylist() == values[start:]
