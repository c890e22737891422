"""What the columns of an unknown file are to a mapping: key, attributes, consent, product, last update.

Pure. Each guess is a line of a mapping with the reason for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from suzani.kernel import Kind
from suzani.sources import dates
from suzani.sources.columns import ColumnGuess
from suzani.sources.conversion import CONSENTS, SEXES
from suzani.sources.headers import kind_of_header

SURE_SHARE = 0.9
"""Share of the values that have to fit before a column is read as dates, money or a consent."""

DATE_FORMATS = (
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%Y%m%d",
    "%Y.%m.%d",
    "%Y/%m/%d",
    "%d.%m.%y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d%H%M%S",
)
_ATTRIBUTE_OF: dict[Kind, tuple[str, ...]] = {
    Kind.GIVEN_NAME: ("given_name",),
    Kind.FAMILY_NAME: ("family_name", "maiden_name"),
    Kind.PATRONYMIC: ("patronymic",),
    Kind.FULL_NAME: ("full_name",),
    Kind.SEX: ("sex",),
    Kind.BIRTH_DATE: ("birth_date",),
    Kind.NATIONAL_ID: ("national_id", "tax_id"),
    Kind.DOCUMENT: ("document",),
    Kind.PHONE: ("phone", "phone_2"),
    Kind.EMAIL: ("email",),
    Kind.ADDRESS: ("address",),
    Kind.CITY: ("city",),
    Kind.REGION: ("region",),
    Kind.POSTCODE: ("postcode",),
    Kind.COUNTRY: ("country",),
    Kind.OCCUPATION: ("occupation",),
    Kind.ORGANISATION: ("employer",),
}
_NOBODYS = (None, Kind.IGNORE, Kind.TEXT)
"""What a header tells of a column that may be a product's."""

_KEY_NAME = re.compile(
    r"(?:^|_|\b)(?:id|no|num|number|key|code|cif|client|customer|cust"
    r"|клиент|код|номер|ид|raqam|mijoz)(?:_|\b|$)",
    re.I,
)
_NAMES: dict[str, re.Pattern[str]] = {
    "number": re.compile(
        r"account|acc(?:ount)?_?(?:no|num)|\bacc\b|iban|contract|card_?n|deal|loan[._]?(?:no|num|id)|(?:^|_)pan(?:_|$)"
        r"|счет|сч[её]т|договор|карт|hisob|계좌",
        re.I,
    ),
    "name": re.compile(r"product|продукт|mahsulot|상품", re.I),
    "currency": re.compile(r"currency|\bcur\b|ccy|валют|valyuta|통화", re.I),
    "balance": re.compile(
        r"balance|\bbal\b|amount|principal|outstanding|остат|сумм|баланс|qoldiq|summa|잔액", re.I
    ),
    "status": re.compile(r"status|state|статус|состоян|holat|상태", re.I),
    "opened_on": re.compile(r"open|start|issue|откры|выдач|ochilgan|개설", re.I),
    "closed_on": re.compile(r"clos|end_|matur|закры|оконч|yopilgan|해지", re.I),
}
_CONSENT = re.compile(r"consent|marketing|opt_?in|\bads?\b|promo|реклам|соглас|rozilik|동의", re.I)
_AS_OF = re.compile(r"updat|modif|chang|as_?of|обновл|измен|yangilangan|수정", re.I)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a mapping: the path within its section, the value in YAML, and why."""

    path: str
    value: str
    why: str


def quoted(text: str) -> str:
    """A text as a YAML scalar."""
    plain = re.fullmatch(r"[^\W\d][\w.]*", text) and text.lower() not in (
        "null",
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "y",
        "n",
    )
    return text if plain else json.dumps(text, ensure_ascii=False)


def key_columns(table: pa.Table) -> tuple[list[str], str]:
    """The column that tells rows apart: unique and never empty, best one that is named like a key."""
    rows = table.num_rows
    unique = [
        name
        for name in table.column_names
        if not table.column(name).null_count and pc.count_distinct(table.column(name)).as_py() == rows
    ]
    personal = set(_ATTRIBUTE_OF)
    best = sorted(
        unique,
        key=lambda name: (
            not _KEY_NAME.search(name),
            kind_of_header(name) in personal,
            table.column_names.index(name),
        ),
    )
    if best:
        return [best[0]], f"unique and never empty in {rows:,} rows"
    named = [name for name in table.column_names if _KEY_NAME.search(name)] or table.column_names
    most = max(named, key=lambda name: pc.count_distinct(table.column(name)).as_py())
    distinct = pc.count_distinct(table.column(most)).as_py()
    if distinct >= rows * SURE_SHARE:
        return [most], f"named like a key; {distinct:,} values in {rows:,} rows, the rest would be refused"
    return [
        most
    ], f"no column is unique; this comes nearest ({distinct:,} values in {rows:,} rows). Correct it"


def attribute_lines(
    table: pa.Table, guesses: dict[str, ColumnGuess], names: Iterable[str]
) -> tuple[list[Line], set[str]]:
    """The person attributes with a column each, and the columns that are used up."""
    lines: list[Line] = []
    taken: set[str] = set()
    filled: set[str] = set()
    streets = [name for name in names if name in guesses and guesses[name].kind in (Kind.STREET, Kind.HOUSE)]
    for name in names:
        guess = guesses.get(name)
        free = [a for a in _ATTRIBUTE_OF.get(guess.kind, ()) if a not in filled] if guess else []
        if guess is None or not free:
            continue
        value = _value_of(free[0], name, table.column(name))
        if value is None:
            continue
        filled.add(free[0])
        taken.add(name)
        lines.append(Line(free[0], value, guess.why))
    if streets and "address" not in filled:
        columns = ", ".join(map(quoted, sorted(streets, key=lambda name: guesses[name].kind is Kind.HOUSE)))
        lines.append(Line("address", f"{{columns: [{columns}]}}", guesses[streets[0]].why))
        taken |= set(streets)
    return lines, taken


def _value_of(attribute: str, name: str, column: pa.ChunkedArray) -> str | None:
    """The YAML of one attribute; None when the content does not fit what its name says."""
    if attribute == "birth_date":
        formats = date_formats(column)
        return _dated(name, formats) if formats else None
    if attribute == "sex":
        values = _meanings(column, SEXES)
        return f"{{column: {quoted(name)}, values: {values}, other: null}}" if values else None
    return quoted(name)


def not_personal(names: Iterable[str]) -> list[str]:
    """The columns whose names do not say that they are a person's."""
    return [name for name in names if kind_of_header(name) in _NOBODYS]


def _dated(name: str, formats: list[str]) -> str:
    written = [json.dumps(text) for text in formats]
    listed = written[0] if len(written) == 1 else f"[{', '.join(written)}]"
    return f"{{column: {quoted(name)}, format: {listed}}}"


def date_formats(column: pa.ChunkedArray) -> list[str]:
    """The formats that read nearly all the values of a column, most frequent first; none without dates."""
    values = pc.drop_null(column.combine_chunks())
    sample = values.slice(0, 2000).to_pylist()
    if not sample:
        return []
    left = sample
    chosen: list[str] = []
    while left and len(chosen) < 3:
        counts = {name: sum(dates.reads(name, text) for text in left) for name in DATE_FORMATS}
        best = max(counts, key=lambda name: counts[name])
        if not counts[best]:
            break
        chosen.append(best)
        left = [text for text in left if not dates.reads(best, text)]
    left = [text for text in left if not dates.reads("iso", text)]
    if len(left) > len(sample) * (1 - SURE_SHARE):
        return []
    return chosen or ["iso"]


def _meanings(column: pa.ChunkedArray, words: dict[str, str]) -> str | None:
    """A values map for the values of a column, or None when they are not such words."""
    values = [text for text in pc.unique(column.combine_chunks()).to_pylist() if text is not None]
    known = {text: words[_word(text)] for text in values if _word(text) in words}
    if not known and {"1", "2"} <= set(values) <= {"0", "1", "2", "9"} and words is SEXES:
        known = {"1": "male", "2": "female"}  # ISO/IEC 5218
    if not known or len(known) < len(values) / 2:
        return None
    return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {v}" for k, v in known.items()) + "}"


def _word(text: str) -> str:
    return text.casefold().rstrip(".")


def consent_lines(table: pa.Table, names: Iterable[str]) -> list[tuple[str, Line]]:
    """The consent and its time, each with its column."""
    lines: list[tuple[str, Line]] = []
    filled: set[str] = set()
    for name in (name for name in names if _CONSENT.search(name)):
        values, formats = _meanings(table.column(name), CONSENTS), date_formats(table.column(name))
        if values and "marketing_consent" not in filled:
            text = f"{{column: {quoted(name)}, values: {values}, other: null}}"
            lines.append((name, Line("marketing_consent", text, "named like a consent, with yes and no")))
            filled.add("marketing_consent")
        elif formats and "consent_at" not in filled:
            lines.append(
                (name, Line("consent_at", _dated(name, formats), "named like a consent, with dates"))
            )
            filled.add("consent_at")
    return lines


def as_of_line(table: pa.Table, names: Iterable[str]) -> tuple[str, Line] | None:
    """The time of the last update, with its column."""
    for name in names:
        if _AS_OF.search(name) and (formats := date_formats(table.column(name))):
            return name, Line(
                "as_of", _dated(name, formats), "named like the time of the last update, with dates"
            )
    return None


def product_lines(table: pa.Table, names: list[str]) -> list[tuple[str, Line]]:
    """The columns of a product, if one of them is its number."""
    found: dict[str, tuple[str, Line]] = {}
    for name in names:
        for target, pattern in _NAMES.items():
            value = _product_value(target, name, table.column(name)) if pattern.search(name) else None
            if value and target not in found:
                found[target] = (
                    name,
                    Line(target, value, f"named like a product's {target.replace('_', ' ')}"),
                )
                break
    return [found[target] for target in _NAMES if target in found] if "number" in found else []


def _product_value(target: str, name: str, column: pa.ChunkedArray) -> str | None:
    if target in ("opened_on", "closed_on"):
        formats = date_formats(column)
        return _dated(name, formats) if formats else None
    if target == "balance":
        return money_marks(name, column)
    return quoted(name)


def money_marks(name: str, column: pa.ChunkedArray) -> str | None:
    """The YAML of an amount with its decimal and thousands marks, or None when the column has no amounts."""
    values = pc.drop_null(column.combine_chunks()).slice(0, 5000)
    for decimal, thousands in ((".", ""), (",", ""), (".", ","), (",", " "), (",", "."), (".", " ")):
        group = {" ": r"[ \x{a0}\x{202f}]", "": "", ",": ",", ".": r"\."}[thousands]
        whole = rf"(\d+|\d{{1,3}}({group}\d{{3}})+)" if thousands else r"\d+"
        fits = pc.match_substring_regex(values, rf"^[+-]?{whole}({re.escape(decimal)}\d+)?$")
        if len(values) and pc.all(fits).as_py():
            marks = f', decimal: "{decimal}"' + (f', thousands: "{thousands}"' if thousands else "")
            return f"{{column: {quoted(name)}{marks}}}"
    return None
