"""What rules and channels may ask about persons: golden values, consent and products, for many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from suzani.infra.db import Tx
from suzani.kernel import ATTRIBUTES
from suzani.profiles import store
from suzani.profiles.golden import CONSENT

_COUNTED: Final = ("display_name", "record_count", "systems", "product_count", "product_kinds", "balances")
PROFILE_FIELDS: Final = (*ATTRIBUTES, *_COUNTED)
"""What `Facts.profile` holds, by name."""

_PRODUCT_FIELDS: Final = (
    "number", "kind", "name", "currency", "balance", "status", "opened_on", "closed_on", "system"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """One person: `profile` by PROFILE_FIELDS, `consent` by purpose (granted, denied or None), products."""

    profile: Mapping[str, Any]
    consent: Mapping[str, Any]
    products: tuple[Mapping[str, Any], ...] = ()


async def facts(tx: Tx, persons: Collection[int], *, with_products: bool = True) -> dict[int, Facts]:
    """What is known of these persons, by person id; those without a profile are left out."""
    products = defaultdict[int, list[Mapping[str, Any]]](list)
    if with_products and persons:
        for row in await store.products_of_persons(tx, persons):
            products[row["person_id"]].append({name: row[name] for name in _PRODUCT_FIELDS})
    rows = await store.facts(tx, persons) if persons else []
    return {row["person_id"]: _facts(row, products.get(row["person_id"], ())) for row in rows}


def _facts(row: dict[str, Any], products: Collection[Mapping[str, Any]]) -> Facts:
    profile = {name: row[name] for name in PROFILE_FIELDS}
    return Facts(profile, {"marketing": row[CONSENT], "marketing_at": row["consent_at"]}, tuple(products))
