"""National identifiers: their check digits, and the birth date and sex that some carry.

Sources: PINFL and STIR, Cabinet of Ministers of Uzbekistan; INN and SNILS, Federal Tax Service and Social
Fund of Russia; RRN, Ministry of the Interior and Safety of Korea (numbers given since October 2020 have no
check digit any more); IIN and BIN, Government of Kazakhstan, resolution 406 of 2007; PIN, Kyrgyzstan.

Other schemes come from installed packages: an entry point of the group `suzani.identifiers` names an
`Identifier`, or a sequence of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity.values.texts import MANY, Texts, as_array, bytes_of
from suzani.kernel import InvalidInput

Digits = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_GROUP = "suzani.identifiers"


def _silent(_: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Identifier:
    """One scheme: how long its numbers are, how they are checked, and what a valid number tells.

    `check` takes a matrix of digits (numbers × length) and says which numbers pass. `birth_date` (YYYYMMDD)
    and `sex` ("male", "female") take a number that passed and give "" where it tells nothing. A scheme that
    is not `checked` has a form that too many other numbers share: its numbers are never valid evidence.
    """

    name: str
    length: int
    check: Callable[[Digits], Bools]
    birth_date: Callable[[str], str] = _silent
    sex: Callable[[str], str] = _silent
    checked: bool = True

    def has_form(self, values: Texts) -> Bools:
        """Which values could be numbers of this scheme, by their length and its check."""
        result = np.zeros(len(values), dtype=bool)
        numbers, digits = self._numbers_among(values)
        if len(numbers):
            result[numbers] = self.check(digits.astype(np.int64))
        return result

    def _numbers_among(self, values: Texts) -> tuple[Sequence[int] | Digits, npt.NDArray[np.uint8]]:
        """Where values stand that are digits alone and as long as the scheme's numbers, and their digits."""
        zero = np.uint8(ord("0"))
        if not isinstance(values, pa.Array) and len(values) < MANY:
            length = self.length
            found = [
                at for at, one in enumerate(values) if len(one) == length and one.isascii() and one.isdigit()
            ]
            joined = "".join(values[at] for at in found).encode()
            return found, np.frombuffer(joined, np.uint8).reshape(-1, length) - zero
        text, start = bytes_of(as_array(values))
        long = np.flatnonzero(np.diff(start) == self.length)
        digits = text[start[long][:, None] + np.arange(self.length)] - zero
        numbers = (digits <= 9).all(axis=1)
        return long[numbers], digits[numbers]

    def valid(self, values: Texts) -> Bools:
        """Which values are numbers of this scheme that pass its check; none if it has no check."""
        return self.has_form(values) if self.checked else np.zeros(len(values), dtype=bool)

    def is_valid(self, value: str) -> bool:
        """Whether one value is a number of this scheme that passes its check."""
        return bool(self.valid([value])[0])


def _weighted(digits: Digits, weights: Sequence[int]) -> Digits:
    return np.asarray(digits[:, : len(weights)] @ np.array(weights))


def _two_digits(digits: Digits, at: int) -> Digits:
    return np.asarray(digits[:, at] * 10 + digits[:, at + 1])


def _are_dates(days: Digits, months: Digits) -> Bools:
    return np.asarray((days >= 1) & (days <= 31) & (months >= 1) & (months <= 12))


def _date(century: str, digits: str) -> str:
    """YYYYMMDD for a century and YYMMDD; "" when the month or the day cannot be."""
    possible = 1 <= int(digits[2:4]) <= 12 and 1 <= int(digits[4:6]) <= 31
    return century + digits if century and possible else ""


def _odd_is_male(position: int) -> Callable[[str], str]:
    return lambda digits: "male" if int(digits[position]) % 2 else "female"


_CENTURIES = {"1": "18", "2": "18", "3": "19", "4": "19", "5": "20", "6": "20"}
"""By the digit for century and sex in Uzbekistan and Kazakhstan."""


def _pinfl(digits: Digits) -> Bools:
    total = _weighted(digits, (7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1, 7))
    return np.asarray((digits[:, 0] >= 3) & (digits[:, 0] <= 6) & (total % 10 == digits[:, 13]))


def _pinfl_birth(digits: str) -> str:
    return _date(_CENTURIES.get(digits[0], ""), digits[5:7] + digits[3:5] + digits[1:3])


def _stir(digits: Digits) -> Bools:
    return np.asarray(digits[:, 0] >= 2)


def _inn(digits: Digits) -> Bools:
    first = _weighted(digits, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10
    second = _weighted(digits, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10
    return np.asarray((digits[:, 10] == first) & (digits[:, 11] == second))


def _inn_company(digits: Digits) -> Bools:
    return np.asarray(digits[:, 9] == _weighted(digits, (2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10)


def _snils(digits: Digits) -> Bools:
    total = _weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, 1)) % 101
    return np.asarray(digits[:, 9] * 10 + digits[:, 10] == total % 100)


def _kazakh_check(digits: Digits) -> Bools:
    """Modulo 11, with a second row of weights where the first gives 10; two tens are no number."""
    first = _weighted(digits, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)) % 11
    second = _weighted(digits, (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)) % 11
    return np.asarray(np.where(first == 10, second, first) == digits[:, 11])


def _iin(digits: Digits) -> Bools:
    born = _are_dates(_two_digits(digits, 4), _two_digits(digits, 2))
    return np.asarray(born & (digits[:, 6] >= 1) & (digits[:, 6] <= 6) & _kazakh_check(digits))


def _iin_birth(digits: str) -> str:
    return _date(_CENTURIES.get(digits[6], ""), digits[:6])


def _bin(digits: Digits) -> Bools:
    registered = (_two_digits(digits, 2) >= 1) & (_two_digits(digits, 2) <= 12)
    return np.asarray(registered & (digits[:, 4] >= 4) & (digits[:, 4] <= 6) & _kazakh_check(digits))


def _kyrgyz_pin(digits: Digits) -> Bools:
    """By its form alone, which one number in six thousand has by chance: sex, then a date of birth."""
    born = _are_dates(_two_digits(digits, 1), _two_digits(digits, 3))
    century = _two_digits(digits, 5)
    return np.asarray(born & ((century == 19) | (century == 20)) & (digits[:, 0] >= 1) & (digits[:, 0] <= 2))


def _kyrgyz_birth(digits: str) -> str:
    return _date(digits[5:7], digits[7:9] + digits[3:5] + digits[1:3])


def _kyrgyz_sex(digits: str) -> str:
    return {"1": "female", "2": "male"}.get(digits[0], "")


def _rrn(digits: Digits) -> Bools:
    """The seventh digit of foreigners is 5 to 8, and their check digit is two more."""
    total = _weighted(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5))
    foreign = (digits[:, 6] >= 5) & (digits[:, 6] <= 8)
    return np.asarray((11 - total % 11 + 2 * foreign) % 10 == digits[:, 12])


def _rrn_birth(digits: str) -> str:
    century = {"9": "18", "0": "18", "1": "19", "2": "19", "5": "19", "6": "19"}.get(digits[6], "20")
    return _date(century, digits[:6])


_OURS = (
    Identifier("pinfl", 14, _pinfl, _pinfl_birth, _odd_is_male(0)),
    Identifier("stir", 9, _stir, checked=False),
    Identifier("inn", 12, _inn),
    Identifier("inn_company", 10, _inn_company),
    Identifier("snils", 11, _snils),
    Identifier("rrn", 13, _rrn, _rrn_birth, _odd_is_male(6)),
    Identifier("iin", 12, _iin, _iin_birth, _odd_is_male(6)),
    Identifier("bin", 12, _bin),
    Identifier("kg_pin", 14, _kyrgyz_pin, _kyrgyz_birth, _kyrgyz_sex),
)


def _plugged(point: EntryPoint) -> Iterable[Identifier]:
    """The schemes of one entry point; InvalidInput if it cannot be loaded or names something else."""
    where = f"identifier plugin {point.name!r} ({point.value})"
    hint = "Repair or uninstall the package that brings it."
    try:
        found = point.load()
    except Exception as error:  # importing somebody else's code may raise anything
        raise InvalidInput(f"{where} cannot be loaded: {error}", hint=hint) from error
    schemes = (found,) if isinstance(found, Identifier) else found
    if not isinstance(schemes, Sequence) or not all(isinstance(one, Identifier) for one in schemes):
        raise InvalidInput(f"{where} is no Identifier and no sequence of them", hint=hint)
    return schemes


class Identifiers(Mapping[str, Identifier]):
    """All schemes by name: our own and, read at the first look, those of installed packages."""

    def __init__(self, points: Iterable[EntryPoint] | None = None) -> None:
        self._points = points

    @cached_property
    def _schemes(self) -> dict[str, Identifier]:
        schemes = {scheme.name: scheme for scheme in _OURS}
        points = entry_points(group=_GROUP) if self._points is None else self._points
        for point in points:
            for scheme in _plugged(point):
                if scheme.name in schemes:
                    raise InvalidInput(
                        f"identifier plugin {point.name!r} ({point.value}): "
                        f"there is a scheme {scheme.name!r} already",
                        hint="Give it another name, or uninstall one of the packages.",
                    )
                schemes[scheme.name] = scheme
        return schemes

    def __getitem__(self, name: str) -> Identifier:
        return self._schemes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._schemes)

    def __len__(self) -> int:
        return len(self._schemes)


IDENTIFIERS: Mapping[str, Identifier] = Identifiers()
"""The schemes known, by name. STIR (9 digits) has no published check digit: it goes by its form alone."""


def scheme_of(values: Texts, share: float = 0.6) -> Identifier | None:
    """The scheme that most of a column's values pass, if one does; of several, the one that most pass.

    `values` are standardised. By chance one number in ten passes a check digit, so a column must pass far
    oftener before its numbers are trusted.
    """
    best, most = None, share
    texts = as_array(values)
    numbers = texts.filter(pc.ascii_is_decimal(texts))
    lengths = pc.binary_length(numbers)
    for scheme in IDENTIFIERS.values():
        fitting = numbers.filter(pc.equal(lengths, scheme.length))
        if len(fitting) < max(3, len(texts) // 2):
            continue
        passing = float(scheme.valid(fitting).mean())
        if passing >= most and (best is None or passing > most):
            best, most = scheme, passing
    return best
