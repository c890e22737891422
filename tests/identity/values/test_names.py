from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.values.names import (
    comparable_full_names,
    comparable_name,
    comparable_names,
    father_names,
    folded_names,
    generation,
    maiden,
    phonetic_key,
    short_form_groups,
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
        "Ғафур Ghafur G'afur Gʻafur Gafur",
        "Чжоу Zhou",
        "Кристина Kristina Christina",
        "Мигель Miguel",
        "Мансур Mansour Mansur",
        "Купер Cooper",
        "Шварц Schwarz",
        "Ковальчик Kowalczyk",
        "Николай Nikolaj",
        "Шарипов Sharipov",
        "Юсеф Youssef Yousef",
        "Петрович Petrovic",
        "Макгрегор McGregor Macgregor",
        "Ли Lee Li",
        "Сергеенко Sergeenko Sergeyenko",
        "Сингх Singh",
        "민준 Minjun Min-jun Minjoon",
        "영희 Younghee Yeonghui Young-hee",
        "현우 Hyunwoo Hyeonu Hyun-woo",
        "경수 Kyungsoo Gyeongsu",
        "철수 Chulsoo Cheolsu",
        "성민 Sungmin Seongmin",
        "정 Jung Jeong",
        "석 Suk Seok",
        "블라디미르 Bladimir",
        "피터 Piteor Piter Питер",
        "울라 Ulla",
    ],
)
def test_the_spellings_of_one_name_fold_together(spellings: str) -> None:
    folded = [form.replace(" ", "") for form in folded_names(comparable_names(spellings.split()))]
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
        "Denis Denise",
        "Simon Simone",
        "Galina Kalina",
        "Dina Tina",
        "Jong Jeong",
        "Leonid Lunid",
        "Raxim Raksim",
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
        ("г-н Иванов", "ivanov"),
        ("Г-жа Иванова", "ivanova"),
        ("гр. Иванов Иван", "ivanov ivan"),
        ("Гражданка Петрова", "petrova"),
        ("Грант Иванов", "grant ivanov"),
        ("Janob Karimov", "karimov"),
        ("Karim aka", "karim"),
        ("Nodira opa", "nodira"),
        ("Opa", "opa"),
        ("Akatov Aka-Ali", "akatov aka ali"),
        ("김민준님", "gimminjun"),
        ("김민준 씨", "gimminjun"),
        ("John Smith, PhD", "john smith"),
        ("John Smith, Ph.D., Jr.", "john smith"),
        ("Smith III", "smith"),
        ("Smith 2nd", "smith"),
        ("Karimov the 3rd", "karimov"),
        ("Иванов старший", "ivanov"),
        ("Иванов мл.", "ivanov"),
        ("Каримов кичик", "karimov"),
        ("Jr.", "jr"),
        ("Mr. Jr.", "mr"),
        ("Mladshiy", "mladshiy"),
        ("Kim Jun", "kim jun"),
        ("A. Karimov", "a karimov"),
        ("Каримов А.Б.", "karimov a b"),
        ("  O'Neil-Smith, Jr. ", "oneil smith"),
        ("12345", ""),
        ("", ""),
    ],
)
def test_titles_and_punctuation_are_no_part_of_a_name(written: str, expected: str) -> None:
    assert comparable_name(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("김민준", "gim, minjun"),
        ("김 민준", "gim, minjun"),
        ("김 준", "gim, jun"),
        ("남궁민수", "namgung, minsu"),
        ("김민준 님", "gim, minjun"),
        ("이반", "iban"),
        ("알렉산더", "alleksandeor"),
        ("Smith, Jr., John", "smith, john"),
        ("John Smith, Jr.", "john smith"),
    ],
)
def test_the_family_name_of_a_full_name_is_parted_where_it_shows(written: str, expected: str) -> None:
    assert comparable_full_names([written]) == [expected]
    assert comparable_full_names([unicodedata.normalize("NFD", written)]) == [expected]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("John Smith Sr.", "sr"),
        ("Иванов Пётр старший", "sr"),
        ("Karimov katta", "sr"),
        ("John Smith, Jr", "jr"),
        ("Smith Jr., John", "jr"),
        ("John Smith II", "jr"),
        ("John Smith 2nd", "jr"),
        ("Иванов мл.", "jr"),
        ("Каримов кичик", "jr"),
        ("Smith, PhD, Jr", "jr"),
        ("SMITH III", "3"),
        ("Smith the 3rd", "3"),
        ("Smith IV", "4"),
        ("Jr", ""),
        ("Junior", ""),
        ("Kim Jun", ""),
        ("Ivan Ivanov", ""),
        ("Katta Karim", ""),
        ("", ""),
    ],
)
def test_a_suffix_tells_the_generation(written: str, expected: str) -> None:
    assert generation([written, ""]) == [expected, ""]


@pytest.mark.parametrize(
    ("written", "name", "born"),
    [
        ("Smith (Jones)", "Smith", "Jones"),
        ("Anna Smith née Jones", "Anna Smith", "Jones"),
        ("Anna Smith, nee Jones", "Anna Smith", "Jones"),
        ("Anna Schmidt geb. Müller", "Anna Schmidt", "Müller"),
        ("Иванова (Петрова) Мария", "Иванова Мария", "Петрова"),
        ("Иванова (урожд. Петрова)", "Иванова", "Петрова"),
        ("Иванова (урождённая Петрова)", "Иванова", "Петрова"),
        ("Иванова, урожденная Петрова, Анна", "Иванова, Анна", "Петрова"),
        ("Маркова в девичестве Ли", "Маркова", "Ли"),
        ("Karimova (qizlik familiyasi Aliyeva)", "Karimova", "Aliyeva"),
        ("Каримова қизлик фамилияси: Алиева", "Каримова", "Алиева"),
        ("Elizabeth (Liz) Smith", "Elizabeth (Liz) Smith", ""),
        ("(Jones)", "(Jones)", ""),
        ("Smith ()", "Smith ()", ""),
        ("Smith (2)", "Smith (2)", ""),
        ("Kim Nee", "Kim Nee", ""),
        ("Max Born", "Max Born", ""),
        ("", "", ""),
    ],
)
def test_a_maiden_name_is_parted_from_the_name(written: str, name: str, born: str) -> None:
    assert maiden([written, "Ann"]) == ([name, "Ann"], [born, ""])


def test_short_forms_are_found_in_any_transliteration() -> None:
    evgeniy, *others = short_form_groups(comparable_names(["Евгений", "Женя", "Zhenya", "Jenya", "Evgenii"]))
    assert all(evgeniy & other for other in others)
    bobby, robert, ann, nobody = short_form_groups(["bobby", "robert", "ann", "xqz"])
    assert bobby & robert
    assert not bobby & ann
    assert not nobody


def test_a_name_of_ten_thousand_letters_is_taken_calmly() -> None:
    for part in ("а", "김", "mr ", "jr ", "(", " ", "née ", "x, ", "sh", "гр. ", "e\u0301"):
        text = (part * 10_000)[:10_000]
        full, bare = comparable_full_names([text]), comparable_names([text])
        assert len(folded_names(bare)) == len(phonetic_key(text).split("\n")) == len(full) == 1
        assert len(generation([text])) == len(maiden([text])[0]) == 1


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


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("王杰", "wang, jie"),
        ("王小明", "wang, xiaoming"),
        ("张 伟", "zhang, wei"),
        ("欧阳娜娜", "ouyang, nana"),
        ("山田太郎", "shan tian tai lang"),
    ],
)
def test_a_chinese_name_begins_with_the_family_name(typed: str, expected: str) -> None:
    assert comparable_full_names([typed]) == [expected]


def test_short_forms_meet_in_a_common_group() -> None:
    groups = short_forms()
    assert groups["alexander"] & groups["sasha"]
    assert groups["kate"] & groups["catherine"]
    assert not groups["kate"] & groups["andrew"]


@pytest.mark.parametrize(
    "spellings",
    [
        "이 Lee Yi Rhee Li",
        "박 Park Pak Bak Пак",
        "김 Kim Gim Ким",
        "최 Choi Choe Цой",
        "정 Jung Jeong Chung Тен",
        "강 Kang Gang Кан",
        "노 Noh Roh No",
        "임 Im Lim Rim Лим",
        "유 Yoo Yu Ryu Ю",
        "우 Woo U Wu",
        "서 Seo Suh",
    ],
)
def test_the_romanisations_of_a_korean_family_name_are_forms_of_one(spellings: str) -> None:
    first, *others = short_form_groups(comparable_names(spellings.split()))
    assert all(first & other for other in others)


@pytest.mark.parametrize(
    "short",
    [
        "Sasha Александр",
        "Shura Александра",
        "Sanya Aleksandr",
        "Bobby Robert",
        "Peggy Margaret",
        "Bill William",
        "Катюша Ekaterina",
        "Вова Vladimir",
        "Dilya Dilnoza",
        "Бахти Bakhtiyor",
        "Лёша Aleksey",
        "Zhora Георгий",
    ],
)
def test_a_short_form_meets_its_name(short: str) -> None:
    one, other = short_form_groups(comparable_names(short.split()))
    assert one & other


def test_every_short_form_is_written_as_names_are_compared() -> None:
    names = list(short_forms())
    assert comparable_names(names) == names


@given(st.text())
def test_any_text_has_a_comparable_form_of_latin_words(text: str) -> None:
    form = comparable_name(text)
    assert form == " ".join(form.split())
    assert not set(form) - set("abcdefghijklmnopqrstuvwxyz ")
    assert phonetic_key(text).isascii()


PIECES = [*"jrsiаb김박민 .,()'-", " jr.", ", ", "née ", "(ur", "г-н ", " II", "님", "mr. ", " aka"]
NEAR_NAMES = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@given(st.lists(st.one_of(st.text(), NEAR_NAMES), max_size=5))
def test_suffixes_and_maiden_names_of_any_text_leave_the_number_of_values(values: list[str]) -> None:
    assert set(generation(values)) <= {"", "sr", "jr", "3", "4"}
    names, born = maiden(values)
    assert len(names) == len(born) == len(generation(values)) == len(values)
    assert all(name == value or other for name, value, other in zip(names, values, born, strict=True))
    for form in comparable_full_names(values):
        assert not set(form) - set("abcdefghijklmnopqrstuvwxyz, ")


@given(st.lists(NEAR_NAMES, min_size=1, max_size=5))
def test_a_name_with_letters_never_becomes_nothing(values: list[str]) -> None:
    for value, form in zip(values, comparable_names(values), strict=True):
        assert bool(form) == any(letter.isalpha() for letter in value)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", max_size=20))
def test_the_case_of_a_name_does_not_matter(text: str) -> None:
    assert comparable_name(text.upper()) == comparable_name(text)
    assert phonetic_key(text.title()) == phonetic_key(text)
