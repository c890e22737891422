"""One name in every spelling."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.demo import noise, spelling
from suzani.demo.contacts import apostrophes, write_passports, write_phones
from suzani.demo.lexicon import name_book
from suzani.demo.types import Habit
from suzani.identity import phonetic_key

UZBEK = st.lists(
    st.sampled_from(["o'", "g'", "sh", "ch", *"abdefghijklmnopqrstuvxyz"]), min_size=2, max_size=8
).map(lambda parts: "".join(parts).capitalize())
RUSSIAN = st.text("абвгдеёжзийклмнопрстуфхцчшщыьэюя", min_size=2, max_size=10).map(str.capitalize)


def test_an_uzbek_name_in_every_spelling() -> None:
    assert spelling.uzbek_forms("G'ayrat") == (
        "Гайрат", "Гайрат", "Ғайрат", "Gʻayrat", "Ğayrat", "Gairat", "Gayrat", "Gayrat",
    )  # fmt: skip
    assert spelling.uzbek_forms("Jo'raqulova")[:4] == (
        "Журакулова",
        "Джуракулова",
        "Жўрақулова",
        "Joʻraqulova",
    )
    assert spelling.uzbek_forms("Elyor")[Habit.UZBEK_CYRILLIC] == "Элёр"
    assert spelling.uzbek_forms("Umar o'g'li")[Habit.UZBEK_LATIN] == "Umar oʻgʻli"


def test_a_russian_name_in_every_spelling() -> None:
    forms = spelling.russian_forms("Юлия")
    assert (forms[Habit.PASSPORT], forms[Habit.PLAIN], forms[Habit.UZBEK_LATIN]) == (
        "Iuliia",
        "Yuliya",
        "Yuliya",
    )
    assert spelling.russian_forms("Евгений")[Habit.UZBEK_LATIN] == "Yevgeniy"
    assert spelling.russian_forms("Фёдоров")[Habit.RUSSIAN] == "Федоров"


@pytest.mark.parametrize(
    ("stem", "family"),
    [
        ("Karim", "Karimov"),
        ("Ali", "Aliyev"),
        ("To'xta", "To'xtayev"),
        ("Boy", "Boyev"),
        ("Saidov", "Saidov"),
    ],
)
def test_uzbek_family_names_are_made_from_given_names(stem: str, family: str) -> None:
    assert spelling.uzbek_family(stem) == family


@pytest.mark.parametrize(
    ("masculine", "feminine"),
    [("Иванов", "Иванова"), ("Покровский", "Покровская"), ("Шевченко", "Шевченко"), ("Karimov", "Karimova"),
     ("Navoiy", "Navoiy"), ("Ильин", "Ильина")],
)  # fmt: skip
def test_women_have_their_form_of_a_family_name(masculine: str, feminine: str) -> None:
    assert spelling.feminine_family(masculine) == feminine


@pytest.mark.parametrize(
    ("father", "son", "daughter"),
    [("Иван", "Иванович", "Ивановна"), ("Сергей", "Сергеевич", "Сергеевна"), ("Юрий", "Юрьевич", "Юрьевна"),
     ("Дмитрий", "Дмитриевич", "Дмитриевна"), ("Илья", "Ильич", "Ильинична")],
)  # fmt: skip
def test_russian_patronymics(father: str, son: str, daughter: str) -> None:
    assert spelling.russian_patronymic(father, 0) == son
    assert spelling.russian_patronymic(father, 1) == daughter


@given(UZBEK)
def test_every_spelling_of_an_uzbek_name_keeps_to_its_alphabet(name: str) -> None:
    forms = spelling.uzbek_forms(name)
    assert len(forms) == len(Habit)
    assert all(forms)
    for habit in (Habit.PASSPORT, Habit.PLAIN):
        assert forms[habit].isascii()
    for habit in (Habit.RUSSIAN, Habit.RUSSIAN_OLD):
        assert not set(forms[habit].lower()) - set("абвгдеёжзийклмнопрстуфхцчшщъыьэюя")
    assert not any("a" <= sign <= "z" for sign in forms[Habit.UZBEK_CYRILLIC].lower())
    assert "'" not in forms[Habit.UZBEK_LATIN]


@given(RUSSIAN)
def test_every_latin_spelling_of_a_russian_name_is_plain(name: str) -> None:
    forms = spelling.russian_forms(name)
    assert len(forms) == len(Habit)
    for habit in (Habit.PASSPORT, Habit.PLAIN, Habit.UZBEK_LATIN):
        assert forms[habit].isascii()


def test_spellings_of_common_names_are_recognised_as_one() -> None:
    for name in ("Karim", "Alisher", "Dilnoza", "Rahimov", "Gulnora"):
        forms = spelling.uzbek_forms(name)
        assert (
            len({phonetic_key(forms[habit]) for habit in (Habit.RUSSIAN, Habit.UZBEK_LATIN, Habit.PLAIN)})
            == 1
        )


def test_every_name_of_the_book_has_all_spellings() -> None:
    book = name_book()
    for texts in (book.given, book.family):
        assert texts.array.null_count == 0
        assert "" not in texts.array.to_pylist()
        assert len(texts.array) == len(Habit) * texts.variants * texts.count


@given(st.lists(st.none() | st.text("abcабвКимov 19'", max_size=12), max_size=20), st.integers(0, 2**32))
def test_a_slip_changes_one_place_at_most(texts: list[str | None], seed: int) -> None:
    column = pa.array(texts, pa.string())
    slipped = noise.slips(column, np.random.default_rng(seed)).to_pylist()
    for before, after in zip(texts, slipped, strict=True):
        if before is None or len(before) < 3:
            assert after == before
        else:
            assert after is not None
            assert abs(len(after) - len(before)) <= 1
            assert after[0] == before[0]


@given(st.lists(st.dates(), max_size=30), st.integers(0, 2**32))
def test_a_wrong_date_is_another_date_of_the_calendar(days: list[object], seed: int) -> None:
    right = np.array(days, dtype="datetime64[D]")
    wrong = noise.wrong_dates(right, np.random.default_rng(seed))
    assert len(wrong) == len(right)
    assert not np.isnat(wrong).any()
    assert (wrong != right).all()


def test_phones_passports_and_apostrophes_in_their_styles() -> None:
    numbers = np.array([998901234567] * 7 + [821012345678, 0])
    styles = np.array([*range(7), 3, 3])
    assert write_phones(numbers, styles).to_pylist() == [
        "+998901234567", "998901234567", "+998 90 123-45-67", "(90) 123-45-67", "90 123 45 67",
        "8-90-1234567", "901234567", "+821012345678", None,
    ]  # fmt: skip
    passports = pa.array(["AB1234567", "AB1234567", "AB1234567", "M12345678"])
    written = write_passports(passports, np.array([0, 1, 2, 3])).to_pylist()
    assert written == ["AB1234567", "AB 1234567", "АВ1234567", "M №12345678"]
    okina = pa.array(["Oʻtkir", "Oʻtkir", "Oʻtkir"])
    assert apostrophes(okina, np.array([0, 1, 3])).to_pylist() == ["Oʻtkir", "O'tkir", "O‘tkir"]
