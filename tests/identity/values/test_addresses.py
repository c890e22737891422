from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.values.addresses import standard_addresses


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ул. Навои, д. 12, кв. 5", "Navoi ko'chasi 12 uy 5 xonadon"),
        ("12 Main Street, Apt 5", "5/12 main st"),
        ("Amir Temur prospekti 12A", "amir temur prospekti, 12 a"),
        ("Park Avenue 7", "7 PARK AVE"),
        ("проспект Мустакиллик 3", "Mustakillik pr. 3"),
        ("Юнусабад тумани, 4 квартал", "Yunusabad 4-mavze"),
    ],
)
def test_the_ways_to_write_one_address_come_together(one: str, other: str) -> None:
    first, second = standard_addresses([one, other])
    assert first == second


def test_the_house_number_tells_addresses_apart() -> None:
    first, second = standard_addresses(["Навои 12", "Навои 13"])
    assert first != second


def test_filler_alone_is_no_address() -> None:
    assert standard_addresses(["ул. д. кв.", "", " - "]) == ["", "", ""]


@given(st.lists(st.sampled_from(["Navoi", "12", "5", "Tashkent", "Street", "ul."]), max_size=6), st.randoms())
def test_the_order_of_the_words_does_not_matter(words: list[str], shuffler: Random) -> None:
    shuffled = list(words)
    shuffler.shuffle(shuffled)
    first, second = standard_addresses([" ".join(words), ", ".join(shuffled)])
    assert first == second


@given(st.lists(st.text()))
def test_any_text_gives_sorted_distinct_words(values: list[str]) -> None:
    for form in standard_addresses(values):
        assert form.split() == sorted(set(form.split()))
