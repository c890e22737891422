"""What the demo bank is made of: parameters, columns of people and records, spelling habits."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]
"""datetime64[D]: calendar days in Tashkent."""

GENERATOR_VERSION = 1
"""Raised whenever the same parameters give other bytes."""

DEFAULT_RECORDS = 20_000
DEFAULT_SEED = 20_260_901

PEOPLE_PER_RECORD = 0.725
"""580,000 people hold 800,000 records."""

TODAY = np.datetime64("2026-09-01", "D")
"""The day on which the first month's extracts were made."""

NEXT_MONTH = np.datetime64("2026-10-01", "D")
"""The day on which the second month's extracts were made."""


class Habit(IntEnum):
    """How a clerk, or a system, spells names."""

    RUSSIAN = 0
    RUSSIAN_OLD = 1
    UZBEK_CYRILLIC = 2
    UZBEK_LATIN = 3
    UZBEK_LETTERS = 4
    """One letter for one sound: ş ç ö ğ."""
    PASSPORT = 5
    """Plain Latin transliterated from Russian, as in older passports and on cards."""
    PLAIN = 6
    """Plain Latin without apostrophes."""
    HANGUL = 7


class Culture(IntEnum):
    """Which customs of naming a family follows."""

    UZBEK = 0
    RUSSIAN = 1
    TATAR = 2
    KAZAKH = 3
    KORYO = 4
    """Koreans of Central Asia: Korean family names, Russian given names."""
    KOREA = 5
    ENGLISH = 6


class Role(IntEnum):
    """A person's place in the household."""

    HUSBAND = 0
    WIFE = 1
    CHILD = 2


@dataclass(frozen=True)
class Generated:
    """Where a generated bank lies and how large it is; `records` leaves out the broken rows."""

    out: Path
    extracts: dict[str, Path]
    truth: Path
    records: int
    people: int
    broken: int
    seed: int
    month: int
    reused: bool = False


@dataclass(frozen=True)
class People:
    """Every person once, as equally long columns; `old` and `new` ones change on the person's own day."""

    culture: Ints
    household: Ints
    role: Ints
    sex: Ints
    birth: Days
    given: Ints
    family: Ints
    maiden: Ints
    married_on: Days
    father: Ints
    patronymic_style: Ints
    phone_old: Ints
    phone_new: Ints
    phone_changed: Days
    landline: Ints
    address_old: Ints
    address_new: Ints
    moved_on: Days
    passport_old: pa.StringArray
    passport_new: pa.StringArray
    passport_changed: Days
    national_id: pa.StringArray
    tax_id: pa.StringArray
    email: pa.StringArray
    email_2: pa.StringArray
    occupation: Ints
    employer: Ints
    consents: Bools

    def __len__(self) -> int:
        return len(self.sex)


@dataclass(frozen=True)
class Addresses:
    """Every address once; people point into it. `flat` 0 is a house of its own."""

    place: Ints
    street: Ints
    house: Ints
    letter: Ints
    flat: Ints
    postcode: Ints


@dataclass(frozen=True)
class Records:
    """Every record once, in the order in which its system's extract holds it."""

    person: Ints
    system: Ints
    clerk: Ints
    opened: Days
    updated: npt.NDArray[np.datetime64]
    """datetime64[s], Tashkent time: the system's own 'last updated'."""
    known_on: Days
    """The day whose phone, address, name and passport the record shows; earlier than `updated` if stale."""
    key: Ints
    month: Ints
    """1, or 2 for records that first appear in the second month."""

    def take(self, rows: Ints | Bools) -> Records:
        """The chosen rows, in the order given."""
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in self.__dataclass_fields__}
        return Records(**columns)

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True)
class Streams:
    """Independent random streams by name, so that a change in one part leaves the others alone."""

    seed: int

    def __call__(self, name: str) -> np.random.Generator:
        """The stream called `name`: the same numbers for the same seed, always."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])
