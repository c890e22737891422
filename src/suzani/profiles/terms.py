"""The search terms of values: what the index holds, and what a typed text is looked up by.

A term is one letter for what it is, then the standard form; a term has no space, quote, colon or operator,
so that terms are safe in the text form of `tsvector` and `tsquery`.

| letter | of | form |
|---|---|---|
| n | names | the form in which the spellings of a name fall together, one term per part |
| h | names in Hangul | as written, whole and per part |
| p | names | phonetic key, one term per part |
| t, r | phones | E.164 digits; the same reversed, for last digits |
| e | e-mail | lower case |
| d | documents and ids | letters and digits, lower-case Latin |
| x, y | product numbers | letters and digits, lower-case Latin; the same reversed |
| b | birth date | yyyymmdd |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from suzani.identity.values.contacts import standard_phone
from suzani.identity.values.names import comparable_names, folded_names, phonetic_keys
from suzani.identity.values.scripts import latin
from suzani.kernel import ATTRIBUTES, Kind

Terms = tuple[str, ...]

_UNSAFE = re.compile(r"[^\w@.+-]+")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_NOT_DIGIT = re.compile(r"[^0-9]+")
_HANGUL = re.compile(r"[가-힣]+")
_MIN_SOUND = 2
PRODUCT = "product"


def digits(text: str) -> str:
    """Only the ASCII digits."""
    return _NOT_DIGIT.sub("", text)


def safe(text: str) -> str:
    """Lower case without spaces, quotes and operators."""
    # In this order: the lower case of "İ" is a letter and a mark, which is not safe.
    return _UNSAFE.sub("", text.lower())


def compact(values: Sequence[str]) -> list[str]:
    """Only letters and digits, lower-case Latin: the form of documents, ids and product numbers."""
    return [_NOT_ALPHANUMERIC.sub("", value) for value in latin(values)]


def name_terms(values: Sequence[str]) -> list[Terms]:
    """Folded parts, their sounds, and Hangul as written."""
    parts = [comparable.split() for comparable in comparable_names(values)]
    words = list(dict.fromkeys(word for each in parts for word in each))
    folded = dict(zip(words, folded_names(words), strict=True))
    sounds = dict(zip(words, phonetic_keys(words), strict=True))
    return [
        tuple(
            dict.fromkeys(
                [f"n{folded[word]}" for word in each]
                + [f"p{sounds[word]}" for word in each if len(sounds[word]) >= _MIN_SOUND]
                + [f"h{written}" for written in _hangul(value)]
            )
        )
        for value, each in zip(values, parts, strict=True)
    ]


def _hangul(value: str) -> list[str]:
    runs = [] if value.isascii() else _HANGUL.findall(value)
    return ["".join(runs), *runs] if runs else []


def phone_digits(text: str) -> str:
    """E.164 digits where the number is understood, else its digits as they are."""
    number = digits(text)
    if text.startswith("+") or (len(number) == 12 and number.startswith("998")):
        return number
    return standard_phone(text) or number


def phone_terms(values: Sequence[str]) -> list[Terms]:
    """The number forwards and backwards."""
    return [_both_ways("t", "r", phone_digits(value)) for value in values]


def email_terms(values: Sequence[str]) -> list[Terms]:
    """The address as it is compared."""
    return [(f"e{safe(value)}",) for value in values]


def identifier_terms(values: Sequence[str]) -> list[Terms]:
    """A document or id number without its separators."""
    return [(f"d{number}",) if number else () for number in compact(values)]


def product_terms(values: Sequence[str]) -> list[Terms]:
    """A product number forwards and backwards."""
    return [_both_ways("x", "y", number) for number in compact(values)]


def date_terms(values: Sequence[str]) -> list[Terms]:
    """An ISO date as eight digits."""
    return [(f"b{digits(value)}",) for value in values]


def _both_ways(forwards: str, backwards: str, number: str) -> Terms:
    return (forwards + number, backwards + number[::-1]) if number else ()


_BY_KIND: Mapping[Kind, Callable[[Sequence[str]], list[Terms]]] = {
    Kind.GIVEN_NAME: name_terms,
    Kind.FAMILY_NAME: name_terms,
    Kind.PATRONYMIC: name_terms,
    Kind.FULL_NAME: name_terms,
    Kind.PHONE: phone_terms,
    Kind.EMAIL: email_terms,
    Kind.NATIONAL_ID: identifier_terms,
    Kind.DOCUMENT: identifier_terms,
    Kind.BIRTH_DATE: date_terms,
}

TERMS: Mapping[str, Callable[[Sequence[str]], list[Terms]]] = {
    **{
        name: _BY_KIND[attribute.kind] for name, attribute in ATTRIBUTES.items() if attribute.kind in _BY_KIND
    },
    PRODUCT: product_terms,
}
"""How the values of each searched attribute become terms; `product` stands for product numbers."""
