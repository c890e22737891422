"""The accounts, cards, loans and other products of each system's customers; whole columns at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from suzani.demo.identifiers import as_text, digits_of, distinct
from suzani.demo.types import TODAY, Bools, Days, Ints, Records, Streams


@dataclass(frozen=True)
class Products:
    """One group of products, a row for each record: null `number` where the customer has none.

    `balance` is in hundredths (tiyin, cents); `status` and `currency` are numbers that layouts name.
    """

    number: pa.StringArray
    currency: Ints
    """0 UZS, 1 USD, 2 EUR."""
    balance: Ints
    status: Ints
    """0 active, 1 blocked or overdue, 2 closed."""
    opened: Days
    closed: pa.Array
    """date32; null while the product is open."""
    kind: Ints
    """Which of the system's product names."""


@dataclass(frozen=True)
class _Terms:
    share: float
    typical: float
    """Median balance in whole UZS."""
    spread: float
    foreign: float
    kinds: int


_TERMS: dict[str, tuple[_Terms, ...]] = {
    "core_banking": (_Terms(1, 1_200_000, 1.6, 0.0, 2), _Terms(0.18, 4_000_000, 1.4, 1.0, 1)),
    "cards": (_Terms(1, 900_000, 1.5, 0.12, 4), _Terms(0.22, 700_000, 1.5, 0.3, 4)),
    "lending": (_Terms(1, 22_000_000, 0.9, 0.0, 3),),
    "deposits": (_Terms(1, 15_000_000, 1.2, 0.25, 3),),
    "trade_finance": (_Terms(1, 400_000_000, 1.1, 0.9, 2),),
    "mortgage": (_Terms(1, 260_000_000, 0.5, 0.0, 2),),
    "investment": (_Terms(1, 12_000_000, 1.6, 0.35, 2),),
}
_RATE = np.array([1, 12_650, 13_800])
"""UZS for one unit of each currency."""
CARD_KINDS = ("HUMO", "UZCARD", "VISA CLASSIC", "MASTERCARD GOLD")
_CARD_BINS = np.array([986012, 860033, 426394, 544081])


def _account_numbers(currency: Ints, rng: np.random.Generator) -> pa.StringArray:
    """20 digits: balance account, currency code, check digit and customer part."""
    unique = distinct(lambda n: rng.integers(10**10, 10**11, n), len(currency))
    code = pa.array(["000", "840", "978"]).take(pa.array(currency))
    return pc.binary_join_element_wise(pa.scalar("202060"), code, as_text(unique, 11), "")


def _card_numbers(kind: Ints, rng: np.random.Generator) -> pa.StringArray:
    """Card numbers as statements show them: first six and last four digits, the last one a Luhn digit."""
    middle = distinct(lambda n: rng.integers(0, 10**9, n), len(kind))
    stem = _CARD_BINS[kind] * 10**9 + middle
    doubled = digits_of(stem, 15) * np.array([2, 1] * 7 + [2])
    total = (doubled // 10 + doubled % 10).sum(axis=1)
    whole = stem * 10 + (-total) % 10
    return pc.binary_join_element_wise(
        as_text(whole // 10**10, 6), pa.scalar("******"), as_text(whole % 10**4, 4), ""
    )


def _contract_numbers(prefix: str, opened: Days, rng: np.random.Generator) -> pa.StringArray:
    """Contract numbers such as KR-2021/0482913."""
    unique = distinct(lambda n: rng.integers(10**6, 10**8, n), len(opened))
    year = as_text(opened.astype("datetime64[Y]").astype(np.int64) + 1970, 4)
    left = pc.binary_join_element_wise(pa.scalar(prefix), year, "-")
    return pc.binary_join_element_wise(left, as_text(unique, 8), "/")


_PREFIX = {"lending": "KR", "deposits": "DP", "trade_finance": "TF", "mortgage": "IP", "investment": "BR"}


def _numbers(
    system: str, currency: Ints, kind: Ints, opened: Days, rng: np.random.Generator
) -> pa.StringArray:
    if system == "core_banking":
        return _account_numbers(currency, rng)
    if system == "cards":
        return _card_numbers(kind, rng)
    return _contract_numbers(_PREFIX[system], opened, rng)


def _group(
    system: str, terms: _Terms, records: Records, changed: Bools, rng: np.random.Generator
) -> Products:
    count = len(records)
    held = rng.random(count) < terms.share
    currency = np.where(rng.random(count) < terms.foreign, rng.integers(1, 3, count), 0)
    currency[(currency == 2) & (rng.random(count) < 0.7)] = 1
    kind = np.minimum(rng.geometric(0.5, count) - 1, terms.kinds - 1)
    span = (TODAY - records.opened).astype(np.int64)
    later = (span * rng.random(count) ** 2).clip(0).astype(np.int64).astype("timedelta64[D]")
    opened = records.opened + later
    value = terms.typical * np.exp(rng.normal(0, terms.spread, count)) / _RATE[currency]
    balance = np.round(value * 100).astype(np.int64)
    balance = np.where(changed, balance * 93 // 100 + 1_000, balance)
    status = rng.choice(3, size=count, p=[0.86, 0.07, 0.07])
    closed = opened + rng.integers(30, 900, count).astype("timedelta64[D]")
    status[(status == 2) & (closed >= TODAY)] = 0
    number = _numbers(system, currency, kind, opened, rng)
    number = pc.if_else(pa.array(held), number, pa.scalar(None, pa.string()))
    balance = np.where(status == 2, 0, balance)
    return Products(number, currency, balance, status, opened, pa.array(closed, mask=status != 2), kind)


def make_products(system: str, records: Records, changed: Bools, streams: Streams) -> tuple[Products, ...]:
    """The product groups of one system's records; balances move where the record changed."""
    return tuple(
        _group(system, terms, records, changed, streams(f"{system}.products.{number}"))
        for number, terms in enumerate(_TERMS[system])
    )
