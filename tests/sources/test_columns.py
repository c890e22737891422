"""What a column is taken for, by its name in four languages and by its content alone."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.kernel import Kind
from suzani.sources.columns import SAMPLE_ROWS, infer_kinds
from suzani.sources.headers import kind_of_header

HEADERS: dict[Kind, str] = {
    Kind.GIVEN_NAME: "first_name FirstName FNAME given-name имя Ism ISMI 이름",
    Kind.FAMILY_NAME: "last_name surname SURNAME familyName maiden_name фамилия Familiya FAMILIYASI 성",
    Kind.PATRONYMIC: "patronymic middle_name MiddleName отчество otasining_ismi SHARIFI",
    Kind.FULL_NAME: "full_name FullName fio ФИО Ф.И.О. F.I.Sh. Ф.И.Ш 성명 NAME customer_name клиент mijoz",
    Kind.SEX: "sex Sex GENDER пол jinsi 성별",
    Kind.BIRTH_DATE: "dob DOB birth_date DateOfBirth дата_рождения tug'ilgan_sana tugilgan_sanasi 생년월일",
    Kind.BIRTH_YEAR: "birth_year yob год_рождения",
    Kind.NATIONAL_ID: "pinfl ПИНФЛ JSHSHIR ssn inn ИНН SNILS СНИЛС stir rrn 주민등록번호 tax_id national_id",
    Kind.DOCUMENT: "passport паспорт pasport_raqami PassportNo id_card 여권번호 driver_licence",
    Kind.PHONE: "phone Phone2 mobile tel телефон Мобильный telefon_raqami 전화번호 msisdn",
    Kind.EMAIL: "email e-mail EMAIL_ADDRESS эл_почта 이메일",
    Kind.ADDRESS: "address ADDRESS_LINE адрес manzil yashash_manzili 주소",
    Kind.CITY: "city town город shahar 도시 birth_place",
    Kind.REGION: "region state province область viloyat tuman район",
    Kind.POSTCODE: "postcode postal_code zip ZipCode индекс 우편번호",
    Kind.COUNTRY: "country страна davlat nationality гражданство 국가",
    Kind.OCCUPATION: "occupation profession должность kasbi 직업",
    Kind.ORGANISATION: "company organisation legal_name организация korxona 회사",
    Kind.IGNORE: "passport_country doc_type account_status balance created_at updated currency last_update",
}


@pytest.mark.parametrize(
    ("kind", "header"), [(kind, header) for kind, headers in HEADERS.items() for header in headers.split()]
)
def test_a_header_in_any_language_tells_its_kind(kind: Kind, header: str) -> None:
    assert kind_of_header(header) is kind


@pytest.mark.parametrize("header", ["", "  ", "x", "col_17", "branch", "segment", "qwerty", "값"])
def test_a_header_that_says_nothing_has_no_kind(header: str) -> None:
    assert kind_of_header(header) is None


@pytest.mark.parametrize("header", ["ethnicity", "capacity", "cancellation", "household_id", "warehouse"])
def test_a_word_inside_another_word_is_not_taken_for_it(header: str) -> None:
    assert kind_of_header(header) is None


@given(st.text())
def test_any_header_can_be_asked_for_its_kind(header: str) -> None:
    assert kind_of_header(header) in (None, *Kind)


GIVEN = (
    "Ali Anvar Botir Davron Elyor Farhod Guli Hasan Ilhom Jasur Karim Lola Malika Nodira Olim Pulat".split()
)
FAMILY = [
    f"{root}ov" for root in "Karim Salim Rahim Yusup Nazar Umar Tosh Bobo Ergash Murod Hoshim Qodir".split()
]
ROWS = 60


def values_like(kind: Kind) -> list[str]:
    """Sixty values such as columns of a kind hold."""
    makers: dict[Kind, Callable[[int], str]] = {
        Kind.GIVEN_NAME: lambda n: GIVEN[n % 16],
        Kind.FAMILY_NAME: lambda n: FAMILY[n % 12],
        Kind.PATRONYMIC: lambda n: f"{GIVEN[n % 16]}ovich",
        Kind.FULL_NAME: lambda n: f"{FAMILY[n % 12]} {GIVEN[n % 16]} {GIVEN[n % 5]}ovich",
        Kind.SEX: lambda n: "MF"[n % 2],
        Kind.BIRTH_DATE: lambda n: f"{1 + n % 28:02}.0{1 + n % 9}.{1950 + n}",
        Kind.BIRTH_YEAR: lambda n: str(1950 + n),
        Kind.NATIONAL_ID: lambda n: f"3{n:02}01800{n * 7919 % 10**6:06}",
        Kind.DOCUMENT: lambda n: f"AA{n * 7919 % 10**7:07}",
        Kind.PHONE: lambda n: f"+998 90 {n * 7919 % 10**7:07}",
        Kind.EMAIL: lambda n: f"user{n}@mail.uz",
        Kind.ADDRESS: lambda n: f"Navoi {n}, flat {n % 9}",
        Kind.CITY: lambda n: ["Toshkent", "Buxoro", "Xiva"][n % 3],
        Kind.REGION: lambda n: ["Toshkent", "Xorazm", "Navoiy"][n % 3],
        Kind.POSTCODE: lambda n: f"100{n:03}",
        Kind.COUNTRY: lambda n: ["UZ", "RU"][n % 2],
        Kind.OCCUPATION: lambda n: ["engineer", "teacher", "driver"][n % 3],
        Kind.ORGANISATION: lambda n: f"{FAMILY[n % 12]} Savdo LLC {n}",
        Kind.IGNORE: lambda n: str(n * 1_000),
    }
    return [makers[kind](n) for n in range(ROWS)]


def kind_of(name: str, values: list[str | None]) -> Kind:
    return infer_kinds(pa.table({name: pa.array(values, pa.string())}))[name].kind


@pytest.mark.parametrize("language", range(3))
def test_a_whole_file_is_understood_by_its_headers(language: int) -> None:
    headers = {kind: words.split()[-1 - language % len(words.split())] for kind, words in HEADERS.items()}
    table = pa.table({header: values_like(kind) for kind, header in headers.items()})
    guessed = {name: guess.kind for name, guess in infer_kinds(table).items()}
    assert guessed == {header: kind for kind, header in headers.items()}


@pytest.mark.parametrize(
    "kind",
    [Kind.EMAIL, Kind.PHONE, Kind.NATIONAL_ID, Kind.SEX, Kind.PATRONYMIC, Kind.FULL_NAME, Kind.FAMILY_NAME],
)
def test_without_a_telling_header_the_content_tells(kind: Kind) -> None:
    assert kind_of("col_7", list(values_like(kind))) is kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["Каримов Али", "Салимова Лола", "Ли Анна Петровна", "Цой Виктор"] * 2, Kind.FULL_NAME),
        (["Валиевич", "Петровна", "Nodirovna", "Vali o'g'li", "Каримович"], Kind.PATRONYMIC),
        (["Каримов", "Салимова", "Kim", "Petrov"], Kind.FAMILY_NAME),
        (["муж", "жен", "муж", None], Kind.SEX),
        (["남", "여", "남"], Kind.SEX),
        (["erkak", "ayol", ""], Kind.SEX),
        ([f"90{n:07}" for n in range(9)], Kind.PHONE),
        (["Ann Lee <ann@mail.uz>", "bob@mail.uz", None], Kind.EMAIL),
    ],
)  # fmt: skip
def test_content_in_any_language_tells(values: list[str | None], kind: Kind) -> None:
    assert kind_of("x", values) is kind


@pytest.mark.parametrize(
    "values",
    [
        [None, None],
        ["", " ", "-", "N/A", "null", "нет"],
        ["1", "2", "1", "2"],
        [str(n) for n in range(100)],
        [f"KEY-{n:05}-X" for n in range(100)],
        ["gold", "silver"] * 100,
        ["same"] * 5,
        [f"2020-01-{1 + n % 28:02}" for n in range(60)],
        ["12.50", "13,75", "100 000.00"] * 9,
    ],
    ids=lambda values: str(values[:2]),
)
def test_what_is_no_evidence_is_ignored(values: list[str | None]) -> None:
    assert kind_of("x", values) is Kind.IGNORE


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("phone", [f"user{n}@mail.uz" for n in range(9)], Kind.EMAIL),
        ("birth_date", [str(n % 28) for n in range(60)], Kind.IGNORE),
        ("name", [str(n) for n in range(60)], Kind.IGNORE),
        ("name", [f"90{n:07}" for n in range(60)], Kind.PHONE),
        ("email", ["yes", "no"] * 30, Kind.IGNORE),
        ("sex", [f"word{n}" for n in range(60)], Kind.IGNORE),
        ("state", ["active", "closed"] * 30, Kind.IGNORE),
    ],
)
def test_a_header_is_not_believed_against_the_content(
    name: str, values: list[str | None], kind: Kind
) -> None:
    guess = infer_kinds(pa.table({name: pa.array(values, pa.string())}))[name]
    assert guess.kind is kind


def test_full_names_with_commas_are_full_names() -> None:
    values = ["Hughes, Howie", "Lee, Anna", "Wang Jie", "O'Hara, Ellie (Smith)", "Karim Salimov"] * 4
    assert infer_kinds(pa.table({"full_name": values}))["full_name"].kind is Kind.FULL_NAME


def test_a_disbelieved_header_is_named_in_the_reason() -> None:
    guess = infer_kinds(pa.table({"surname": [str(n) for n in range(60)]}))["surname"]
    assert "family_name" in guess.why
    assert "numbers" in guess.why


def test_every_guess_gives_its_reason() -> None:
    table = pa.table({kind.value: values_like(kind) for kind in HEADERS})
    assert all(guess.why for guess in infer_kinds(table).values())


def test_rows_from_all_over_a_table_are_looked_at() -> None:
    values = [None] * SAMPLE_ROWS * 2 + ["ann@mail.uz"] * SAMPLE_ROWS
    assert kind_of("x", values) is Kind.EMAIL
    assert kind_of("x", values[::-1]) is Kind.EMAIL


def test_a_table_without_rows_or_columns_is_understood() -> None:
    assert infer_kinds(pa.table({})) == {}
    assert kind_of("surname", []) is Kind.IGNORE


@given(st.text(max_size=20), st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=8))
def test_any_column_is_taken_for_something(name: str, values: list[str | None]) -> None:
    guess = infer_kinds(pa.table([pa.array(values, pa.string())], names=[name]))[name]
    assert guess.kind in Kind
    assert guess.why
