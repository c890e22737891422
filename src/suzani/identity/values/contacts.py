"""Phones, e-mail addresses, documents and postal codes in one form each."""

from __future__ import annotations

import re
from collections.abc import Sequence

import phonenumbers

from suzani.identity.kernels.texts import document_characters, phone_digits
from suzani.identity.values.scripts import latin, map_lines
from suzani.identity.values.texts import MANY, Texts, as_array, as_list, settled

_NOT_DIGIT = re.compile(r"[^\d\n]+")
_SAME_DIGIT = re.compile(r"^(\d{0,5}?)(\d)\2{5,}$", re.MULTILINE)
_COUNTING = frozenset({"1234567", "12345678", "123456789", "1234567890", "987654321"})
_NATIONAL_DIGITS = 9
_EMAIL = re.compile(r"[^\s<>\"',;:()]+@[^\s<>\"',;:()]+")
_NO_EMAIL = re.compile(r"^(?:test|none|no|noemail|email|mail|net|yoq|example|aaa+|qwerty)\d*@")
_NOT_ALNUM = re.compile(r"[^a-z0-9\n]+")
_NO_DOCUMENT = re.compile(r"^(?:0+|(\w)\1{4,}|[a-z]{0,2}0+|[a-z]{0,2}1234567\d*)$")
_DEFAULT_REGION = "UZ"


def matching_phones(values: Texts) -> Texts:
    """The last nine digits of each phone number, the part all ways of writing it share; "" if none.

    Numbers of one repeated digit and counting numbers are placeholders.
    """
    if len(values) >= MANY:
        return settled(as_array(values), phone_digits, _matching_phones)
    return _matching_phones(as_list(values))


def _matching_phones(values: Sequence[str]) -> list[str]:
    return [_matching_phone(digits) for digits in map_lines(values, lambda text: _NOT_DIGIT.sub("", text))]


def _matching_phone(digits: str) -> str:
    if not digits.isascii():
        digits = "".join(str(int(digit)) for digit in digits)
    short = digits[-_NATIONAL_DIGITS:]
    if len(short) < 6 or digits in _COUNTING or short in _COUNTING or _SAME_DIGIT.match(short):
        return ""
    return short


def standard_phone(text: str) -> str | None:
    """E.164 digits without the plus of one phone number as typed, or None when it is no number.

    Numbers without a country code are read as Uzbekistan's.
    """
    try:
        number = phonenumbers.parse(text, _DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).lstrip("+")


def standard_emails(values: Sequence[str]) -> list[str]:
    """Lower-case bare address of each value ("Ann <ann@x.uz>" is `ann@x.uz`); "" for a placeholder."""
    return [_standard_email(value) for value in map_lines(values, str.lower)]


def _standard_email(value: str) -> str:
    found = _EMAIL.search(value)
    if not found or _NO_EMAIL.match(found[0]):
        return ""
    return found[0].rstrip(".")


def standard_documents(values: Texts) -> Texts:
    """Letters and digits only, lower-case Latin; "" for placeholders such as 0000000 or AA1234567."""
    if len(values) >= MANY:
        return settled(as_array(values), document_characters, _standard_documents)
    return _standard_documents(as_list(values))


def _standard_documents(values: Sequence[str]) -> list[str]:
    compact = map_lines(latin(values), lambda text: _NOT_ALNUM.sub("", text))
    return ["" if len(value) < 3 or _NO_DOCUMENT.match(value) else value for value in compact]


def standard_postcodes(values: Sequence[str]) -> list[str]:
    """Letters and digits only, lower-case Latin; "" for all zeros."""
    compact = map_lines(latin(values), lambda text: _NOT_ALNUM.sub("", text))
    return [value if value.strip("0") else "" for value in compact]
