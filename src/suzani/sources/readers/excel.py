"""Excel and OpenDocument workbooks, opened whole: their format bounds them to 1,048,576 rows a sheet."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

import python_calamine as calamine

from suzani.kernel import InvalidInput, NotFound
from suzani.sources.readers.rows import Request, Row, Source, batch_of_rows, json_of, text_of, unique_names
from suzani.sources.types import RawBatch, Reason, Reject

_ERROR_CELL = re.compile(
    rb'<c r="([A-Z]{1,3})(\d{1,7})"[^>]{0,80} t="e"[^>]*>(?:<f[^>]*>.*?</f>|<f[^>]*/>)?<v>([^<]*)</v>'
)
_SHEET = re.compile(r'<sheet [^>]*?name="([^"]*)"[^>]*?r:id="([^"]*)"')
_RELATION = re.compile(r"<Relationship [^>]*>")


def open_excel(stream: BinaryIO, request: Request) -> Source:
    """The rows of one sheet, headed by the first that is not empty. Raises `InvalidInput`, `NotFound`."""
    try:
        book = calamine.load_workbook(stream)
        name = request.format.sheet or next(iter(book.sheet_names), "")
        if name not in book.sheet_names:
            raise NotFound.among(f"sheet of {request.name}", name, book.sheet_names)
        sheet = book.get_sheet_by_name(name)
    except (calamine.CalamineError, OSError) as error:
        raise InvalidInput(f"{request.name} is not a readable workbook: {error}") from error
    start = (sheet.start or (0, 0))[0]
    rows = enumerate(sheet.iter_rows(), start + 1)
    header: list[Any] = []
    while request.format.header and not any(text_of(value) for value in header):
        _, header = next(rows, (0, [None]))
        if header == [None]:
            raise InvalidInput(f"{request.name}: the sheet {name!r} is empty")
    names = _names(header, sheet.width)
    errors = _error_cells(stream, name, (sheet.start or (0, 0))[1])
    return Source(names, True, _batches(rows, names, errors, request))


def _names(header: list[Any], width: int) -> tuple[str, ...]:
    if not header:
        return tuple(str(i) for i in range(1, width + 1))
    return unique_names([text_of(value) or "" for value in header])


def _batches(
    rows: Iterator[tuple[int, list[Any]]],
    names: tuple[str, ...],
    errors: dict[int, dict[int, str]],
    request: Request,
) -> Iterator[RawBatch]:
    wanted = names if request.wanted is None else request.wanted
    places = [names.index(name) if name in names else None for name in wanted]
    while part := list(islice(rows, request.limits.batch_rows)):
        rejects: list[Reject] = []
        kept: list[Row] = []
        numbers: list[int] = []
        for number, cells in part:
            row = tuple(None if i is None else text_of(cells[i]) for i in places)
            wrong = {names[i]: text for i, text in errors.get(number, {}).items() if i < len(names)}
            wrong = {name: text for name, text in wrong.items() if name in wanted}
            if wrong:
                rejects.append(_formula_error(number, dict(zip(wanted, row, strict=True)), wrong))
            elif any(row):
                kept.append(row)
                numbers.append(number)
        yield batch_of_rows(wanted, kept, numbers, _raw_of(wanted, kept), request.limits, rejects)


def _raw_of(wanted: tuple[str, ...], rows: list[Row]) -> Any:
    return lambda i: json_of(dict(zip(wanted, rows[i], strict=True)))


def _formula_error(number: int, values: dict[str, str | None], wrong: dict[str, str]) -> Reject:
    field, text = next(iter(wrong.items()))
    shown = values | wrong
    detail = f"{field}: the cell shows the error {text}"
    return Reject(number, Reason.WRONG_VALUE, detail, json_of(shown), field, shown, tuple(wrong))


def _error_cells(stream: BinaryIO, sheet: str, first_column: int) -> dict[int, dict[int, str]]:
    """The cells of an .xlsx sheet that show an error, by row number and column position.

    The workbook reader gives them as empty, which would lose that something was to be there.
    """
    stream.seek(0)
    found: dict[int, dict[int, str]] = {}
    try:
        with zipfile.ZipFile(stream) as book:
            data = book.read(_part_of(book, sheet)) if "xl/workbook.xml" in book.namelist() else b""
    except (zipfile.BadZipFile, KeyError, OSError):
        return found
    for column, row, text in _ERROR_CELL.findall(data) if b't="e"' in data else ():
        at = _position(column.decode()) - first_column
        found.setdefault(int(row), {})[at] = text.decode("utf-8", "replace")
    return found


def _part_of(book: zipfile.ZipFile, sheet: str) -> str:
    """The name of a sheet's part in the package; KeyError when it cannot be told."""
    from html import unescape

    sheets = {
        unescape(name): ref for name, ref in _SHEET.findall(book.read("xl/workbook.xml").decode("utf-8"))
    }
    for tag in _RELATION.findall(book.read("xl/_rels/workbook.xml.rels").decode("utf-8")):
        if f'Id="{sheets[sheet]}"' in tag:
            target = tag.split('Target="')[1].split('"')[0]
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise KeyError(sheet)


def _position(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
