"""From columns of text to typed columns, with an account of every value that cannot be taken.

Pure. Each distinct value is converted once, however many rows hold it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani.sources import dates
from suzani.sources.mapping import Field
from suzani.sources.types import Reason

MONEY = pa.decimal128(20, 2)
MOMENT = pa.timestamp("us", tz="UTC")
SHOWN_CHARS = 60

SEXES: dict[str, str] = dict.fromkeys(
    ("m", "male", "man", "м", "муж", "мужской", "мужчина", "erkak", "э", "эркак", "남", "남성", "남자"),
    "male",
) | dict.fromkeys(
    ("f", "female", "woman", "ж", "жен", "женский", "женщина", "ayol", "аёл", "여", "여성", "여자"), "female"
)
CONSENTS: dict[str, str] = dict.fromkeys(
    ("granted", "y", "yes", "true", "1", "да", "д", "ha", "ҳа", "예", "동의"), "granted"
) | dict.fromkeys(
    ("denied", "n", "no", "false", "0", "нет", "н", "yo'q", "yo‘q", "йўқ", "아니오", "거부"), "denied"
)


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why one value cannot be taken."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Column:
    """A converted column: `values` in the target type, and for each bad row (by position) why."""

    values: pa.Array
    wrong: dict[int, Wrong]


Convert = Callable[[str], Any]
"""One trimmed, non-empty text to a value; a `Wrong` when it is none."""

ConvertMany = Callable[[pa.Array], pa.Array]
"""Many texts to values, null where it takes `Convert` to tell."""


def clean(column: pa.Array, nulls: tuple[str, ...] = ()) -> pa.Array:
    """The column with padding stripped; empty texts, and those of `nulls`, become null."""
    trimmed = pc.utf8_trim_whitespace(column)
    empty = pc.is_in(trimmed, value_set=pa.array(["", *nulls], pa.string()))
    return pc.if_else(empty, pa.scalar(None, pa.string()), trimmed) if pc.any(empty).as_py() else trimmed


def convert(column: pa.Array, target: pa.DataType, one: Convert, many: ConvertMany | None = None) -> Column:
    """Every value through `one`, once per distinct value; nulls stay null, as do values that are wrong.

    `many`, where there is one, takes the distinct values at once and leaves null those it is not sure of.
    """
    coded = pc.dictionary_encode(column)
    found = many(coded.dictionary) if many else pa.nulls(len(coded.dictionary), target)
    wrong: dict[int, Wrong] = {}
    if found.null_count:
        left = pc.is_null(found)
        results = [one(text) for text in coded.dictionary.filter(left).to_pylist()]
        if any(isinstance(result, Wrong) for result in results):
            places = np.flatnonzero(left.to_numpy(zero_copy_only=False)).tolist()
            wrong = {
                i: result for i, result in zip(places, results, strict=True) if isinstance(result, Wrong)
            }
            results = [None if isinstance(result, Wrong) else result for result in results]
        found = pc.replace_with_mask(found, left, pa.array(results, target))
    return Column(found.take(coded.indices), _rows_with(coded.indices, wrong) if wrong else {})


def _rows_with(indices: pa.Array, wrong: dict[int, Wrong]) -> dict[int, Wrong]:
    codes: npt.NDArray[np.int64] = pc.fill_null(indices, -1).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(np.isin(codes, list(wrong)))
    return {int(row): wrong[int(codes[row])] for row in rows}


def texts(column: pa.Array, field: Field) -> Column:
    """Text as the system wrote it, through the field's values map if it has one."""
    return convert(column, pa.string(), by_values(field, None)) if field.values else Column(column, {})


def sexes(column: pa.Array, field: Field) -> Column:
    """`male` or `female`."""
    return convert(column, pa.string(), by_values(field, SEXES))


def consents(column: pa.Array, field: Field) -> Column:
    """`granted` or `denied`."""
    return convert(column, pa.string(), by_values(field, CONSENTS))


def by_values(field: Field, known: dict[str, str] | None) -> Convert:
    """A conversion by the field's own values map, else by the `known` words; letter case does not matter.

    With `known`, what comes out must be one of its meanings, whoever named it.
    """
    table: dict[str, str | None] = dict(field.values or known or {})
    folded = {text.casefold(): meaning for text, meaning in reversed(table.items())}
    allowed = tuple(dict.fromkeys(known.values())) if known else None

    def one(text: str) -> str | Wrong | None:
        found = table[text] if text in table else folded.get(text.casefold(), ...)
        if found is ...:
            if field.lenient:
                return None
            return Wrong(Reason.WRONG_VALUE, f"{shown(text)} is none of {', '.join(list(table)[:12])}")
        assert found is None or isinstance(found, str)  # noqa: S101 - narrows the sentinel away
        if allowed is not None and found is not None and found not in allowed:
            return Wrong(
                Reason.WRONG_VALUE, f"{shown(text)} is mapped to {found!r}, not to {' or '.join(allowed)}"
            )
        return found

    return one


def days(column: pa.Array, field: Field) -> Column:
    """Calendar dates, by the field's formats and ISO 8601; a time of day is cut off."""
    return convert(
        column,
        pa.date32(),
        one_day(field),
        lambda texts: dates.many(texts, field.formats).cast(pa.date32(), safe=False),
    )


def one_day(field: Field) -> Convert:
    """A conversion of one text to a calendar date."""
    parse = dates.parser(field.formats)

    def one(text: str) -> object:
        moment = parse(text)
        return _no_date(text, field) if moment is None else dates.as_date(moment)

    return one


def moments(column: pa.Array, field: Field) -> Column:
    """Moments in UTC, by the field's formats and ISO 8601; those without an offset are of its time zone."""
    return convert(
        column,
        MOMENT,
        one_moment(field),
        lambda texts: dates.many_in_utc(texts, field.formats, field.timezone),
    )


def one_moment(field: Field) -> Convert:
    """A conversion of one text to a moment in UTC."""
    parse, zone = dates.parser(field.formats), ZoneInfo(field.timezone)

    def one(text: str) -> object:
        moment = parse(text)
        moment = dates.in_utc(moment, zone) if isinstance(moment, datetime) else None
        return _no_date(text, field) if moment is None else moment

    return one


def _no_date(text: str, field: Field) -> Wrong:
    return Wrong(
        Reason.WRONG_TYPE, f"{shown(text)} is no date of {' or '.join((*field.formats, 'ISO 8601'))}"
    )


def money(column: pa.Array, field: Field) -> Column:
    """Amounts with two decimals, by the field's decimal and thousands marks; more are rounded half to even.

    A plain number (`1234.5`, as typed sources give it) is understood whatever the marks, unless it could as
    well be a number with thousands marks.
    """
    return convert(
        column, MONEY, _amount(field.decimal, field.thousands), _amounts(field.decimal, field.thousands)
    )


_PLAIN = re.compile(r"[+-]?\d{1,18}(?:\.\d+)?", re.ASCII)
_EXPONENT = re.compile(r"[+-]?\d(?:\.\d+)?[eE][+-]?\d{1,2}", re.ASCII)
_CENT = Decimal("0.01")
_ROUND = Context(prec=60, rounding=ROUND_HALF_EVEN)


def _amount(decimal: str, thousands: str) -> Convert:
    spaces = " \u00a0\u202f\u2009" if thousands in (" ", "\u00a0", "\u202f") else thousands
    group = f"[{re.escape(spaces)}]" if thousands else "(?!)"
    grouped = re.compile(
        rf"[+-]?(?:\d{{1,18}}|\d{{1,3}}(?:{group}\d{{3}})+)(?:{re.escape(decimal)}\d+)?", re.ASCII
    )
    drop = str.maketrans(dict.fromkeys(spaces, "") | ({decimal: "."} if decimal != "." else {}))

    def one(text: str) -> Decimal | Wrong:
        signed = f"-{text[:-1]}" if text[-1] == "-" else text
        if grouped.fullmatch(signed):
            plain = signed.translate(drop)
        elif _PLAIN.fullmatch(signed) or _EXPONENT.fullmatch(signed):
            plain = signed
        else:
            marks = f"decimal mark {decimal!r}" + (f", thousands mark {thousands!r}" if thousands else "")
            return Wrong(Reason.WRONG_TYPE, f"{shown(text)} is no amount with {marks}")
        value = Decimal(plain).quantize(_CENT, context=_ROUND)
        if abs(value) >= Decimal(10) ** 18:
            return Wrong(Reason.WRONG_TYPE, f"{shown(text)} has more than 18 digits before the decimals")
        return value

    return one


def _amounts(decimal: str, thousands: str) -> ConvertMany:
    """The plain case at once: up to 15 digits, thousands marks in their places, at most two decimals."""
    group = r"[ \x{a0}\x{202f}]" if thousands in (" ", "\u00a0", "\u202f") else re.escape(thousands)
    whole = rf"(\d{{1,15}}|\d{{1,3}}({group}\d{{3}}){{1,4}})" if thousands else r"\d{1,15}"
    pattern = rf"^-?{whole}({re.escape(decimal)}\d{{1,2}})?$"

    def many(texts: pa.Array) -> pa.Array:
        plain = pc.if_else(pc.match_substring_regex(texts, pattern), texts, pa.scalar(None, pa.string()))
        if thousands:
            plain = pc.replace_substring_regex(plain, group, "")
        if decimal != ".":
            plain = pc.replace_substring(plain, decimal, ".")
        return plain.cast(MONEY)

    return many


def shown(text: str) -> str:
    """A value as messages show it: quoted, cut to a readable length."""
    return repr(text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…")


CONVERSIONS: dict[str, Callable[[pa.Array, Field], Column]] = {
    "sex": sexes,
    "birth_date": days,
    "marketing_consent": consents,
    "consent_at": moments,
    "as_of": moments,
    "opened_on": days,
    "closed_on": days,
    "balance": money,
}
"""How each target is read; every other target is text."""
