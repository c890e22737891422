"""The languages of the pages: catalogues of texts, and numbers, dates and money as each language writes
them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from suzani.kernel import NotFound

Forms = Mapping[str, str]
PLURAL_FORMS = frozenset({"one", "few", "many", "other"})
DEFAULT = "en"
_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
_NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def _english_date(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _dotted_date(day: date) -> str:
    return f"{day.day:02}.{day.month:02}.{day.year}"


def _korean_date(day: date) -> str:
    return f"{day.year}. {day.month}. {day.day}."


def _one_or_other(count: int) -> str:
    return "one" if count == 1 else "other"


def _russian_plural(count: int) -> str:
    if count % 10 == 1 and count % 100 != 11:
        return "one"
    return "few" if 2 <= count % 10 <= 4 and not 12 <= count % 100 <= 14 else "many"


def _always_other(count: int) -> str:
    return "other"


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its code, its name in itself, and how it writes numbers, dates and plurals."""

    code: str
    name: str
    thousands: str
    decimal: str
    date: Callable[[date], str]
    plural: Callable[[int], str]


LANGUAGES: Mapping[str, Language] = {
    language.code: language
    for language in (
        Language("en", "English", ",", ".", _english_date, _one_or_other),
        Language("ru", "Русский", _NARROW_SPACE, ",", _dotted_date, _russian_plural),
        Language("uz", "Oʻzbekcha", _NARROW_SPACE, ",", _dotted_date, _always_other),
        Language("ko", "한국어", ",", ".", _korean_date, _always_other),
    )
}
"""Every language of the pages, by code."""


@cache
def catalogue(code: str) -> Mapping[str, str | Forms]:
    """The texts of a language by dotted key; a text that depends on a count is a mapping of plural forms."""
    document = yaml.safe_load(files("suzani.web").joinpath("locales", f"{code}.yaml").read_text("utf-8"))
    return dict(_flat(document, ""))


def _flat(node: Mapping[str, Any], prefix: str) -> list[tuple[str, str | Forms]]:
    entries: list[tuple[str, str | Forms]] = []
    for name, value in node.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and not value.keys() <= PLURAL_FORMS:
            entries += _flat(value, f"{key}.")
        else:
            entries.append((key, value))
    return entries


def choose(asked: str | None, remembered: str | None, accepted: str) -> str:
    """The language to show: the one asked for, else the remembered one, else the best of
    `Accept-Language`."""
    for code in (asked, remembered):
        if code in LANGUAGES:
            return str(code)
    return next((code for code in _accepted(accepted) if code in LANGUAGES), DEFAULT)


def _accepted(header: str) -> list[str]:
    """Language codes of an `Accept-Language` header, best first; a weight that is no number counts as
    none."""
    weighted = []
    for place, entry in enumerate(header[:500].split(",")):
        name, _, weight = entry.partition(";q=")
        code = name.strip().lower().split("-")[0]
        weighted.append((-_weight(weight), place, code))
    return [code for _, _, code in sorted(weighted)]


def _weight(text: str) -> float:
    try:
        return float(text) if text.strip() else 1.0
    except ValueError:
        return 0.0


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language, and its way of writing values."""

    language: Language

    @classmethod
    def of(cls, code: str) -> Texts:
        """The texts of a known language."""
        return cls(LANGUAGES[code])

    @property
    def code(self) -> str:
        """The language's code, as in the `lang` attribute."""
        return self.language.code

    def __call__(self, key: str, /, count: int | None = None, **values: object) -> str:
        """The text under `key`, with its `{places}` filled; `count` chooses the plural form and fills
        {count}.

        Raises NotFound for an unknown key: a text must be in the catalogue before a page uses it.
        """
        texts = catalogue(self.code)
        if key not in texts:
            raise NotFound.among("text", key, texts)
        text = texts[key]
        if not isinstance(text, str):
            form = self.language.plural(count or 0)
            text = text.get(form) or text["other"]
        if count is not None:
            values["count"] = self.number(count)
        return text.format(**values) if values else text

    def known(self, key: str, otherwise: str) -> str:
        """The text under `key` if there is one, for names that come from data."""
        text = catalogue(self.code).get(key)
        return text if isinstance(text, str) else otherwise

    def number(self, value: int | float | Decimal, digits: int = 0) -> str:
        """A number with this language's separators."""
        text = f"{value:,.{digits}f}"
        return text.translate({ord(","): self.language.thousands, ord("."): self.language.decimal})

    def percent(self, share: float, digits: int = 1) -> str:
        """A share of 1 in percent; a share that is not nothing never reads as nothing."""
        smallest = 10 ** -(digits + 2)
        mark = "<" if 0 < share < smallest else ""
        space = _NO_BREAK_SPACE if self.code == "ru" else ""
        return f"{mark}{self.number(max(share, smallest if share else 0) * 100, digits)}{space}%"

    def money(self, amount: Decimal, currency: str | None) -> str:
        """An amount with its currency."""
        return f"{self.number(amount, 2)}{_NO_BREAK_SPACE}{currency or ''}".rstrip()

    def day(self, value: date) -> str:
        """A calendar day."""
        return self.language.date(value)

    def moment(self, value: datetime) -> str:
        """A day and a time of day, in the time zone of this machine."""
        local = value.astimezone()
        return f"{self.language.date(local)}, {local:%H:%M}"
