from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from suzani.infra.db import Tx
from suzani.kernel import NotFound
from suzani.profiles import Golden, customer
from suzani.profiles.types import Balance
from tests.profiles.bank import KARIMOV, KIM_TWIN, RETIRED


async def golden_of(tx: Tx, person: int) -> dict[str, Golden]:
    return {entry.attribute: entry for entry in (await customer(tx, person)).profile.golden}


async def test_a_golden_value_tells_where_it_comes_from_and_what_it_beat(tx: Tx) -> None:
    phone = (await golden_of(tx, KARIMOV))["phone"]
    assert phone.value == "998935550011"
    assert phone.origin
    assert (phone.origin.system, phone.origin.record_id, phone.rule) == ("cards", 102, "most_recent")
    assert phone.origin.updated_at
    assert phone.origin.updated_at.date() == date(2025, 7, 2)
    assert [(lost.value, lost.origin.record_id) for lost in phone.lost] == [
        ("+998 90 123-45-67", 101),
        ("90 123 45 67", 103),
    ]


async def test_a_person_with_one_record_has_provenance_too(tx: Tx) -> None:
    name = (await golden_of(tx, KIM_TWIN))["full_name"]
    assert (name.value, name.rule, name.origin and name.origin.record_id) == ("KIM MINHO", "only", 108)
    assert (await golden_of(tx, KIM_TWIN))["phone"].value is None


async def test_a_customer_has_records_products_evidence_and_balances(tx: Tx) -> None:
    found = await customer(tx, KARIMOV)
    assert [record.record_id for record in found.records] == [102, 101, 103]
    assert len(found.products) == 4
    assert found.profile.balances == (
        Balance("USD", Decimal("0.00"), Decimal("5000.00")),
        Balance("UZS", Decimal("1550000.50"), Decimal("0.00")),
    )
    assert found.edges[0].evidence[0].field == "family_name"
    assert not found.profile.may_market


async def test_the_history_shows_values_before_and_after(tx: Tx) -> None:
    history = (await customer(tx, KARIMOV)).history
    assert [entry.kind for entry in history][:1] == ["record_changed"]
    changed = {change.field: (change.before, change.after) for change in history[0].changes}
    assert changed["phone"] == ("+998 90 000-11-22", "+998 90 123-45-67")
    assert changed["email"] == (None, "aziz.karimov@mail.uz")
    assert "given_name" not in changed
    assert {entry.kind for entry in history} == {
        "record_changed",
        "record_added",
        "person_created",
        "person_merged",
    }


async def test_a_merged_person_leads_to_the_one_they_went_to(tx: Tx) -> None:
    assert (await customer(tx, RETIRED)).profile.person_id == KARIMOV


async def test_an_unknown_person_is_not_found(tx: Tx) -> None:
    with pytest.raises(NotFound, match="no person has the id 999"):
        await customer(tx, 999)
