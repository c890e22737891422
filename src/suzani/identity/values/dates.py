"""Dates as people type them, brought to eight digits YYYYMMDD."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# The first letters of the months in English, Russian and Uzbek (both scripts), and Roman numerals.
_MONTHS = {
    name: at
    for at, names in enumerate(
        (
            "jan yan янв i",
            "feb fev фев ii",
            "mar мар iii",
            "apr апр iv",
            "may май мая v",
            "jun iyun ijun июн vi",
            "jul iyul ijul июл vii",
            "aug avg авг viii",
            "sep sen сен ix",
            "oct okt окт x",
            "nov noy ноя xi",
            "dec dek дек xii",
        ),
        1,
    )
    for name in names.split()
}
_NO_PART = frozenset(
    "st nd rd th of the y yr year г гг год года й е го ого yil yili yilda kuni йил йили йилда куни 년 월 일"
    " 년생 일생 mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday".split()
)
"""Words in a date that are neither day, month nor year."""
_PART = re.compile(r"[0-9]+|[^\W0-9_]+")
_PIVOT = 30
PLACEHOLDERS = frozenset({"19000101", "18000101", "00010101", "99991231", "29991231", "20991231", "11111111"})


@dataclass(frozen=True, slots=True)
class DateOrder:
    """Whether the day stands before the month where only numbers tell."""

    day_first: bool


def _in_ascii_digits(text: str) -> str:
    """Decimal digits of any script as 0 to 9, so that a date is eight bytes."""
    return text if text.isascii() else re.sub(r"\d", lambda digit: str(int(digit[0])), text)


def _is_number(part: str) -> bool:
    return part.isascii() and part.isdigit()


def _is_short_number(part: str) -> bool:
    return len(part) <= 2 and _is_number(part)


def _month(word: str) -> int | None:
    word = word.lower()
    return _MONTHS.get(word) or _MONTHS.get(word[:3]) or _MONTHS.get(word[:4])


def order_of(values: Sequence[str]) -> DateOrder:
    """Which order a column uses, from the values that leave no doubt; month first needs a majority."""
    day_first = month_first = 0
    for value in values:
        parts = _PART.findall(_in_ascii_digits(value))
        if len(parts) >= 3 and all(map(_is_short_number, parts[:2])):
            day_first += int(parts[0]) > 12
            month_first += int(parts[1]) > 12
    return DateOrder(day_first >= month_first)


def standard_date(text: str, order: DateOrder) -> str:
    """YYYYMMDD for a date as typed; "" when it is none.

    Months may be named in English, Russian or Uzbek or be Roman numerals; Korean 년 월 일, a time of day and
    words such as "г." or "yil" do no harm. A month or day out of range is kept as it stands: a typing error
    is still evidence. Two-digit years lie between 1931 and 2030.
    """
    parts = _PART.findall(_in_ascii_digits(text))
    numbers = all(map(_is_number, parts))
    if not numbers:
        parts = [part for part in parts if part.lower() not in _NO_PART]
    if parts and len(parts[0]) in (8, 14) and _is_number(parts[0]):
        return _compact(parts[0], order)
    if len(parts) < 3:
        return ""
    if not numbers:
        names = [_month(part) for part in parts[:3]]
        if any(names):
            return _with_month_name(parts, names)
        if not all(map(_is_number, parts[:3])):
            return ""
    first, second, third = parts[:3]
    if len(first) == 4:
        return _join(first, second, third)
    if not (_is_short_number(first) and _is_short_number(second)):
        return ""
    if int(first) > 31 and len(third) == 2:
        return _join(first, second, third)
    day, month = (first, second) if order.day_first else (second, first)
    if int(month) > 12 >= int(day):
        day, month = month, day
    return _join(third, month, day)


def _compact(digits: str, order: DateOrder) -> str:
    if len(digits) == 14 and not (1800 <= int(digits[:4]) <= 2100 and int(digits[8:10]) < 24):
        return ""
    digits = digits[:8]
    if 1800 <= int(digits[:4]) <= 2100:
        return digits
    day, month = (digits[:2], digits[2:4]) if order.day_first else (digits[2:4], digits[:2])
    return digits[4:] + month + day if 1800 <= int(digits[4:]) <= 2100 else digits


def _with_month_name(parts: list[str], names: list[int | None]) -> str:
    where = next(index for index, month in enumerate(names) if month)
    rest = [part for index, part in enumerate(parts[:3]) if index != where]
    if len(rest) != 2 or not all(map(_is_number, rest)):
        return ""
    year, day = rest if len(rest[0]) == 4 else reversed(rest)
    return _join(year, str(names[where]), day)


def _join(year: str, month: str, day: str) -> str:
    if len(year) == 2:
        year = ("20" if int(year) <= _PIVOT else "19") + year
    if len(year) != 4 or len(month) > 2 or len(day) > 2:
        return ""
    return f"{year}{month:0>2}{day:0>2}"


def standard_dates(values: Sequence[str], order: DateOrder | None = None) -> list[str]:
    """YYYYMMDD for each value, "" for no date or a placeholder; an order not given is learned from them."""
    order = order or order_of(values)
    dates = (standard_date(value, order) for value in values)
    return ["" if date in PLACEHOLDERS else date for date in dates]
