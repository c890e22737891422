"""What someone types into the search box, read as terms of the index. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from suzani.profiles.terms import compact, digits, name_terms, phone_digits, safe

MAX_CHARACTERS = 200
MAX_PARTS = 8
MIN_LETTERS = 2
MIN_SERIES_DIGITS = 3
MIN_DIGITS = 4
"""Digits to search by; fewer would find a good part of all customers."""
CALLING_CODES = ("998", "7", "82")
"""Calling codes that people leave out when they type a number from its start."""

_NUMBER = re.compile(r"^[+(]*[0-9][0-9()./+-]*$")
_DATE = re.compile(
    r"^(?:([0-3]?[0-9])[./-]([01]?[0-9])[./-]((?:19|20)[0-9]{2})|((?:19|20)[0-9]{2})-([01][0-9])-([0-3][0-9]))$"
)
_YEAR = re.compile(r"^(?:19|20)[0-9]{2}$")
_SERIES = re.compile(r"^[A-Za-zА-Яа-я]{1,2}$")
_HANGUL = re.compile(r"^[가-힣]+$")


class Reach(StrEnum):
    """How far a search goes: whole names, beginnings of names, or names that sound alike."""

    WHOLE = "whole"
    BEGINNING = "beginning"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the text: a person matches when any of these terms is theirs.

    `exact` are whole terms, `starts` beginnings of terms; `names` are whole or beginnings by reach,
    `sounds` count only when the reach is SOUND. `split` is one more way to match: all of these parts.
    """

    names: tuple[str, ...] = ()
    sounds: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    split: tuple[Part, ...] = ()

    def alternatives(self, reach: Reach) -> list[tuple[str, bool]]:
        """The terms to look for, each with whether its beginning is enough."""
        found = [(term, False) for term in self.exact] + [(term, True) for term in self.starts]
        found += [(term, reach is not Reach.WHOLE) for term in self.names]
        if reach is Reach.SOUND:
            found += [(term, False) for term in self.sounds]
        return found


def read(text: str) -> list[Part]:
    """The parts of a typed text, all of which must match; none when it is too short to search by."""
    parts: list[Part] = []
    for word in _join_numbers(text[:MAX_CHARACTERS].split()):
        parts += _parts(word)
    return parts[:MAX_PARTS]


def tsquery(parts: Sequence[Part], reach: Reach) -> str:
    """The text form of a `tsquery`; terms are free of operators and quotes by construction."""
    return " & ".join(f"({' | '.join(_alternatives(part, reach))})" for part in parts)


def _alternatives(part: Part, reach: Reach) -> Iterable[str]:
    for term, beginning in part.alternatives(reach):
        yield f"'{term}':*" if beginning else f"'{term}'"
    if part.split:
        yield f"({tsquery(part.split, reach)})"


def _join_numbers(words: Sequence[str]) -> list[str]:
    """Neighbouring groups of digits are one number ("+998 90 123"), as are "AA" and the digits after it."""
    joined: list[str] = []
    open_number = False
    for word in words:
        is_number = bool(_NUMBER.match(word)) and not _DATE.match(word)
        after_series = bool(joined and _SERIES.match(joined[-1]) and len(digits(word)) >= MIN_SERIES_DIGITS)
        if is_number and (open_number or after_series):
            joined[-1] += word
        else:
            joined.append(word)
        open_number = is_number
    return joined


def _parts(word: str) -> list[Part]:
    if "@" in word:
        return [Part(starts=(f"e{safe(word)}",))]
    date = _DATE.match(word)
    if date:
        return [_date(date)]
    if _NUMBER.match(word):
        number = _number(word) if len(digits(word)) >= MIN_DIGITS else Part()
        return [number] if number.starts else []
    if any(character.isdigit() for character in word):
        code = compact([word])[0]
        return [Part(starts=(f"d{code}", f"x{code}", f"e{safe(word)}"))] if code else []
    if _HANGUL.match(word):
        return [_hangul(word)]
    return _names(word)


def _date(found: re.Match[str]) -> Part:
    day, month, year, iso_year, iso_month, iso_day = found.groups()
    if iso_year:
        return Part(exact=(f"b{iso_year}{iso_month}{iso_day}",))
    return Part(exact=(f"b{year}{int(month):02}{int(day):02}",))


def _number(word: str) -> Part:
    """A phone from its start or by its last digits, a document, an id, a product, or a year of birth."""
    number = digits(word)
    if word.startswith("+"):
        return Part(starts=_international(number))
    trunkless = number.lstrip("0") if number.startswith("0") else number.removeprefix("8")
    starts = [*_international(number), *_international(phone_digits(word)), f"d{number}", f"x{number}"]
    if len(trunkless) >= MIN_DIGITS:
        starts += [f"t{code}{trunkless}" for code in CALLING_CODES]
    starts += [f"r{number[::-1]}", f"y{number[::-1]}"]
    if _YEAR.match(number):
        starts.append(f"b{number}")
    return Part(starts=tuple(dict.fromkeys(starts)))


def _international(number: str) -> tuple[str, ...]:
    """A number with its calling code, unless so little follows the code that half the bank would match."""
    code = next((code for code in CALLING_CODES if number.startswith(code)), "")
    return (f"t{number}",) if len(number) - len(code) >= MIN_DIGITS else ()


def _hangul(word: str) -> Part:
    """Hangul as written or in Latin; two syllables or more may also be family and given name in one."""
    terms = name_terms([word])[0]
    names, sounds = (tuple(term for term in terms if term[0] == letter) for letter in "np")
    split = (_hangul_family(word[0]), _hangul(word[1:])) if len(word) > 1 else ()
    return Part(names=names, sounds=sounds, starts=(f"h{word}",), split=split)


def _hangul_family(syllable: str) -> Part:
    terms = name_terms([syllable])[0]
    return Part(exact=tuple(term for term in terms if term[0] in "nh"))


def _names(word: str) -> list[Part]:
    """One part per name in the word ("Ten-Kim" has two)."""
    names = [term for term in name_terms([word])[0] if term[0] == "n"]
    pieces = [Part(names=(name,)) for name in names]
    if len(names) == 1:
        sounds = tuple(term for term in name_terms([word])[0] if term[0] == "p")
        pieces = [Part(names=tuple(names), sounds=sounds)]
    return [piece for piece in pieces if len(piece.names[0]) > MIN_LETTERS]
