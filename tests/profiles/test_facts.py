from __future__ import annotations

from datetime import date

from suzani.infra.db import Tx
from suzani.profiles import PROFILE_FIELDS, facts
from tests.profiles.bank import KARIMOV, KIM_TWIN


async def test_facts_hold_golden_values_consent_and_products(tx: Tx) -> None:
    found = (await facts(tx, [KARIMOV, KIM_TWIN]))[KARIMOV]
    assert tuple(found.profile) == PROFILE_FIELDS
    assert (found.profile["phone"], type(found.profile["birth_date"])) == ("998935550011", date)
    assert found.consent["marketing"] == "denied"
    assert len(found.products) == 4
    assert {"number", "kind", "currency", "balance", "system"} <= set(found.products[0])


async def test_facts_may_go_without_products(tx: Tx) -> None:
    found = await facts(tx, [KARIMOV], with_products=False)
    assert found[KARIMOV].products == ()


async def test_persons_without_a_profile_have_no_facts(tx: Tx) -> None:
    assert await facts(tx, [999_999]) == {}
    assert await facts(tx, []) == {}
