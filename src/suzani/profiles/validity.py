"""Whether a value passes its check, and whether it only fills a gap; both for many values at once.

Every function takes an Arrow array of distinct values (text; dates for birth dates) and gives a NumPy array
of booleans of the same length. Pure; a null is neither valid nor a placeholder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity.values.documents import IDENTIFIERS
from suzani.kernel import ATTRIBUTES, Kind

Flags = npt.NDArray[np.bool_]

EARLIEST_BIRTH = date(1905, 1, 1)
PLACEHOLDER_DATES = (
    date(1900, 1, 1),
    date(1901, 1, 1),
    date(1899, 12, 30),
    date(1970, 1, 1),
    date(1111, 11, 11),
)
PLACEHOLDER_WORDS = (
    r"(?i)^[^\p{L}\p{N}]*(нет|нету|нет данных|не указано?|не задано|неизвестно?|без имени|тест|йўқ|йук|"
    r"yo.?q|mavjud emas|noma.?lum|none|null|nil|nan|n/?a|not available|unknown|no ?name|test|xx+|"
    r"없음|미상|불명|해당 ?없음)?[^\p{L}\p{N}]*$"
)
FILLER_DIGITS = (
    r"^(0{5,}|1{6,}|9{6,}|(?:998|7|82)?(?:0{7,}|1{7,}|9{7,}|1234567|123456789|1234567890)|12345678901234)$"
)
EMAIL = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$"
EMAIL_PLACEHOLDER = r"(?i)^(no|none|net|test|noemail|no-?mail|nomail|mail|email|a|x+)@"


def digits_of(values: pa.Array) -> pa.Array:
    """Only the ASCII digits of each text."""
    return pc.replace_substring_regex(values, r"[^0-9]+", "")


def placeholders(values: Mapping[str, pa.Array]) -> dict[str, Flags]:
    """Which values only fill a gap (01.01.1900, "нет", 998000000000), by attribute; these never survive."""
    texts = {name: own for name, own in values.items() if not pa.types.is_date(own.type)}
    # All texts at once: to build the pattern takes longer than to look through the values of some persons.
    words = _flags(pc.match_substring_regex(pa.chunked_array(texts.values(), pa.string()), PLACEHOLDER_WORDS))
    starts = np.cumsum([0, *(len(own) for own in texts.values())]).tolist()
    found = {
        name: words[start : start + len(texts[name])] for name, start in zip(texts, starts, strict=False)
    }
    return {name: _fillers(ATTRIBUTES[name].kind, own, found.get(name)) for name, own in values.items()}


def _fillers(kind: Kind, values: pa.Array, words: Flags | None) -> Flags:
    """The same for one attribute; `words`: texts that are words for nothing, None for dates."""
    if words is None:
        return _flags(pc.is_in(values, value_set=pa.array(PLACEHOLDER_DATES, values.type)))
    if kind in (Kind.PHONE, Kind.NATIONAL_ID, Kind.DOCUMENT):
        return words | _flags(pc.match_substring_regex(digits_of(values), FILLER_DIGITS))
    if kind is Kind.EMAIL:
        return words | _flags(pc.match_substring_regex(values, EMAIL_PLACEHOLDER))
    return words


def valid(attribute: str, values: pa.Array, today: date) -> Flags:
    """Which values pass the check of their attribute; where it has none, every value passes."""
    check = CHECKS.get(ATTRIBUTES[attribute].kind)
    return check(values, today) if check else np.ones(len(values), bool)


def _flags(values: pa.Array | pa.ChunkedArray) -> Flags:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), bool)


def _birth_date(values: pa.Array, today: date) -> Flags:
    earliest, latest = (pa.scalar(day, values.type) for day in (EARLIEST_BIRTH, today))
    return _flags(pc.and_(pc.greater_equal(values, earliest), pc.less_equal(values, latest)))


def _email(values: pa.Array, today: date) -> Flags:
    return _flags(pc.match_substring_regex(pc.utf8_trim_whitespace(values), EMAIL))


def _phone(values: pa.Array, today: date) -> Flags:
    digits = digits_of(values)
    return _flags(
        pc.match_substring_regex(
            digits,
            r"^(?:998[2-9][0-9]{8}|[2-9][0-9]{8}|[78][3-9][0-9]{9}|82[0-9]{8,10}|"
            r"01[0-9]{8,9}|[1-9][0-9]{10,14})$",
        )
    )


def _document(values: pa.Array, today: date) -> Flags:
    """Uzbek and Korean passports (letters, then digits) and Russian ones (ten digits)."""
    compact = pc.utf8_upper(pc.replace_substring_regex(values, r"[\s№#.-]+", ""))
    return _flags(
        pc.match_substring_regex(
            compact, r"^(?:\p{L}{2}[0-9]{7}|\p{L}[0-9]{8}|[A-Z][0-9]{3}[A-Z][0-9]{4}|[0-9]{10})$"
        )
    )


def _national_id(values: pa.Array, today: date) -> Flags:
    """Numbers of a known scheme by its check digit; Uzbek STIR (nine digits) has none and goes by form."""
    digits = digits_of(values)
    found = _flags(pc.match_substring_regex(digits, r"^[2-9][0-9]{8}$"))
    numbers = [number or "" for number in digits.to_pylist()]
    for scheme in IDENTIFIERS.values():
        found = found | scheme.valid(numbers)
    return found


CHECKS: Mapping[Kind, Callable[[Any, date], Flags]] = {
    Kind.BIRTH_DATE: _birth_date,
    Kind.NATIONAL_ID: _national_id,
    Kind.DOCUMENT: _document,
    Kind.PHONE: _phone,
    Kind.EMAIL: _email,
}
"""The check of each kind of attribute that has one."""
