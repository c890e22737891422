"""National ids, tax ids and passports shaped like real ones, with check digits; whole columns at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani.demo.types import Days, Ints

_WEIGHTS = np.array([7, 3, 1] * 4 + [7])


def digits_of(numbers: Ints, width: int) -> npt.NDArray[np.int64]:
    """The decimal digits of each number, shape (n, width), leading zeros kept."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    digits: npt.NDArray[np.int64] = numbers[:, None] // powers % 10
    return digits


def as_text(numbers: Ints, width: int) -> pa.StringArray:
    """Each number as text of `width` digits."""
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, padding="0")


def check_digit(first_13: Ints) -> Ints:
    """The last digit of a national id (PINFL): its first 13 digits weighted 7, 3, 1, 7, … modulo 10."""
    checks: Ints = digits_of(first_13, 13) @ _WEIGHTS % 10
    return checks


def national_ids(sex: Ints, birth: Days, rng: np.random.Generator) -> pa.StringArray:
    """14 digits, each once: sex and century, DDMMYY, district, serial number, check digit."""
    year = birth.astype("datetime64[Y]").astype(np.int64) + 1970
    month = birth.astype("datetime64[M]").astype(np.int64) % 12 + 1
    day = (birth - birth.astype("datetime64[M]")).astype(np.int64) + 1
    lead = 1 + sex + 2 * ((year // 100) - 18)
    stem = ((lead * 100 + day) * 100 + month) * 100 + year % 100
    numbers = distinct(
        lambda n: rng.integers(1, 215, n) * 1000 + rng.integers(1, 1000, n), len(sex), stem * 10**6
    )
    return as_text(numbers * 10 + check_digit(numbers), 14)


def distinct(draw: Callable[[int], Ints], count: int, base: Ints | int = 0) -> Ints:
    """`base` + drawn numbers, drawn again until no two are equal."""
    numbers = base + draw(count)
    while True:
        first = np.unique(numbers, return_index=True)[1]
        if len(first) == count:
            return np.asarray(numbers)
        again = np.ones(count, dtype=bool)
        again[first] = False
        rows = np.flatnonzero(again)
        numbers[rows] = (base if isinstance(base, int) else base[rows]) + draw(len(rows))


def passports(
    series: dict[str, float], count: int, serials: range, rng: np.random.Generator
) -> pa.StringArray:
    """Two letters from `series` (with their shares) and seven digits from `serials`, each passport once."""
    shares = np.array(list(series.values()))

    def draw(missing: int) -> Ints:
        letters = rng.choice(len(shares), size=missing, p=shares / shares.sum())
        return np.asarray(letters * 10**7 + rng.integers(serials.start, serials.stop, missing))

    numbers = distinct(draw, count)
    letters = pa.array(list(series)).take(pa.array(numbers // 10**7))
    return pc.binary_join_element_wise(letters, as_text(numbers % 10**7, 7), "")


def foreign_passports(count: int, rng: np.random.Generator) -> pa.StringArray:
    """A letter and eight digits, as on Korean passports; each once."""
    numbers = distinct(lambda n: rng.integers(10**7, 10**8, n), count)
    return pc.binary_join_element_wise(pa.scalar("M"), as_text(numbers, 8), "")
