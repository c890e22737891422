from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.names import (
    comparable_full_names,
    comparable_name,
    comparable_names,
    father_names,
    folded_names,
    phonetic_key,
    short_forms,
)


@pytest.mark.parametrize(
    "spellings",
    [
        "Хасан Xasan Hasan Khasan",
        "Шухрат Shuhrat Shukhrat",
        "Ғайрат Gʻayrat G'ayrat G’ayrat Gayrat",
        "Ўткир Oʻtkir O'tkir O`tkir Otkir",
        "Жасур Jasur Zhasur",
        "Қодиров Qodirov Kodirov",
        "Мухаммад Muhammad Mukhammad Муҳаммад",
        "Юсупов Yusupov Iusupov",
        "Щербаков Shcherbakov Scherbakov",
        "Дмитрий Dmitriy Dmitrii Dmitry Dmitrij",
        "Мария Mariya Mariia Maria Marya",
        "Юлия Yuliya Iuliia Yulia",
        "Андрей Andrey Andrei Andrej",
        "Алексей Aleksey Aleksei Alexey Alexei",
        "Николай Nikolay Nikolai",
        "Ильин Ilyin Ilin Il'in",
        "Зайцев Zaytsev Zaitsev Zaitcev",
        "Евгений Evgeniy Yevgeniy Evgenii",
        "Алексеев Alekseev Alekseyev",
        "Соловьёв Solovyev Solovev Soloviev",
        "Фёдор Федор Fedor Fyodor",
        "Ёлкин Елкин Yolkin Elkin",
        "Чориев Choriev Choriyev",
        "Наталья Наталия Natalya Natalia Nataliia",
        "Цой Tsoy Tsoi",
        "Макс Max Maks",
        "김 Gim",
    ],
)
def test_the_spellings_of_one_name_fold_together(spellings: str) -> None:
    folded = folded_names(comparable_names(spellings.split()))
    assert len(set(folded)) == 1, dict(zip(spellings.split(), folded, strict=True))


@pytest.mark.parametrize(
    "pair",
    [
        "Карим Камол",
        "Иванов Петров",
        "Нодира Надежда",
        "Kim Lee",
        "Anvar Akmal",
        "Siroj Sirota",
        "Lei Li",
        "Sobir Shokir",
    ],
)
def test_different_names_do_not_fold_together(pair: str) -> None:
    one, other = folded_names(comparable_names(pair.split()))
    assert one != other


@pytest.mark.parametrize(
    ("one", "other"),
    [("Каримов", "Каримова"), ("Khasanov", "Хасанова"), ("Eshmatov", "Ishmatov"), ("김", "Kim")],
)
def test_names_that_sound_alike_share_a_phonetic_key(one: str, other: str) -> None:
    assert phonetic_key(one) == phonetic_key(other) != ""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Mr. John SMITH", "john smith"),
        ("Prof. Dr. Kim", "kim"),
        ("Господин Иванов", "ivanov"),
        ("Хоним Каримова", "karimova"),
        ("Drew Mistry", "drew mistry"),
        ("Miss", "miss"),
        ("  O'Neil-Smith, Jr. ", "oneil smith"),
        ("12345", ""),
        ("", ""),
    ],
)
def test_titles_and_punctuation_are_no_part_of_a_name(written: str, expected: str) -> None:
    assert comparable_name(written) == expected


def test_a_title_stays_inside_its_own_value() -> None:
    assert comparable_names(["Dr", "Ann"]) == ["dr", "ann"]


def test_a_full_name_keeps_the_comma_after_the_family_name() -> None:
    assert comparable_full_names(["Каримов, Али Валиевич", "Ann Lee"]) == [
        "karimov, ali valievich",
        "ann lee",
    ]


@pytest.mark.parametrize(
    "patronymic",
    ["Nodirovna", "Нодирович", "Nodir qizi", "Нодир қизи", "Nodir oʻgʻli", "Нодир ўғли", "nodirugli"],
)
def test_every_form_of_a_patronymic_gives_the_father(patronymic: str) -> None:
    assert father_names([comparable_name(patronymic)]) == ["nodir"]


def test_middle_names_that_are_no_patronymics_stay_as_they_are() -> None:
    assert father_names(["marie", "van der", "ovich"]) == ["marie", "van der", "ovich"]


def test_short_forms_meet_in_a_common_group() -> None:
    groups = short_forms()
    assert groups["alexander"] & groups["sasha"]
    assert groups["kate"] & groups["catherine"]
    assert not groups["kate"] & groups["andrew"]


def test_every_short_form_is_written_as_names_are_compared() -> None:
    names = list(short_forms())
    assert comparable_names(names) == names


@given(st.text())
def test_any_text_has_a_comparable_form_of_latin_words(text: str) -> None:
    form = comparable_name(text)
    assert form == " ".join(form.split())
    assert not set(form) - set("abcdefghijklmnopqrstuvwxyz ")
    assert phonetic_key(text).isascii()


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", max_size=20))
def test_the_case_of_a_name_does_not_matter(text: str) -> None:
    assert comparable_name(text.upper()) == comparable_name(text)
    assert phonetic_key(text.title()) == phonetic_key(text)
