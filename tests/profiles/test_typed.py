from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from suzani.profiles.terms import TERMS
from suzani.profiles.typed import Reach, read, tsquery


def starts(text: str) -> set[str]:
    return {term for part in read(text) for term in part.starts}


def test_spellings_of_one_name_are_looked_up_alike() -> None:
    assert read("Хасан")[0].names == read("Xasan")[0].names == read("KHASAN")[0].names


def test_a_phone_is_looked_up_from_its_start_and_by_its_last_digits() -> None:
    assert {"t998901234", "r4321", "t9984321"} & starts("90 1234") == {"t998901234"}
    assert "r7654" in starts("4567")
    assert starts("+998 90 123-45-67") == {"t998901234567"}


def test_a_calling_code_alone_finds_nobody() -> None:
    assert read("+998") == []
    assert read("99") == []


def test_a_series_and_its_number_are_one_document() -> None:
    assert "daa1234567" in starts("AA 1234567")
    assert "daa1234567" in starts("АА1234567")


def test_names_and_numbers_must_all_match() -> None:
    assert len(read("Каримов Азиз 1985")) == 3
    assert "b1985" in starts("Каримов 1985")
    assert read("14.03.1985")[0].exact == ("b19850314",)


@pytest.mark.parametrize("text", ["", " ", "a", "12", "'", "!!", "& | !", "\x00", "@" * 0])
def test_too_little_is_not_searched(text: str) -> None:
    assert read(text) == []


LEXEME = re.compile(r"'[\w@.+-]+'(:\*)?")


@given(st.text(max_size=60))
def test_whatever_is_typed_becomes_a_query_of_quoted_terms(text: str) -> None:
    query = tsquery(read(text), Reach.SOUND)
    assert re.sub(r"[ ()&|]", "", LEXEME.sub("", query)) == ""


@given(st.lists(st.text(max_size=30), max_size=5))
@example(["İ"])
def test_terms_of_any_value_are_safe_in_the_index(values: list[str]) -> None:
    for to_terms in TERMS.values():
        found = to_terms(values)
        assert len(found) == len(values)
        assert all(re.fullmatch(r"[\w@.+-]+", term) for terms in found for term in terms)
