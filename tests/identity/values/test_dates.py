from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.values.dates import PLACEHOLDERS, DateOrder, order_of, standard_date, standard_dates

DAY_FIRST, MONTH_FIRST = DateOrder(day_first=True), DateOrder(day_first=False)
REAL = st.dates(date(1901, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    "written",
    [
        "1980-03-07",
        "1980/3/7",
        "1980.03.07",
        "07.03.1980",
        "7.3.1980",
        "07-03-1980",
        "07/03/1980",
        "07.03.80",
        "19800307",
        "07031980",
        "7 Mar 1980",
        "07-MAR-80",
        "March 7, 1980",
        "1980 march 07",
        "7 March 1980",
        "07Mar1980",
        "1980-03-07 00:00:00",
        "1980-03-07T12:30:00Z",
        " 07.03.1980 г.",
        "٠٧.٠٣.١٩٨٠",
        "7 марта 1980 г.",
        "07 МАР 1980",
        "март 7, 1980 года",
        "7-mart 1980-yil",
        "1980-yil 7-mart",
        "1980 йил 7 март",
        "7 mart 1980",
        "1980년 3월 7일",
        "1980년3월7일생",
        "1980. 3. 7.",
        "7.III.1980",
        "7-III-80",
        "March 7th, 1980",
        "the 7th of March 1980",
        "Friday, 7 March 1980",
        "Fri Mar 07 1980 00:00:00 GMT+0500",
        "1980-03-07 00:00:00.000",
        "1980-03-07T00:00:00+05:00",
        "19800307T000000",
        "19800307000000",
        "19800307 12:00",
        "80/03/07",
    ],
)
def test_a_date_is_the_same_however_it_is_typed(written: str) -> None:
    assert standard_date(written, DAY_FIRST) == "19800307"


@pytest.mark.parametrize(
    ("written", "months"),
    [
        (
            "January February March April May June July August September October November December",
            range(1, 13),
        ),
        ("января февраля марта апреля мая июня июля августа сентября октября ноября декабря", range(1, 13)),
        ("январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь", range(1, 13)),
        ("yanvar fevral mart aprel may iyun iyul avgust sentabr oktabr noyabr dekabr", range(1, 13)),
        ("январ феврал март апрел май июн июл август сентябр октябр ноябр декабр", range(1, 13)),
        ("I II III IV V VI VII VIII IX X XI XII", range(1, 13)),
    ],
)
def test_every_month_has_its_names(written: str, months: range) -> None:
    for name, month in zip(written.split(), months, strict=True):
        for date_as_typed in (f"5 {name} 1990", f"5-{name.upper()}-90", f"1990-yil 5-{name}"):
            assert standard_date(date_as_typed, DAY_FIRST) == f"1990{month:02}05"


@pytest.mark.parametrize("written", ["03/07/1980", "3-7-80", "03071980"])
def test_the_month_stands_first_where_the_column_says_so(written: str) -> None:
    assert standard_date(written, MONTH_FIRST) == "19800307"


def test_a_day_above_twelve_tells_the_order_whatever_the_column_says() -> None:
    assert standard_date("12.25.1980", DAY_FIRST) == "19801225"
    assert standard_date("25.12.1980", MONTH_FIRST) == "19801225"


@pytest.mark.parametrize(
    ("column", "day_first"),
    [
        (["01/02/1980", "03/04/1981"], True),
        (["01/02/1980", "13/04/1981"], True),
        (["01/02/1980", "04/13/1981"], False),
        (["13/02/1980", "04/13/1981"], True),
        (["1980-01-31", "02/20/1980"], False),
        ([], True),
        (["", "no date", "1.2"], True),
    ],
)
def test_the_order_of_a_column_comes_from_its_unmistakable_values(column: list[str], day_first: bool) -> None:
    assert order_of(column).day_first is day_first


def test_a_whole_column_is_read_in_its_own_order() -> None:
    assert standard_dates(["02/01/1980", "12/25/1981"]) == ["19800201", "19811225"]
    assert standard_dates(["02/01/1980", "25/12/1981"]) == ["19800102", "19811225"]


@pytest.mark.parametrize(
    ("written", "year"), [("31", "1931"), ("99", "1999"), ("00", "2000"), ("30", "2030")]
)
def test_two_digit_years_lie_between_1931_and_2030(written: str, year: str) -> None:
    assert standard_date(f"01.02.{written}", DAY_FIRST) == f"{year}0201"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "-",
        "unknown",
        "1980",
        "12.1980",
        "1.2.3",
        "Mar 1980",
        "²",
        "² 1 2000",
        "1.222.1980",
        "a b c",
        "33001",
        "33001.5",
        "19801399999999",
    ],
)
def test_what_is_no_date_gives_nothing(written: str) -> None:
    assert standard_date(written, DAY_FIRST) == ""


def test_a_typing_error_is_kept_as_evidence() -> None:
    assert standard_date("31.02.1980", DAY_FIRST) == "19800231"
    assert standard_date("1980-13-45", DAY_FIRST) == "19801345"


@pytest.mark.parametrize("written", ["01.01.1900", "1900-01-01", "31.12.9999", "0001-01-01", "11111111"])
def test_placeholders_are_no_dates(written: str) -> None:
    assert standard_dates([written]) == [""]


def test_very_long_digits_are_no_date() -> None:
    long = "1" * 5_000
    assert standard_dates([long, f"1.{long}.2000", f"{long}.1.2000", f"1 Mar {long}"]) == [""] * 4


@given(REAL, st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%d %B %Y", "%d-%b-%Y", "%Y/%m/%d"]))
def test_every_real_date_is_read_back(day: date, form: str) -> None:
    standard = day.strftime("%Y%m%d")
    assert standard_date(day.strftime(form), DAY_FIRST) == standard
    assert standard_dates([day.strftime(form)]) == ["" if standard in PLACEHOLDERS else standard]


@given(st.lists(st.one_of(st.text(), st.from_regex(r"\A[\d²³Ⅳ]{1,6}[-./ ][\w]{1,6}[-./ ]\d{1,6}\Z"))))
def test_any_text_gives_eight_ascii_digits_or_nothing(values: list[str]) -> None:
    for form in standard_dates(values):
        assert form == "" or (len(form) == 8 and form.isascii() and form.isdigit())
