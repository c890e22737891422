"""National identifiers: their check digits, and the birth date and sex that some carry.

Sources: PINFL and STIR, Cabinet of Ministers of Uzbekistan; INN and SNILS, Federal Tax Service and
Social Fund of Russia; RRN, Ministry of the Interior and Safety of Korea.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identifier:
    """One scheme: how its numbers are checked, and what a valid number tells."""

    name: str
    lengths: tuple[int, ...]
    is_valid: Callable[[str], bool]
    birth_date: Callable[[str], str]
    sex: Callable[[str], str]


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _pinfl(digits: str) -> bool:
    return digits[0] in "3456" and _weighted(digits[:13], (7, 3, 1) * 5) % 10 == int(digits[13])


def _pinfl_birth(digits: str) -> str:
    century = {"1": "18", "2": "18", "3": "19", "4": "19", "5": "20", "6": "20"}[digits[0]]
    return century + digits[5:7] + digits[3:5] + digits[1:3]


def _inn(digits: str) -> bool:
    first = _weighted(digits, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10
    second = _weighted(digits, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10
    return digits[10:12] == f"{first}{second}"


def _snils(digits: str) -> bool:
    total = _weighted(digits, tuple(range(9, 0, -1))) % 101
    return int(digits[9:]) == total % 100


def _rrn(digits: str) -> bool:
    total = _weighted(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5))
    return (11 - total % 11) % 10 == int(digits[12])


def _rrn_birth(digits: str) -> str:
    century = {"9": "18", "0": "18", "1": "19", "2": "19", "5": "19", "6": "19"}.get(digits[6], "20")
    return century + digits[:6]


def _odd_is_male(position: int) -> Callable[[str], str]:
    return lambda digits: "male" if int(digits[position]) % 2 else "female"


def _silent(_: str) -> str:
    return ""


IDENTIFIERS: dict[str, Identifier] = {
    scheme.name: scheme
    for scheme in (
        Identifier("pinfl", (14,), _pinfl, _pinfl_birth, _odd_is_male(0)),
        Identifier("inn", (12,), _inn, _silent, _silent),
        Identifier("snils", (11,), _snils, _silent, _silent),
        Identifier("rrn", (13,), _rrn, _rrn_birth, _odd_is_male(6)),
    )
}
"""The schemes known, by name. STIR (9 digits) has no published check digit."""


def scheme_of(values: Sequence[str], share: float = 0.6) -> Identifier | None:
    """The scheme that most of a column's values pass, if one does.

    `values` are standardised. By chance one number in ten passes a check digit, so a column must pass far
    oftener before its numbers are trusted.
    """
    for scheme in IDENTIFIERS.values():
        fitting = [value for value in values if value.isdigit() and len(value) in scheme.lengths]
        if len(fitting) >= max(3, len(values) // 2):
            valid = sum(map(scheme.is_valid, fitting))
            if valid >= share * len(fitting):
                return scheme
    return None
