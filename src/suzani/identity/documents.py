"""National identifiers: their check digits, and the birth date and sex that some carry.

Sources: PINFL and STIR, Cabinet of Ministers of Uzbekistan; INN and SNILS, Federal Tax Service and
Social Fund of Russia; RRN, Ministry of the Interior and Safety of Korea.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Digits = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Identifier:
    """One scheme: how long its numbers are, how they are checked, and what a valid number tells.

    `check` takes a matrix of digits (numbers × length) and says which numbers pass.
    """

    name: str
    length: int
    check: Callable[[Digits], Bools]
    birth_date: Callable[[str], str]
    sex: Callable[[str], str]

    def valid(self, values: Sequence[str]) -> Bools:
        """Which values are numbers of this scheme that pass its check."""
        fits = [len(value) == self.length and value.isascii() and value.isdigit() for value in values]
        result = np.array(fits, dtype=bool)
        joined = "".join(value for value, fit in zip(values, fits, strict=True) if fit)
        digits = np.frombuffer(joined.encode(), np.uint8).reshape(-1, self.length).astype(np.int64) - ord("0")
        result[result] = self.check(digits)
        return result

    def is_valid(self, value: str) -> bool:
        """Whether one value is a number of this scheme that passes its check."""
        return bool(self.valid([value])[0])


def _weighted(digits: Digits, weights: Sequence[int]) -> Digits:
    return np.asarray(digits[:, : len(weights)] @ np.array(weights))


def _pinfl(digits: Digits) -> Bools:
    total = _weighted(digits, (7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1, 7))
    return np.asarray((digits[:, 0] >= 3) & (digits[:, 0] <= 6) & (total % 10 == digits[:, 13]))


def _pinfl_birth(digits: str) -> str:
    century = {"1": "18", "2": "18", "3": "19", "4": "19", "5": "20", "6": "20"}[digits[0]]
    return century + digits[5:7] + digits[3:5] + digits[1:3]


def _inn(digits: Digits) -> Bools:
    first = _weighted(digits, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10
    second = _weighted(digits, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10
    return np.asarray((digits[:, 10] == first) & (digits[:, 11] == second))


def _snils(digits: Digits) -> Bools:
    total = _weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, 1)) % 101
    return np.asarray(digits[:, 9] * 10 + digits[:, 10] == total % 100)


def _rrn(digits: Digits) -> Bools:
    total = _weighted(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5))
    return np.asarray((11 - total % 11) % 10 == digits[:, 12])


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
        Identifier("pinfl", 14, _pinfl, _pinfl_birth, _odd_is_male(0)),
        Identifier("inn", 12, _inn, _silent, _silent),
        Identifier("snils", 11, _snils, _silent, _silent),
        Identifier("rrn", 13, _rrn, _rrn_birth, _odd_is_male(6)),
    )
}
"""The schemes known, by name. STIR (9 digits) has no published check digit."""


def scheme_of(values: Sequence[str], share: float = 0.6) -> Identifier | None:
    """The scheme that most of a column's values pass, if one does.

    `values` are standardised. By chance one number in ten passes a check digit, so a column must pass far
    oftener before its numbers are trusted.
    """
    for scheme in IDENTIFIERS.values():
        fitting = [value for value in values if value.isdigit() and len(value) == scheme.length]
        if len(fitting) >= max(3, len(values) // 2) and scheme.valid(fitting).mean() >= share:
            return scheme
    return None
