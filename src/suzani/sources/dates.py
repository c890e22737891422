"""Dates and times as systems write them: formats of `strptime` directives, Excel serials, Unix seconds."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

Parser = Callable[[str], datetime | None]
"""From a trimmed text to a moment (aware only if the text has an offset), or None if it is none."""

_PARTS = {
    "d": r"(?P<d>\d{1,2})",
    "m": r"(?P<m>\d{1,2})",
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "H": r"(?P<H>\d{1,2})",
    "M": r"(?P<M>\d{1,2})",
    "S": r"(?P<S>\d{1,2})",
    "f": r"(?P<f>\d{1,6})",
}
_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)
_NAIVE, _UTC = pa.timestamp("us"), pa.timestamp("us", tz="UTC")
_FIXED = re.compile(r"(?:%[dmYHMS]|[^%\w])+", re.ASCII)
_EXCEL_START = datetime(1899, 12, 30)  # noqa: DTZ001 - a wall-clock date, as Excel counts
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_format(name: str) -> str:
    """What is wrong with a date format, or an empty text."""
    if name in _NAMED:
        return ""
    if "%" not in name:
        return f"it has no % directive and is none of {', '.join(_NAMED)}"
    try:
        text = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC).strftime(name)
        datetime.strptime(text, name)  # noqa: DTZ007 - only tried
    except (ValueError, re.error) as error:
        return str(error)
    return "" if text != name else "it has no directive that is known"


@lru_cache(maxsize=512)
def parser(formats: tuple[str, ...]) -> Parser:
    """A parser that tries each format in turn and ISO 8601 last, which is always understood."""
    tries = (*(_parser_of(name) for name in formats), _iso)

    def parse(text: str) -> datetime | None:
        for attempt in tries:
            found = attempt(text)
            if found is not None:
                return found
        return None

    return parse


def reads(name: str, text: str) -> bool:
    """Whether one format alone reads a text."""
    return _one(name)(text) is not None


def in_utc(moment: datetime, zone: tzinfo) -> datetime | None:
    """The moment in UTC, a naive one read as wall-clock time of `zone`; None where no calendar reaches."""
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return None


def many(texts: pa.Array, formats: tuple[str, ...]) -> pa.Array:
    """Naive timestamps of texts exactly as the formats (or ISO dates) are written, null elsewhere."""
    found = pa.nulls(len(texts), _NAIVE)
    for name in (*formats, "%Y-%m-%d"):
        if not found.null_count:
            break
        if _FIXED.fullmatch(name) and "%d" in name and "%m" in name and "%Y" in name:
            parsed = pc.strptime(texts, name, "s", error_is_null=True)
            # The way back tells the 31st of June, and whatever else a lenient reading took.
            exact = pc.equal(pc.strftime(parsed, name), texts)
            found = pc.coalesce(found, pc.if_else(exact, parsed.cast(_NAIVE), pa.scalar(None, _NAIVE)))
    year = pc.year(found)
    known = pc.and_(pc.greater(year, 1), pc.less(year, 9999))
    return pc.if_else(known, found, pa.scalar(None, _NAIVE))


def many_in_utc(texts: pa.Array, formats: tuple[str, ...], zone: str) -> pa.Array:
    """As `many`, read as wall-clock times of a time zone."""
    naive = many(texts, formats)
    try:
        aware = pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="raise")
    except pa.ArrowInvalid:
        return pa.nulls(len(texts), _UTC)
    return aware.cast(_UTC)


def as_date(moment: datetime) -> date:
    """The calendar day as written, whatever the time of day and offset."""
    return moment.date()


@lru_cache(maxsize=512)
def _one(name: str) -> Parser:
    return _parser_of(name)


def _parser_of(name: str) -> Parser:
    if name in _NAMED:
        return _NAMED[name]
    pattern, rest = "", name
    while rest:
        if rest[0] == "%":
            part = _PARTS.get(rest[1:2])
            if part is None or part in pattern:
                return _strptime(name)
            pattern, rest = pattern + part, rest[2:]
        else:
            pattern, rest = pattern + re.escape(rest[0]), rest[1:]
    return _compiled(re.compile(pattern, re.ASCII))


def _compiled(pattern: re.Pattern[str]) -> Parser:
    at = pattern.groupindex

    def parse(text: str) -> datetime | None:
        match = pattern.fullmatch(text)
        if match is None:
            return None
        part = {name: int(match[name]) for name in at if name != "f"}
        year = part["Y"] if "Y" in at else _century(part.get("y", 0))
        micro = int(match["f"].ljust(6, "0")) if "f" in at else 0
        clock = (part.get("H", 0), part.get("M", 0), part.get("S", 0), micro)
        try:
            return datetime(year, part.get("m", 1), part.get("d", 1), *clock)  # noqa: DTZ001 - the caller's zone
        except ValueError:
            return None

    return parse


def _century(year: int) -> int:
    return year + (2000 if year < 69 else 1900)


def _strptime(name: str) -> Parser:
    def parse(text: str) -> datetime | None:
        try:
            return datetime.strptime(text, name)  # noqa: DTZ007 - the zone is the caller's
        except ValueError:
            return None

    return parse


def _iso(text: str) -> datetime | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    micro = int((fraction or "")[:6].ljust(6, "0"))
    try:
        zone = _offset(offset) if offset else None
        return datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro, zone
        )
    except ValueError:
        return None


def _offset(text: str) -> tzinfo:
    if text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[3:].lstrip(":") or 0)
    return timezone(timedelta(minutes=minutes if text[0] == "+" else -minutes))


def _excel(text: str) -> datetime | None:
    try:
        days = float(text)
        return _EXCEL_START + timedelta(days=days) if 1 <= days < 2_958_466 else None
    except (ValueError, OverflowError):
        return None


def _epoch(per_second: int) -> Parser:
    def parse(text: str) -> datetime | None:
        try:
            return _EPOCH + timedelta(seconds=int(text) / per_second)
        except (ValueError, OverflowError):
            return None

    return parse


_NAMED: dict[str, Parser] = {"iso": _iso, "excel": _excel, "epoch": _epoch(1), "epoch_ms": _epoch(1000)}
