"""What rules and channels may ask about persons: golden values, consent and products, for many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from suzani.infra.db import Nested, Tx
from suzani.kernel import ATTRIBUTES
from suzani.profiles import store
from suzani.profiles.golden import CONSENT

_COUNTED: Final = ("display_name", "record_count", "systems", "product_count", "product_kinds", "balances")
PROFILE_FIELDS: Final = (*ATTRIBUTES, *_COUNTED)
"""What `Facts.profile` holds, by name."""

_PRODUCT_FIELDS: Final = (
    "number", "kind", "name", "currency", "balance", "status", "opened_on", "closed_on", "system"
)  # fmt: skip


Row: TypeAlias = Mapping[str, Any]

GOLDEN_OF: Final = Nested(store.queries.facts, dict[str, Any])
"""The golden values of `persons`, for `facts_of`."""

PRODUCTS_OF: Final = Nested(store.queries.products_of_persons, dict[str, Any])
"""The products of `persons`, for `facts_of`."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One person: `profile` by PROFILE_FIELDS, `consent` by purpose (granted, denied or None), products."""

    profile: Mapping[str, Any]
    consent: Mapping[str, Any]
    products: tuple[Mapping[str, Any], ...] = ()


async def facts(tx: Tx, persons: Collection[int]) -> dict[int, Facts]:
    """What is known of these persons, by person id; those without a profile are left out."""
    products = defaultdict[int, list[Row]](list)
    for row in await store.products_of_persons(tx, persons) if persons else ():
        products[row["person_id"]].append(row)
    rows = await store.facts(tx, persons) if persons else []
    return {row["person_id"]: _facts(row, products.get(row["person_id"], ())) for row in rows}


def facts_of(golden: str | None, products: str | None) -> Facts:
    """What the columns of `GOLDEN_OF` and `PRODUCTS_OF` say of one person, with dates as texts."""
    held = PRODUCTS_OF.read(products)
    for row in GOLDEN_OF.read(golden):
        at = row["consent_at"]
        return _facts(row | {"consent_at": at and datetime.fromisoformat(at)}, held)
    return Facts({}, {}, _products(held))


def _facts(row: Row, products: Sequence[Row]) -> Facts:
    profile = {name: row[name] for name in PROFILE_FIELDS}
    consent = {"marketing": row[CONSENT], "marketing_at": row["consent_at"]}
    return Facts(profile, consent, _products(products))


def _products(rows: Sequence[Row]) -> tuple[Row, ...]:
    return tuple({name: row[name] for name in _PRODUCT_FIELDS} for row in rows)
