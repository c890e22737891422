from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from suzani.profiles import golden, load_survivorship
from suzani.profiles.survivorship import Choice, Survivorship
from tests.profiles.bank import at, record

TODAY = date(2026, 9, 1)
SHIPPED = load_survivorship()
NO_PRODUCTS = golden.PRODUCT_SCHEMA.empty_table()


def profiles(rows: Sequence[dict[str, Any]], rules: Survivorship = SHIPPED) -> list[dict[str, Any]]:
    filled = [{field.name: row.get(field.name) for field in golden.RECORD_SCHEMA} for row in rows]
    table = pa.Table.from_pylist(filled, schema=golden.RECORD_SCHEMA)
    made = golden.compute(table, NO_PRODUCTS, rules, TODAY).to_pylist()
    return [{**row, "provenance": json.loads(row["provenance"])} for row in made]


def profile(*rows: dict[str, Any], rules: Survivorship = SHIPPED) -> dict[str, Any]:
    return profiles(
        [{"person_id": 1, "record_id": n, "system": "cards", **row} for n, row in enumerate(rows, 1)], rules
    )[0]


def by(attribute: str, *rules: str) -> Survivorship:
    return Survivorship(SHIPPED.trusted_sources, {**SHIPPED.choices, attribute: Choice(attribute, rules)})


def test_each_rule_chooses_and_is_named() -> None:
    rows = (
        {"system": "cards", "email": "b@mail.uz", "updated_at": at(2025)},
        {"system": "core_banking", "email": "broken", "updated_at": at(2024)},
        {"system": "lending", "email": "much.longer@mail.uz", "updated_at": at(2023)},
        {"system": "lending", "email": "MUCH.longer@mail.uz", "updated_at": at(2022)},
    )
    expected = {
        "validated": "b@mail.uz",
        "trusted_source": "broken",
        "most_recent": "b@mail.uz",
        "most_frequent": "much.longer@mail.uz",
        "longest": "much.longer@mail.uz",
    }
    for rule, value in expected.items():
        made = profile(*rows, rules=by("email", rule, "most_recent"))
        assert made["email"] == value
        assert made["provenance"]["email"][1] == ("most_recent" if rule == "validated" else rule)


def test_later_rules_break_the_ties_of_earlier_ones() -> None:
    made = profile(
        {"phone": "+998901111122", "updated_at": at(2020)},
        {"phone": "+998903333344", "updated_at": at(2024)},
        {"phone": "12", "updated_at": at(2025)},
    )
    assert made["phone"] == "+998903333344"
    assert made["provenance"]["phone"] == [1, "most_recent", [], [["+998901111122", 0], ["12", 2]]]


def test_spellings_of_one_name_in_several_scripts_agree() -> None:
    made = profile(
        {"family_name": "Каримов", "system": "core_banking"},
        {"family_name": "KARIMOV"},
        {"family_name": "Karimov"},
    )
    assert made["family_name"] == "Каримов"
    assert made["provenance"]["family_name"] == [0, "agreed", [1, 2], []]


def test_a_name_is_taken_from_one_record() -> None:
    made = profile(
        {"system": "core_banking", "family_name": "Каримов", "given_name": "Азиз"},
        {"system": "lending", "family_name": "Karimov", "given_name": "Aziz", "patronymic": "Rustamovich"},
    )
    assert (made["family_name"], made["given_name"]) == ("Karimov", "Aziz")
    assert made["display_name"] == "Karimov Aziz Rustamovich"


def test_a_placeholder_never_survives_and_is_kept_as_lost() -> None:
    made = profile(
        {"birth_date": date(1900, 1, 1), "updated_at": at(2026), "system": "core_banking"},
        {"birth_date": date(1985, 3, 14), "updated_at": at(2001)},
    )
    assert made["birth_date"] == date(1985, 3, 14)
    assert made["provenance"]["birth_date"] == [1, "only", [], [["1900-01-01", 0]]]
    assert profile({"given_name": "нет"})["given_name"] is None


def test_the_most_recent_statement_on_consent_wins_and_a_denial_wins_ties() -> None:
    granted = {"marketing_consent": "granted", "consent_at": at(2024)}
    denied = {"marketing_consent": "denied", "consent_at": at(2024)}
    assert profile(granted, {**denied, "consent_at": at(2023)})["marketing_consent"] == "granted"
    assert profile(granted, {**denied, "consent_at": at(2025)})["marketing_consent"] == "denied"
    assert profile(granted, denied)["marketing_consent"] == "denied"
    assert profile({"given_name": "Азиз"})["marketing_consent"] is None


def test_a_consent_without_a_date_does_not_outlive_a_denial() -> None:
    undated = {"marketing_consent": "granted", "updated_at": at(2026)}
    assert (
        profile(undated, {"marketing_consent": "denied", "consent_at": at(2019)})["marketing_consent"]
        == "denied"
    )


def test_products_are_counted_and_what_is_held_is_not_mixed_with_what_is_owed() -> None:
    record_table = pa.Table.from_pylist(
        [{f.name: None for f in golden.RECORD_SCHEMA} | record(1, 1, "cards")], schema=golden.RECORD_SCHEMA
    )
    rows = [
        ("a", "account", "10.50", True),
        ("b", "deposit", "2.00", True),
        ("c", "loan", "7.00", True),
        ("d", "card", "9", False),
    ]
    rows.append(("e", "guarantee", "99.00", True))
    products = pa.table(
        {
            "person_id": [1] * 5,
            "number": [row[0] for row in rows],
            "kind": [row[1] for row in rows],
            "system": ["cards"] * 5,
            "currency": ["UZS"] * 5,
            "balance": pa.array([row[2] for row in rows]).cast(pa.decimal128(20, 2)),
            "is_open": [row[3] for row in rows],
        }
    )
    made = golden.compute(record_table, products, SHIPPED, TODAY).to_pylist()[0]
    assert made["product_count"] == 5
    assert made["product_kinds"] == ["account", "card", "deposit", "guarantee", "loan"]
    assert json.loads(made["balances"]) == {"UZS": ["12.50", "7.00"]}


def test_nobody_gives_no_profiles() -> None:
    assert profiles([]) == []


NAMES = st.sampled_from(["Азиз", "Aziz", "нет", "Bob", "김민수", None])
ROWS = st.builds(
    lambda person, name, phone, month, system: {
        "person_id": person, "given_name": name, "phone": phone, "updated_at": at(2024, month),
        "system": system,
    },
    st.integers(1, 4),
    NAMES,
    st.sampled_from(["+998901234567", "901234567", "998000000000", None]),
    st.integers(1, 12),
    st.sampled_from(["cards", "core_banking", "unheard_of"]),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=12))
def test_a_person_gets_the_same_golden_record_alone_as_among_others(rows: list[dict[str, Any]]) -> None:
    numbered = sorted(
        ({**row, "record_id": number} for number, row in enumerate(rows, 1)), key=lambda row: row["person_id"]
    )
    together = {row["person_id"]: row for row in profiles(numbered)}
    for person in together:
        alone = profiles([row for row in numbered if row["person_id"] == person])
        assert alone == [together[person]]


@settings(max_examples=40, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=12))
def test_every_value_of_a_record_is_golden_agrees_or_lost(rows: list[dict[str, Any]]) -> None:
    mine = [{**row, "person_id": 1, "record_id": number} for number, row in enumerate(rows, 1)]
    made = profiles(mine)[0]
    for name in ("given_name", "phone"):
        held = {place for place, row in enumerate(mine) if row[name] is not None}
        why = made["provenance"].get(name)
        if len(mine) == 1 or made[name] is None:
            continue
        winner, _, also, lost = why
        assert {winner, *also, *(place for _, place in lost)} == held
        assert made[name] == mine[winner][name]
        assert all(mine[place][name] == value for value, place in lost)
