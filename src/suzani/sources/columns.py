"""What a column holds, inferred from its name and its content.

`suzani link` and `suzani source infer` ask this of files they have never seen. A known header is believed
unless the content contradicts it; an unknown one is judged by content alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani.kernel import Kind
from suzani.sources.conversion import SEXES
from suzani.sources.headers import kind_of_header

SAMPLE_ROWS = 20_000
_EMPTY = pa.array(["", "na", "n/a", "nan", "null", "none", "-", "нет", "unknown", "not available"])
_EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$|<[^@\s]+@[^@\s]+>"
_DATE = (
    r"^\d{4}[-./]\d{1,2}[-./]\d{1,2}([T ].*)?$|^\d{1,2}[-./]\d{1,2}[-./](\d{4}|\d{2})( .*)?$"
    r"|^(19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])$|^\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{2,4}$"
)
_PHONE = r"^\+?[\d\s().-]{9,20}$"
_NUMBER = r"^[-+]?[\d\s.,]+$"
_NAME = r"^\p{L}[\p{L}\s.'`’‘ʻʼ-]*$"
_LISTED_NAME = r"^\p{L}[\p{L}\s.,()'`’‘ʻʼ-]*$"
_PATRONYMIC = r"(?i)(ovich|evich|ovna|evna|ович|евич|овна|евна|o.?g.?li|угли|ўғли|qizi|кизи|қизи)$"
_FAMILY = r"(?i)(ov|ova|ev|eva|skiy|skaya|enko|ов|ова|ев|ева|ский|ская|енко)$"
_SEXES = frozenset(SEXES) | frozenset("0 1 2 u unknown".split())
_STATES = frozenset(
    "active inactive open closed blocked frozen new pending a c o b n активен закрыт открыт".split()
)


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """What a column was taken for, and why, in words for the person who will check it."""

    kind: Kind
    why: str


@dataclass(frozen=True, slots=True)
class _Content:
    """Shares (0 to 1) of a column's filled values that look like something."""

    filled: int
    distinct: int
    email: float
    date: float
    phone: float
    number: float
    name: float
    listed_name: float
    patronymic: float
    family: float
    two_words: float
    many_words: float
    sexes: bool
    states: bool
    digits: float


def sampled(rows: int, most: int = SAMPLE_ROWS) -> npt.NDArray[np.int64]:
    """The rows to look at of so many: evenly spread, as a file often has the records of one system after
    another, and a system that comes last may be the only one to fill a column."""
    return np.arange(rows) if rows <= most else np.linspace(0, rows - 1, most).astype(np.int64)


def infer_kinds(table: pa.Table) -> dict[str, ColumnGuess]:
    """What each column of a table of strings holds; columns with no use as evidence are `Kind.IGNORE`.

    Looks at 20,000 rows from all over the table. Never raises for odd content.
    """
    sample = table.take(sampled(table.num_rows))
    return {name: _guess(name, _look(sample.column(name))) for name in table.column_names}


def _share(values: pa.Array, pattern: str) -> float:
    if not len(values):
        return 0.0
    return float(pc.mean(pc.cast(pc.match_substring_regex(values, pattern), pa.float64())).as_py())


def _look(column: pa.ChunkedArray) -> _Content:
    text = pc.utf8_trim_whitespace(pc.cast(column, pa.string()).combine_chunks())
    empty = pc.is_in(pc.utf8_lower(text), value_set=_EMPTY)
    values = text.filter(pc.and_kleene(pc.invert(empty), pc.is_valid(text)))
    distinct = values.unique()
    lengths = pc.utf8_length(pc.replace_substring_regex(values, r"\D", ""))
    return _Content(
        filled=len(values),
        distinct=len(distinct),
        email=_share(values, _EMAIL),
        date=_share(values, _DATE),
        phone=_share(values, _PHONE),
        number=_share(values, _NUMBER),
        name=_share(values, _NAME),
        listed_name=_share(values, _LISTED_NAME),
        patronymic=_share(values, _PATRONYMIC),
        family=_share(values, _FAMILY),
        two_words=_share(values, r"\S\s+\S"),
        many_words=_share(values, r"(\S+\s+){4}\S"),
        sexes=_are_all(distinct, _SEXES),
        states=_are_all(distinct, _STATES),
        digits=float(np.median(lengths.to_numpy(zero_copy_only=False))) if len(values) else 0.0,
    )


def _are_all(distinct: pa.Array, words: frozenset[str]) -> bool:
    return 0 < len(distinct) <= 12 and all(
        str(value).lower().rstrip(".") in words for value in distinct.to_pylist()
    )


def _guess(name: str, content: _Content) -> ColumnGuess:
    if not content.filled:
        return ColumnGuess(Kind.IGNORE, "no values")
    if content.email >= 0.5:
        return ColumnGuess(Kind.EMAIL, f"{content.email:.0%} of the values are e-mail addresses")
    kind = kind_of_header(name)
    if kind is not None:
        objection = _objection(kind, content)
        if not objection:
            return ColumnGuess(kind, f"the name {name!r}")
        guess = _by_content(content)
        return ColumnGuess(guess.kind, f"{guess.why} (the name says {kind.value}, but {objection})")
    return _by_content(content)


def _objection(kind: Kind, content: _Content) -> str:
    """Why the content cannot be what the header says; "" when it can."""
    if kind is Kind.BIRTH_DATE and content.date < 0.3 and content.number > 0.9 and content.digits <= 4:
        return "the values are short numbers"
    if kind in (Kind.GIVEN_NAME, Kind.FAMILY_NAME, Kind.FULL_NAME, Kind.PATRONYMIC) and content.number > 0.9:
        return "the values are numbers"
    if kind is Kind.FULL_NAME and (content.listed_name < 0.7 or content.many_words >= 0.3):
        return "many values are no names of people"
    if kind is Kind.EMAIL:
        return "few values have an @" if content.email < 0.1 else ""
    if kind is Kind.REGION and content.states:
        return "the values are states of an account"
    if kind is Kind.SEX and content.distinct > 12:
        return "it has many different values"
    return ""


def _by_content(content: _Content) -> ColumnGuess:
    if content.date >= 0.8:
        return ColumnGuess(Kind.IGNORE, "dates of an unknown kind")
    if content.sexes and content.distinct >= 2 and content.number < 0.5:
        return ColumnGuess(Kind.SEX, "only words for the sexes")
    if content.number >= 0.8:
        return _by_number(content)
    if content.patronymic >= 0.5 and content.two_words < 0.5:
        return ColumnGuess(Kind.PATRONYMIC, "most values end like patronymics")
    few_words = content.many_words < 0.3
    if (
        content.name >= 0.9
        and content.two_words >= 0.7
        and few_words
        and content.distinct >= 0.3 * content.filled
    ):
        return ColumnGuess(Kind.FULL_NAME, "most values are several words of letters, seldom repeated")
    if content.name >= 0.9 and content.family >= 0.4:
        return ColumnGuess(Kind.FAMILY_NAME, "many values end like family names")
    if content.distinct < 2 or content.distinct <= min(12, content.filled / 20):
        return ColumnGuess(Kind.IGNORE, f"only {content.distinct} different values")
    if content.distinct >= 0.98 * content.filled and content.filled >= 20 and content.name < 0.5:
        return ColumnGuess(Kind.IGNORE, "all values differ, like a key")
    return ColumnGuess(Kind.TEXT, "text of an unknown kind")


def _by_number(content: _Content) -> ColumnGuess:
    if content.phone >= 0.8 and 9 <= content.digits <= 12 and content.distinct >= 0.3 * content.filled:
        return ColumnGuess(Kind.PHONE, "numbers of 9 to 12 digits that mostly differ")
    if 13 <= content.digits <= 15 and content.distinct >= 0.3 * content.filled:
        return ColumnGuess(Kind.NATIONAL_ID, "numbers of 13 to 15 digits that mostly differ")
    return ColumnGuess(Kind.IGNORE, "numbers of an unknown kind")
