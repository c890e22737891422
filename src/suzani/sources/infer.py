"""Drafts a mapping for a file never seen, from its names and content; every line says why it was taken so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from suzani.kernel import InvalidInput, Kind
from suzani.sources import dates
from suzani.sources.columns import ColumnGuess, infer_kinds
from suzani.sources.conversion import CONSENTS, SEXES, clean
from suzani.sources.encodings import guess_encoding
from suzani.sources.headers import kind_of_header
from suzani.sources.mapping import ENDINGS, Format
from suzani.sources.readers import format_of, open_file
from suzani.sources.readers.delimited import sniff_delimiter
from suzani.sources.types import Limits

SAMPLE_ROWS = 20_000
SURE_SHARE = 0.98
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
    r"(?:^|_|\b)(?:id|no|num|number|key|code|cif|client|customer|cust|клиент|код|номер|ид|raqam|mijoz)(?:_|\b|$)",
    re.I,
)
_NAMES: dict[str, re.Pattern[str]] = {
    "number": re.compile(
        r"account|acc(?:ount)?_?(?:no|num)|\bacc\b|iban|contract|card_?n|deal|loan_?(?:no|num|id)|счет|сч[её]т|договор|карт|hisob|계좌",
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
class Draft:
    """A drafted mapping: its YAML, the system's name, and the columns left out with why."""

    text: str
    system: str


@dataclass(frozen=True, slots=True)
class _Line:
    path: str
    value: str
    why: str


def infer(path: Path, system: str | None = None) -> Draft:
    """Draft the mapping of a file. Raises `InvalidInput` when the file has no rows or no column for a key."""
    form = guess_format(path)
    with open_file(path, form, None, Limits()) as source:
        tables: list[pa.Table] = []
        for batch in source.batches:
            tables.append(batch.table)
            if sum(table.num_rows for table in tables) >= SAMPLE_ROWS:
                break
    table = pa.concat_tables(tables) if tables else pa.table({})
    if not table.num_rows:
        raise InvalidInput(f"{path} has no rows to look at")
    table = pa.table({name: clean(table.column(name).combine_chunks()) for name in table.column_names})
    name = system or _system_name(path)
    return Draft(_written(name, path, form, table), name)


def guess_format(path: Path) -> Format:
    """The format of a file: by its ending, or of a file with an unknown one by its first bytes."""
    try:
        with path.open("rb") as file:
            sample = file.read(1 << 18)
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror or error}") from error
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    form = format_of(path, Format()) if ending in ENDINGS else Format(type=_type_of(sample))
    if form.type not in ("csv", "jsonl") or path.name.lower().endswith(".gz"):
        return form
    encoding, _ = guess_encoding(sample)
    if form.type == "jsonl":
        return replace(form, encoding=encoding)
    text = sample.decode(encoding, "replace").replace("\r\n", "\n").replace("\r", "\n")
    return replace(form, encoding=encoding, delimiter=form.delimiter or sniff_delimiter(text))


def _type_of(sample: bytes) -> str:
    marks = {b"PAR1": "parquet", b"PK\x03\x04": "excel", b"\xd0\xcf\x11\xe0": "excel"}
    known = next((kind for mark, kind in marks.items() if sample.startswith(mark)), None)
    return known or ("jsonl" if sample.lstrip()[:1] == b"{" else "csv")


def _system_name(path: Path) -> str:
    name = re.sub(r"\W+", "_", path.name.split(".")[0].lower()).strip("_")
    return name or "new_system"


def _written(system: str, path: Path, form: Format, table: pa.Table) -> str:
    guesses = infer_kinds(table)
    key, key_why = _key(table, guesses)
    rest = [name for name in table.column_names if name not in key]
    taken: set[str] = set()
    consent = _consent(table, rest)
    taken |= {name for name, _ in consent}
    as_of = _as_of(table, [name for name in rest if name not in taken])
    taken |= {as_of[0]} if as_of else set()
    unnamed = [name for name in rest if kind_of_header(name) in _NOBODYS and name not in taken]
    product = _product(table, unnamed)
    taken |= {name for name, _ in product}
    attributes, used = _attributes(table, guesses, [name for name in rest if name not in taken])
    taken |= used
    extra = [name for name in rest if name not in taken]
    parts = [
        f"# Drafted from {path.name} by `suzani source infer`, from {table.num_rows:,} rows. Check it, then keep it as",
        f"# {system}.yaml in the folder `mappings` of the data directory.",
        f"system: {_quoted(system)}",
        *_format_lines(form),
        "mode: delta  # absent keys mean nothing; `snapshot` if every file holds all records",
        f"key: [{', '.join(map(_quoted, key))}]  # {key_why}",
    ]
    if as_of:
        parts.append(f"as_of: {as_of[1].value}  # {as_of[1].why}")
    parts.append("attributes:")
    lines = [*attributes, *(line for _, line in consent)]
    parts += [f"  {line.path}: {line.value}  # {line.why}" for line in lines] or [
        f"  full_name: {_quoted(key[0])}  # nothing looked like a name; correct this"
    ]
    parts += _product_lines([line for _, line in product])
    if extra:
        parts.append(f"extra: [{', '.join(map(_quoted, extra))}]  # kept as they are")
    return "\n".join(parts) + "\n"


def _format_lines(form: Format) -> list[str]:
    settings = [f"type: {form.type}"]
    if form.delimiter:
        settings.append(f"delimiter: {_quoted(form.delimiter)}")
    if form.type in ("csv", "jsonl"):
        settings.append(f"encoding: {form.encoding}")
    return [f"format: {{{', '.join(settings)}}}"]


def _quoted(text: str) -> str:
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


def _key(table: pa.Table, guesses: dict[str, ColumnGuess]) -> tuple[list[str], str]:
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
            guesses[name].kind in personal if name in guesses else False,
            table.column_names.index(name),
        ),
    )
    if best:
        return [best[0]], f"unique and never empty in {rows:,} rows"
    named = [name for name in table.column_names if _KEY_NAME.search(name)] or table.column_names
    most = max(named, key=lambda name: pc.count_distinct(table.column(name)).as_py())
    distinct = pc.count_distinct(table.column(most)).as_py()
    return [
        most
    ], f"no column is unique; this comes nearest ({distinct:,} values in {rows:,} rows). Correct it"


def _attributes(
    table: pa.Table, guesses: dict[str, ColumnGuess], names: Iterable[str]
) -> tuple[list[_Line], set[str]]:
    lines: list[_Line] = []
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
        lines.append(_Line(free[0], value, guess.why))
    if streets and "address" not in filled:
        columns = ", ".join(map(_quoted, sorted(streets, key=lambda name: guesses[name].kind is Kind.HOUSE)))
        lines.append(_Line("address", f"{{columns: [{columns}]}}", guesses[streets[0]].why))
        taken |= set(streets)
    return lines, taken


def _value_of(attribute: str, name: str, column: pa.ChunkedArray) -> str | None:
    """The YAML of one attribute; None when the content does not fit what its name says."""
    if attribute == "birth_date":
        formats = date_formats(column)
        return _dated(name, formats) if formats else None
    if attribute == "sex":
        values = _meanings(column, SEXES)
        return f"{{column: {_quoted(name)}, values: {values}, other: null}}" if values else None
    return _quoted(name)


def _dated(name: str, formats: list[str]) -> str:
    written = [json.dumps(text) for text in formats]
    return f"{{column: {_quoted(name)}, format: {written[0] if len(written) == 1 else '[' + ', '.join(written) + ']'}}}"


def date_formats(column: pa.ChunkedArray) -> list[str]:
    """The formats that together read nearly all the values of a column, most frequent first; none if it has no dates."""
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
    known = {text: words[text.casefold()] for text in values if text.casefold() in words}
    if not known and set(values) == {"1", "2"} and set(words.values()) == {"male", "female"}:
        known = {"1": "male", "2": "female"}
    if not known or len(known) < len(values) / 2:
        return None
    return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {v}" for k, v in known.items()) + "}"


def _consent(table: pa.Table, names: Iterable[str]) -> list[tuple[str, _Line]]:
    lines: list[tuple[str, _Line]] = []
    filled: set[str] = set()
    for name in (name for name in names if _CONSENT.search(name)):
        values, formats = _meanings(table.column(name), CONSENTS), date_formats(table.column(name))
        if values and "marketing_consent" not in filled:
            text = f"{{column: {_quoted(name)}, values: {values}, other: null}}"
            lines.append((name, _Line("marketing_consent", text, "named like a consent, with yes and no")))
            filled.add("marketing_consent")
        elif formats and "consent_at" not in filled:
            lines.append(
                (name, _Line("consent_at", _dated(name, formats), "named like a consent, with dates"))
            )
            filled.add("consent_at")
    return lines


def _as_of(table: pa.Table, names: Iterable[str]) -> tuple[str, _Line] | None:
    for name in names:
        if _AS_OF.search(name) and (formats := date_formats(table.column(name))):
            return name, _Line(
                "as_of", _dated(name, formats), "named like the time of the last update, with dates"
            )
    return None


def _product(table: pa.Table, names: list[str]) -> list[tuple[str, _Line]]:
    """The columns of a product, if one of them is its number."""
    found: dict[str, tuple[str, _Line]] = {}
    for name in names:
        for target, pattern in _NAMES.items():
            value = _product_value(target, name, table.column(name)) if pattern.search(name) else None
            if value and target not in found:
                found[target] = (
                    name,
                    _Line(target, value, f"named like a product's {target.replace('_', ' ')}"),
                )
                break
    return [found[target] for target in _NAMES if target in found] if "number" in found else []


def _product_value(target: str, name: str, column: pa.ChunkedArray) -> str | None:
    if target in ("opened_on", "closed_on"):
        formats = date_formats(column)
        return _dated(name, formats) if formats else None
    if target == "balance":
        return money_marks(name, column)
    return _quoted(name)


def money_marks(name: str, column: pa.ChunkedArray) -> str | None:
    """The YAML of an amount with its decimal and thousands marks, or None when the column has no amounts."""
    values = pc.drop_null(column.combine_chunks()).slice(0, 5000)
    for decimal, thousands in ((".", ""), (",", ""), (".", ","), (",", " "), (",", "."), (".", " ")):
        group = {" ": r"[ \x{a0}\x{202f}]", "": "", ",": ",", ".": r"\."}[thousands]
        whole = rf"(\d+|\d{{1,3}}({group}\d{{3}})+)" if thousands else r"\d+"
        fits = pc.match_substring_regex(values, rf"^[+-]?{whole}({re.escape(decimal)}\d+)?$")
        if len(values) and pc.all(fits).as_py():
            marks = f', decimal: "{decimal}"' + (f', thousands: "{thousands}"' if thousands else "")
            return f"{{column: {_quoted(name)}{marks}}}"
    return None


def _product_lines(lines: list[_Line]) -> list[str]:
    if not lines:
        return []
    number, *others = lines
    head = f"  - number: {number.value}  # {number.why}"
    return ["products:", head, "    kind: product", *(f"    {x.path}: {x.value}  # {x.why}" for x in others)]
