"""Phones, papers and e-mails as clerks write them, with the placeholders they type when they have none."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from suzani.demo.identifiers import as_text
from suzani.demo.types import Bools, Ints

PHONE_FORMATS: MappingProxyType[str, tuple[int, ...]] = MappingProxyType(
    {
        "core_banking": (0, 1, 2, 3, 3, 4, 6),
        "cards": (1,),
        "lending": (0, 0, 2, 6),
        "deposits": (3, 4, 6, 6, 2, 5),
        "trade_finance": (0, 2, 3, 4, 5),
        "mortgage": (3, 4, 5, 6, 2),
        "investment": (0, 0, 2),
    }
)
"""The phone formats the clerks of each system use; one of these for each clerk."""
PLACEHOLDERS: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {
        "phone": ("998000000000", "+998000000000", "998999999999", "0", "нет", "-"),
        "email": ("test@test.uz", "no@mail.ru", "нет", "-", "noemail@bank.uz"),
        "address": ("-", "нет данных", "NOT AVAILABLE", "уточнить", "Toshkent"),
        "passport": ("AA0000000", "-", "нет", "NOT AVAILABLE"),
        "national_id": ("00000000000000", "11111111111111", "-"),
        "patronymic": ("-", "нет", "XXX", "йўқ", "NOT AVAILABLE"),
    }
)
"""What stands in a field for 'not known'."""


def write_phones(numbers: Ints, style: Ints) -> pa.StringArray:
    """Each number (digits with country code, 0: none) in its style; foreign ones always as +digits."""
    digits = as_text(numbers, 12)
    cut = [pc.utf8_slice_codeunits(digits, a, b) for a, b in ((3, 5), (5, 8), (8, 10), (10, 12))]
    operator, three, two, last = cut
    join = pc.binary_join_element_wise
    dashed = join(three, two, last, "-")
    formats = [
        join(pa.scalar("+"), digits, ""),
        digits,
        join(join(pa.scalar("+998"), operator, " "), dashed, " "),
        join(join(pa.scalar("("), operator, pa.scalar(")"), ""), dashed, " "),
        join(operator, three, two, last, " "),
        join(pa.scalar("8"), operator, join(three, two, last, ""), "-"),
        join(operator, three, two, last, ""),
    ]
    style = np.where(numbers // 10**9 == 998, style, 0)
    return pc.if_else(
        pa.array(numbers > 0), pc.choose(pa.array(style), *formats), pa.scalar(None, pa.string())
    )


def write_passports(numbers: pa.StringArray, style: Ints) -> pa.StringArray:
    """Each passport in its style: 0 as it is, 1 with a space, 2 with Cyrillic letters, 3 with №."""
    letters = pc.utf8_rtrim(numbers, characters="0123456789")
    rest = pc.utf8_ltrim(numbers, characters="ABCDKM")
    spaced = pc.binary_join_element_wise(letters, rest, " ")
    cyrillic = letters
    for latin, russian in (("A", "А"), ("B", "В"), ("C", "С"), ("K", "К"), ("M", "М")):
        cyrillic = pc.replace_substring(cyrillic, latin, russian)
    marked = pc.binary_join_element_wise(letters, rest, " №")
    return pc.choose(
        pa.array(style), numbers, spaced, pc.binary_join_element_wise(cyrillic, rest, ""), marked
    )


def apostrophes(column: pa.StringArray, choice: Ints) -> pa.StringArray:
    """Uzbek apostrophes as each clerk's keyboard makes them: 0 ʻ, 1 ', 2 `, 3 ‘, 4 ’."""
    for number, mark in enumerate("'`\u2018\u2019", start=1):
        typed = pc.replace_substring_regex(column, "[\u02bb\u02bc]", mark)
        column = pc.if_else(pa.array(choice == number), typed, column)
    return column


def fill_placeholders(
    field: str, column: pa.StringArray, missing: Bools, rng: np.random.Generator
) -> pa.StringArray:
    """The column with a placeholder typed into a few of its missing rows and the others of them null."""
    known = PLACEHOLDERS[field]
    typed = pa.array(known).take(pa.array(rng.integers(0, len(known), len(column))))
    chosen = pa.array(missing & (rng.random(len(column)) < 0.05))
    return pc.if_else(chosen, typed, pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), column))
