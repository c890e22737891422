"""A small system with every kind of column, and ways to write its extracts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from suzani.infra.db import Query, fetch
from suzani.infra.platform import Platform
from suzani.sources import LoadReport

MAPPING = """\
system: bank
mode: snapshot
format: {type: csv, delimiter: ";"}
key: [NO]
previous_key: OLD_NO
deleted: {column: STATE, values: [GONE]}
as_of: {column: UPDATED, format: "%d.%m.%Y %H:%M:%S", timezone: Asia/Tashkent}
attributes:
  family_name: LAST
  given_name: FIRST
  birth_date: {column: BORN, format: "%d.%m.%Y"}
  sex: {column: SEX, values: {M: male, F: female}}
  phone: PHONE
  marketing_consent: {column: ADS, values: {Y: granted, N: denied}}
products:
  - kind: card
    number: CARD
    balance: {column: BALANCE, decimal: ",", thousands: " "}
    currency: CUR
    opened_on: {column: OPENED, format: "%d.%m.%Y"}
extra: [BRANCH]
"""

COLUMNS = "NO OLD_NO STATE UPDATED LAST FIRST BORN SEX PHONE ADS CARD BALANCE CUR OPENED BRANCH".split()


def row(no: object, **changes: str) -> str:
    """One line of the bank's extract."""
    values = {
        "NO": str(no),
        "STATE": "OK",
        "UPDATED": "01.02.2024 10:00:00",
        "LAST": f"Каримов{no}",
        "FIRST": "Али",
        "BORN": "05.06.1980",
        "SEX": "M",
        "PHONE": f"+99890{no}",
        "ADS": "Y",
        "CARD": f"8600{no}",
        "BALANCE": "1 234,56",
        "CUR": "UZS",
        "OPENED": "01.01.2020",
        "BRANCH": "Центр",
    } | changes
    return ";".join(values.get(name, "") for name in COLUMNS)


def extract(*lines: str) -> str:
    """A whole extract with its header."""
    return "\n".join([";".join(COLUMNS), *lines]) + "\n"


LoadBank = Callable[..., Awaitable[LoadReport]]


async def rows_of(platform: Platform, text: str, **params: Any) -> list[dict[str, Any]]:
    """The rows of a query."""
    async with platform.db.transaction() as tx:
        return await fetch(tx, Query(text), **params)
