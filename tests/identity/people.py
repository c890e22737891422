"""A small seeded town: people in households, and records of them as clerks type them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.kernel import Kind

KINDS: Mapping[str, Kind] = {
    "given_name": Kind.GIVEN_NAME,
    "family_name": Kind.FAMILY_NAME,
    "patronymic": Kind.PATRONYMIC,
    "sex": Kind.SEX,
    "birth_date": Kind.BIRTH_DATE,
    "national_id": Kind.NATIONAL_ID,
    "phone": Kind.PHONE,
    "address": Kind.ADDRESS,
    "city": Kind.CITY,
}
NO_ID: Mapping[str, Kind] = {name: kind for name, kind in KINDS.items() if name != "national_id"}

_MALE = (
    "Akmal Anvar Bobur Davron Eldor Farrukh Jasur Karim Laziz Mansur Nodir Otabek Rustam Sardor Temur".split()
)
_FEMALE = (
    "Aziza Barno Dilnoza Feruza Gulnora Iroda Kamola Lola Malika Nargiza Oydin Rano Sevara Umida".split()
)
_FATHERS = (
    "Aziz Botir Gafur Khamid Ilkhom Murod Olim Pulat Rashid Salim Tokhir Ulugbek Vali Yusuf Zafar".split()
)
_ROOTS = (
    "Abdull Akhmed Boboj Choriy Davlat Ergash Fayzull Gaybull Hoshim Islom Jor Karim Latip Mirz Nazar "
    "Olim Pulat Qodir Rahim Saidal Tosh Umar Vohid Yunus Zokir Mahmud Sobir Tur Xolmat Husan"
).split()
_STREETS = "Navoi Furkat Mukimi Bunyodkor Chilonzor Beruni Fargona Oybek Shota Yakkasaroy".split()
_CITIES = ("Toshkent", "Toshkent", "Toshkent", "Samarqand", "Buxoro", "Andijon", "Namangan")
_SPELLINGS = (("kh", "h"), ("sh", "sh"), ("o", "u"), ("j", "zh"), ("q", "k"), ("x", "kh"), ("y", "i"))


@dataclass(frozen=True)
class Person:
    """One person's true values."""

    given_name: str
    family_name: str
    patronymic: str
    sex: str
    birth_date: str
    national_id: str
    phone: str
    address: str
    city: str


def pinfl(birth_date: str, sex: str, serial: int) -> str:
    """A valid number for a birth date YYYY-MM-DD."""
    first = {("19", "M"): "3", ("19", "F"): "4", ("20", "M"): "5", ("20", "F"): "6"}[birth_date[:2], sex]
    body = f"{first}{birth_date[8:]}{birth_date[5:7]}{birth_date[2:4]}{serial % 1_000_000:06}"
    return body + str(sum(int(d) * w for d, w in zip(body, (7, 3, 1) * 5, strict=False)) % 10)


def household(source: Random) -> list[Person]:
    """One to four people of one address, family name and phone."""
    root = source.choice(_ROOTS) + source.choice(["ov", "ev"])
    father = source.choice(_FATHERS)
    phone = f"+99890{source.randrange(2_000_000, 9_999_999)}"
    address = (
        f"{source.choice(_STREETS)} ko'chasi {source.randrange(1, 90)}, {source.randrange(1, 60)} xonadon"
    )
    city = source.choice(_CITIES)
    people = []
    for _ in range(source.choice([1, 1, 2, 3, 4])):
        sex = source.choice("MF")
        born = f"{source.randrange(1940, 2005)}-{source.randrange(1, 13):02}-{source.randrange(1, 29):02}"
        people.append(
            Person(
                source.choice(_MALE if sex == "M" else _FEMALE),
                root + ("a" if sex == "F" else ""),
                father + ("ovich" if sex == "M" else "ovna"),
                sex,
                born,
                pinfl(born, sex, source.randrange(10**6)),
                phone if source.random() < 0.5 else f"+99893{source.randrange(2_000_000, 9_999_999)}",
                address,
                city,
            )
        )
    return people


def _slip(source: Random, text: str) -> str:
    """One wrong, missing, doubled or swapped letter."""
    if len(text) < 4:
        return text
    at = source.randrange(1, len(text) - 2)
    return source.choice(
        [
            text[:at] + source.choice("aeioknrst") + text[at + 1 :],
            text[:at] + text[at + 1 :],
            text[:at] + text[at] + text[at:],
            text[:at] + text[at + 1] + text[at] + text[at + 2 :],
        ]
    )


def typed(source: Random, person: Person, noise: float) -> dict[str, str | None]:
    """One record of a person, with about `noise` of the values spoiled."""
    row: dict[str, str | None] = dict(vars(person))
    for name in ("given_name", "family_name", "patronymic", "address"):
        if source.random() < noise:
            row[name] = _slip(source, row[name] or "")
        elif source.random() < noise:
            old, new = source.choice(_SPELLINGS)
            row[name] = (row[name] or "").replace(old, new)
    if source.random() < noise / 2:
        row["given_name"], row["family_name"] = row["family_name"], row["given_name"]
    if source.random() < noise:
        year, month, day = person.birth_date.split("-")
        row["birth_date"] = source.choice(
            [f"{day}.{month}.{year}", f"{year}-{month}-{(int(day) % 28) + 1:02}"]
        )
    for name in ("patronymic", "sex", "national_id", "phone", "address", "birth_date"):
        if source.random() < noise * (0.3 if name == "birth_date" else 1):
            row[name] = None
    return row


def town(
    people: int, seed: int = 1, noise: float = 0.15, copies: tuple[int, ...] = (1, 1, 2, 3, 4)
) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """Records of about `people` persons in shuffled order, and the true person of each."""
    source = Random(seed)
    persons: list[Person] = []
    while len(persons) < people:
        persons += household(source)
    rows = [
        (number, typed(source, person, noise))
        for number, person in enumerate(persons)
        for _ in range(source.choice(copies))
    ]
    source.shuffle(rows)
    table = pa.table({name: pa.array([row[name] for _, row in rows], pa.string()) for name in KINDS})
    return table, np.array([number for number, _ in rows], dtype=np.int64)


def twin(person: Person) -> Person:
    """Someone who differs from `person` by a valid national id alone, in every digit of its serial."""
    serial = int("".join(str((int(digit) + 5) % 10) for digit in person.national_id[7:13]))
    return replace(person, national_id=pinfl(person.birth_date, person.sex, serial))


def table_of(*rows: Person) -> pa.Table:
    """Flawless records."""
    return pa.table({name: pa.array([getattr(row, name) for row in rows], pa.string()) for name in KINDS})
