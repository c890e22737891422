from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from suzani.kernel import InvalidInput
from suzani.traits.calendar import FIXED, LOCAL, calendar, date_of, days_clock, microseconds, moment

ZONES = ("Asia/Tashkent", "Europe/Berlin", "Asia/Seoul", "Asia/Beirut", "America/Sao_Paulo", "Pacific/Apia")
CALENDARS = {name: calendar(name) for name in ZONES}
moments = st.datetimes(datetime(1971, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(ZONES)


@given(zones, moments)
def test_days_are_those_of_the_zone(zone: str, at: datetime) -> None:
    expected = at.astimezone(ZoneInfo(zone)).date()
    assert CALENDARS[zone].today(microseconds(at)) == expected


@given(zones, moments, st.sampled_from([*LOCAL, *FIXED, "3 days"]))
@example("Asia/Beirut", datetime(2022, 3, 26, 22, 30, tzinfo=UTC), "day")
@example("America/Sao_Paulo", datetime(2018, 2, 18, 2, 30, tzinfo=UTC), "day")
@example("America/Sao_Paulo", datetime(2018, 11, 4, 3, 30, tzinfo=UTC), "day")
@example("Pacific/Apia", datetime(2011, 12, 30, 9, 0, tzinfo=UTC), "day")
def test_a_piece_holds_the_times_between_its_start_and_the_next(zone: str, at: datetime, clock: str) -> None:
    found = CALENDARS[zone]
    number_of = found.clock(clock)
    number = number_of(microseconds(at))
    start, end = found.start(clock, number), found.start(clock, number + 1)
    assert start <= microseconds(at) < end
    assert (number_of(start), number_of(end - 1)) == (number, number)
    assert number_of(start - 1) < number < number_of(end)


def test_weeks_begin_on_monday_and_quarters_in_january() -> None:
    found = calendar("UTC")
    week = found.clock("week")(microseconds(datetime(2026, 11, 22, tzinfo=UTC)))
    assert moment(found.start("week", week)) == datetime(2026, 11, 16, tzinfo=UTC)
    quarter = found.clock("quarter")(microseconds(datetime(2026, 11, 22, tzinfo=UTC)))
    assert moment(found.start("quarter", quarter)) == datetime(2026, 10, 1, tzinfo=UTC)


def test_days_beyond_all_dates_are_the_nearest_that_there_is() -> None:
    assert (date_of(10**9).year, date_of(-(10**9)).year) == (9999, 1)


def test_a_time_survives_being_a_datetime() -> None:
    at = microseconds(datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC))
    assert microseconds(moment(at)) == at
    assert moment(at) - moment(at - 1) == timedelta(microseconds=1)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Asia/Taschkent"):
        calendar("Asia/Taschkent")


def test_several_days_make_a_clock() -> None:
    assert (days_clock(1), days_clock(6)) == ("day", "6 days")
