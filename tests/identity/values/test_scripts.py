from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.values.names import comparable_names, father_names, folded_names, phonetic_keys
from suzani.identity.values.scripts import latin, map_lines

ODD_BREAKS = ["\r", "\r\n", "\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
MESSY = st.lists(
    st.text(
        alphabet=st.one_of(
            st.characters(exclude_categories=["Cs"]),
            st.sampled_from([*"аЙёўҚ김이'ʻ’ -,.", "\u0301", *"".join(ODD_BREAKS)]),
        ),
        max_size=12,
    ),
    max_size=6,
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Иванов", "ivanov"),
        ("ЩЕРБАКОВ", "sherbakov"),
        ("Ўткир Ғайратов", "otkir gayratov"),
        ("Қодир Ҳасан", "kodir khasan"),
        ("김민준", "gimminjun"),
        ("이영희", "iyeonghi"),
        ("스티븐 블라디미르 피터 셰리", "stibeun bladimir piteor sheri"),
        ("을라 슬기 서 알렉산더", "eulla seulgi seo alleksandeor"),
        ("Łukasz Straße Þór", "lukasz strasse thor"),
        ("José Núñez", "jose nunez"),
        ("e\u0301lan", "elan"),
        ("и\u0306огурт", "yogurt"),
        ("中文", "zhong wen"),
        ("", ""),
    ],
)
def test_any_script_becomes_lower_case_latin(written: str, expected: str) -> None:
    assert latin([written]) == [expected]


@pytest.mark.parametrize("mark", "'`´ʻʼ‘’ʹˊ′")
def test_every_apostrophe_of_uzbek_latin_falls_away(mark: str) -> None:
    assert latin([f"O{mark}tkir G{mark}ayrat"]) == ["otkir gayrat"]


@pytest.mark.parametrize("brk", ODD_BREAKS)
def test_a_line_break_inside_a_value_shifts_no_other_value(brk: str) -> None:
    values = ["Анна", f"Карл{brk}Маркс", "Ольга"]
    first, middle, last = comparable_names(values)
    assert (first, middle.replace(" ", ""), last) == ("anna", "karlmarks", "olga")


def test_a_rewrite_that_makes_lines_is_applied_value_by_value() -> None:
    assert map_lines(["a;b", "c"], lambda text: text.replace(";", "\n")) == ["a b", "c"]


def test_a_rewrite_that_swallows_lines_is_applied_value_by_value() -> None:
    assert map_lines(["a", "", "b"], lambda text: text.replace("\n\n", "\n")) == ["a", "", "b"]


def test_no_values_give_no_values() -> None:
    assert map_lines([], str.upper) == []


@given(MESSY)
def test_many_values_at_once_give_what_each_gives_alone(values: list[str]) -> None:
    for rewrite in (latin, comparable_names):
        assert rewrite(values) == [rewrite([value])[0] for value in values]


@given(MESSY)
def test_latin_forms_are_ascii_and_one_for_each_value(values: list[str]) -> None:
    forms = latin(values)
    assert len(forms) == len(values)
    assert all(form.isascii() and "\n" not in form for form in forms)


@given(MESSY)
def test_every_form_of_a_name_keeps_the_number_of_values(values: list[str]) -> None:
    comparables = comparable_names(values)
    for forms in (folded_names(comparables), phonetic_keys(comparables), father_names(comparables)):
        assert len(forms) == len(values)


@given(MESSY)
def test_a_comparable_name_is_its_own_comparable_name(values: list[str]) -> None:
    once = comparable_names(values)
    again = comparable_names(once)
    # A title may come to stand before a name only when punctuation has gone, so only words may be lost.
    assert all(set(b.split()) <= set(a.split()) for a, b in zip(once, again, strict=True))
