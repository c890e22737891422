from __future__ import annotations

from datetime import date

import msgspec
from psycopg import sql

from suzani.infra.db import Tx, fetch
from suzani.profiles import GOLDEN_OF, PRODUCTS_OF, PROFILE_FIELDS, Facts, facts, facts_of
from tests.profiles.bank import KARIMOV, KIM_TWIN


async def test_facts_hold_golden_values_consent_and_products(tx: Tx) -> None:
    found = (await facts(tx, [KARIMOV, KIM_TWIN]))[KARIMOV]
    assert tuple(found.profile) == PROFILE_FIELDS
    assert (found.profile["phone"], type(found.profile["birth_date"])) == ("998935550011", date)
    assert found.consent["marketing"] == "denied"
    assert len(found.products) == 4
    assert {"number", "kind", "currency", "balance", "system"} <= set(found.products[0])


async def test_facts_are_the_same_when_they_are_nested_in_another_query(tx: Tx) -> None:
    golden = GOLDEN_OF.column("golden", persons="array[who.person_id]")
    products = PRODUCTS_OF.column("products", persons="array[who.person_id]")
    query = sql.SQL("select who.person_id, {}, {} from identity.person as who").format(golden, products)
    rows = await fetch(tx, query)
    direct = await facts(tx, [row["person_id"] for row in rows])
    assert direct
    for row in rows:
        expected = direct.get(row["person_id"], Facts({}, {}))
        assert as_json(facts_of(row["golden"], row["products"])) == as_json(expected)


def as_json(found: Facts) -> bytes:
    return msgspec.json.Encoder(decimal_format="number").encode(found)


async def test_persons_without_a_profile_have_no_facts(tx: Tx) -> None:
    assert await facts(tx, [999_999]) == {}
    assert await facts(tx, []) == {}
