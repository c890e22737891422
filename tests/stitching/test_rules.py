from __future__ import annotations

from pathlib import Path

import pytest

from suzani.kernel import InvalidInput, NotFound
from suzani.stitching import load_identifiers


def test_the_shipped_rules_know_the_kinds_of_a_bank_strongest_first() -> None:
    kinds = load_identifiers().kinds
    assert list(kinds) == [
        "user_id", "product_number", "email", "phone", "device_id", "advertising_id", "cookie_id",
        "anonymous_id",
    ]  # fmt: skip
    assert [name for name, kind in kinds.items() if kind.anchor] == ["user_id", "product_number"]


def test_an_own_file_changes_what_it_names(tmp_path: Path) -> None:
    tmp_path.joinpath("identifiers.yaml").write_text(
        "kinds:\n"
        "  user_id: {systems: [core_banking]}\n"
        "  cookie_id: null\n"
        "  loyalty_number: {paths: [properties.loyalty_number], priority: 95, anchor: true}\n"
        "blocked: {values: [nobody]}\n"
    )
    rules = load_identifiers(tmp_path)
    assert rules.kinds["user_id"].systems == ("core_banking",)
    assert rules.kinds["user_id"].anchor
    assert "cookie_id" not in rules.kinds
    assert list(rules.kinds)[1] == "loyalty_number"
    assert rules.kinds["user_id"].read("Nobody") is None
    assert rules.kinds["user_id"].read("undefined") == "undefined"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kinds: {user_id: {prioritie: 5}}", "prioritie"),
        ("kinds: {user_id: {paths: [event.user]}}", "event.user"),
        ("kinds: {email: {in_events: {event.email: [Email Opened]}}}", "event.email"),
        (
            "kinds: {email: {in_events: {properties.email: Email Opened}}}",
            "in_events.properties.email must",
        ),
        ("kinds: {email: {in_events: [Email Opened]}}", "in_events must be a mapping"),
        ("kinds: {user_id: {priority: 70}}", "a priority of its own"),
        ("kinds: {user_id: {limit: 0}}", "whole number"),
        ("kinds: {user_id: {form: e-mail}}", "form"),
        ("kinds: {user_id: {points_to: contact}}", "the form email or phone"),
        ("kinds: {user_id: {anchor: maybe}}", "true or false"),
        ("kinds: {User: {paths: [user_id], priority: 5}}", "small letters"),
        ("kinds: [user_id]", "must be a mapping"),
        ("blocked: {patterns: ['(']}", "is no pattern"),
        ("blocked: {values: [1]}", "list of texts"),
        ("other: 1", "other"),
        ("{", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(tmp_path: Path, text: str, said: str) -> None:
    tmp_path.joinpath("identifiers.yaml").write_text(text)
    with pytest.raises(InvalidInput, match=said) as raised:
        load_identifiers(tmp_path)
    assert "identifiers.yaml" in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "value", "form"),
    [
        ("user_id", " 42 ", "42"),
        ("user_id", 42, "42"),
        ("user_id", True, None),
        ("user_id", "null", None),
        ("user_id", "[object Object]", None),
        ("user_id", "00000000-0000-0000-0000-000000000000", None),
        ("anonymous_id", "ffffffff-ffff-ffff-ffff-ffffffffffff", None),
        ("user_id", "7", "7"),
        ("user_id", "a\tb", None),
        ("user_id", "\ud800", None),
        ("email", "Ann <ANN@bank.uz>", "ann@bank.uz"),
        ("email", "test@bank.uz", None),
        ("phone", "90 123 45 67", "998901234567"),
        ("phone", "998000000000", None),
        ("advertising_id", "ABCDEF01-2345", "abcdef01-2345"),
    ],
)
def test_values_have_one_form_or_identify_nobody(kind: str, value: object, form: str | None) -> None:
    assert load_identifiers().kinds[kind].read(value) == form


def test_what_people_type_is_checked() -> None:
    rules = load_identifiers()
    with pytest.raises(NotFound, match="e_mail"):
        rules.name("e_mail", "ann@bank.uz")
    with pytest.raises(InvalidInput, match="identifies anybody"):
        rules.name("email", "nobody")
