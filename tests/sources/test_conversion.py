from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suzani.sources import conversion
from suzani.sources.conversion import Column
from suzani.sources.mapping import Field
from suzani.sources.types import Reason


def one(column: Column) -> Any:
    """The single value, or the reason why it is none."""
    return column.wrong[0].reason if column.wrong else column.values[0].as_py()


@pytest.mark.parametrize(
    ("text", "formats", "expected"),
    [
        ("05.06.1980", ("%d.%m.%Y",), date(1980, 6, 5)),
        ("5.6.1980", ("%d.%m.%Y",), date(1980, 6, 5)),
        ("1980-06-05", ("%d.%m.%Y",), date(1980, 6, 5)),
        ("1980-06-05T23:59:59+05:00", (), date(1980, 6, 5)),
        ("1980-06-05 10:00", (), date(1980, 6, 5)),
        ("06/05/1980", ("%d.%m.%Y", "%m/%d/%Y"), date(1980, 6, 5)),
        ("05.06.80", ("%d.%m.%y",), date(1980, 6, 5)),
        ("05.06.1980 11:12:13", ("%d.%m.%Y %H:%M:%S",), date(1980, 6, 5)),
        ("19800605", ("%Y%m%d",), date(1980, 6, 5)),
        ("05 Jun 1980", ("%d %b %Y",), date(1980, 6, 5)),
        ("29377", ("excel",), date(1980, 6, 5)),
        ("29377.5", ("excel",), date(1980, 6, 5)),
        ("329011200", ("epoch",), date(1980, 6, 5)),
        ("29.02.2000", ("%d.%m.%Y",), date(2000, 2, 29)),
        ("29.02.2001", ("%d.%m.%Y",), Reason.WRONG_TYPE),
        ("31.06.1980", ("%d.%m.%Y",), Reason.WRONG_TYPE),
        ("05.06.1980 and more", ("%d.%m.%Y",), Reason.WRONG_TYPE),
        ("٠٥.٠٦.١٩٨٠", ("%d.%m.%Y",), Reason.WRONG_TYPE),
        ("yesterday", ("%d.%m.%Y",), Reason.WRONG_TYPE),
        ("1e999", ("excel",), Reason.WRONG_TYPE),
        ("0000-01-01", (), Reason.WRONG_TYPE),
    ],
)
def test_dates(text: str, formats: tuple[str, ...], expected: object) -> None:
    assert one(conversion.days(pa.array([text]), Field(formats=formats))) == expected


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("01.02.2024 10:00:00", "Asia/Tashkent", datetime(2024, 2, 1, 5, tzinfo=UTC)),
        ("2024-02-01T10:00:00Z", "Asia/Tashkent", datetime(2024, 2, 1, 10, tzinfo=UTC)),
        ("2024-02-01 10:00:00.123456+03", "UTC", datetime(2024, 2, 1, 7, 0, 0, 123456, tzinfo=UTC)),
        ("31.03.2024 02:30:00", "Europe/Berlin", datetime(2024, 3, 31, 1, 30, tzinfo=UTC)),
        ("27.10.2024 02:30:00", "Europe/Berlin", datetime(2024, 10, 27, 0, 30, tzinfo=UTC)),
        ("0001-01-01", "Asia/Tashkent", Reason.WRONG_TYPE),
    ],
)
def test_moments_are_in_utc(text: str, zone: str, expected: object) -> None:
    field = Field(formats=("%d.%m.%Y %H:%M:%S",), timezone=zone)
    assert one(conversion.moments(pa.array([text]), field)) == expected


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "expected"),
    [
        ("1 234,56", ",", " ", "1234.56"),
        ("1\u00a0234\u202f567,5", ",", " ", "1234567.50"),
        ("1234,56", ",", " ", "1234.56"),
        ("1,234.56", ".", ",", "1234.56"),
        ("1.234,56", ",", ".", "1234.56"),
        ("1.234", ",", ".", "1234.00"),
        ("12.5", ",", " ", "12.50"),
        ("-0.005", ".", "", "0.00"),
        ("0.015", ".", "", "0.02"),
        ("100-", ".", "", "-100.00"),
        ("+7", ".", "", "7.00"),
        ("1e3", ".", "", "1000.00"),
        ("999999999999999999.99", ".", "", "999999999999999999.99"),
        ("9999999999999999999", ".", "", Reason.WRONG_TYPE),
        ("12,34,5", ".", ",", Reason.WRONG_TYPE),
        ("12 UZS", ".", "", Reason.WRONG_TYPE),
        ("NaN", ".", "", Reason.WRONG_TYPE),
        ("Infinity", ".", "", Reason.WRONG_TYPE),
        ("-", ".", "", Reason.WRONG_TYPE),
        ("١٢", ".", "", Reason.WRONG_TYPE),
    ],
)
def test_money(text: str, decimal: str, thousands: str, expected: object) -> None:
    found = one(conversion.money(pa.array([text]), Field(decimal=decimal, thousands=thousands)))
    assert found == (Decimal(expected) if isinstance(expected, str) and expected[-1].isdigit() else expected)


def test_values_maps_and_their_unknown_values() -> None:
    field = Field(columns=("S",), values={"M": "male", "F": "female", "-": None})
    column = conversion.sexes(pa.array(["M", "f", "-", None, "X"]), field)
    assert column.values.to_pylist() == ["male", "female", None, None, None]
    assert list(column.wrong) == [4]
    assert column.wrong[4].reason is Reason.WRONG_VALUE
    lenient = Field(columns=("S",), values={"M": "male"}, lenient=True)
    assert conversion.sexes(pa.array(["X"]), lenient).wrong == {}
    wrong = Field(columns=("S",), values={"M": "man"})
    assert "not to male or female" in conversion.sexes(pa.array(["M"]), wrong).wrong[0].detail
    assert conversion.consents(pa.array(["да", "NO"]), Field()).values.to_pylist() == ["granted", "denied"]


def test_padding_and_words_for_nothing_are_null() -> None:
    column = conversion.clean(pa.array([" a ", "", " \u00a0", "NULL", None, "b c"]), ("NULL",))
    assert column.to_pylist() == ["a", None, None, None, None, "b c"]


@given(st.dates(), st.sampled_from(["%d.%m.%Y", "%Y-%m-%d", "%Y%m%d", "%m/%d/%Y", "%d %b %Y"]))
@settings(deadline=None)
def test_a_written_date_is_read_back(day: date, name: str) -> None:
    text = day.strftime(name.replace("%Y", f"{day.year:04}"))
    assert one(conversion.days(pa.array([text]), Field(formats=(name,)))) == day


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
@settings(deadline=None)
def test_a_written_moment_is_read_back(moment: datetime, minutes: int) -> None:
    sign = "+" if minutes >= 0 else "-"
    text = f"{moment.isoformat()}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    expected = moment.replace(tzinfo=UTC) - timedelta(minutes=minutes)
    assert one(conversion.moments(pa.array([text]), Field())) == expected


@given(
    st.decimals(-(10**15), 10**15, places=2), st.sampled_from([(".", ""), (".", ","), (",", "."), (",", " ")])
)
@settings(deadline=None)
def test_a_written_amount_is_read_back(amount: Decimal, marks: tuple[str, str]) -> None:
    decimal, thousands = marks
    text = f"{amount:,.2f}".translate(str.maketrans({",": thousands, ".": decimal}))
    assert one(conversion.money(pa.array([text]), Field(decimal=decimal, thousands=thousands))) == amount


@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=10))
@settings(deadline=None)
def test_any_text_is_converted_or_refused(texts: list[str | None]) -> None:
    try:
        column = conversion.clean(pa.array(texts, pa.string()))
    except UnicodeEncodeError:
        return
    for name, convert in conversion.CONVERSIONS.items():
        result = convert(column, Field(columns=("X",), formats=("%d.%m.%Y", "excel", "epoch")))
        assert len(result.values) == len(texts), name
        for i, text in enumerate(column.to_pylist()):
            assert (text is None) == (result.values[i].as_py() is None and i not in result.wrong)
