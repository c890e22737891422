from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.values.contacts import (
    matching_phones,
    standard_documents,
    standard_emails,
    standard_phone,
    standard_postcodes,
)


@pytest.mark.parametrize(
    "written",
    [
        "+998 90 123-45-78",
        "998901234578",
        "8 (90) 123 45 78",
        "901234578",
        "00998 90 1234578",
        "90-123-45-78\n",
    ],
)
def test_every_way_of_writing_a_phone_gives_its_last_nine_digits(written: str) -> None:
    assert matching_phones([written]) == ["901234578"]


@pytest.mark.parametrize(
    "written",
    ["", "-", "12345", "000000000", "+998 99 9999999", "999999999", "1234567", "1234567890", "no phone"],
)
def test_placeholders_are_no_phones(written: str) -> None:
    assert matching_phones([written]) == [""]


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("+998 90 123-45-78", "998901234578"),
        ("90 123 45 78", "998901234578"),
        ("+82 10-1234-5678", "821012345678"),
        ("+7 (912) 345-67-89", "79123456789"),
        ("12", None),
        ("", None),
        ("call me", None),
    ],
)
def test_a_phone_becomes_its_international_digits(written: str, digits: str | None) -> None:
    assert standard_phone(written) == digits


@given(st.text())
def test_any_text_may_be_asked_for_its_phone(text: str) -> None:
    found = standard_phone(text)
    assert found is None or (found.isdigit() and found.isascii())


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Ann@Mail.UZ", "ann@mail.uz"),
        ("Ann Lee <ann.lee@mail.uz>", "ann.lee@mail.uz"),
        ("mailto:ann@mail.uz.", "ann@mail.uz"),
        ("ann@mail.uz; bob@mail.uz", "ann@mail.uz"),
        ('"ann@mail.uz"', "ann@mail.uz"),
        ("ann at mail.uz", ""),
        ("", ""),
    ],
)
def test_an_email_is_its_bare_address_in_lower_case(written: str, expected: str) -> None:
    assert standard_emails([written]) == [expected]


@pytest.mark.parametrize(
    "written", ["test@test.uz", "none@none.com", "no@mail.uz", "test12@mail.uz", "aaaa@mail.uz", "yoq@yoq.uz"]
)
def test_placeholders_are_no_emails(written: str) -> None:
    assert standard_emails([written]) == [""]


def test_a_mailbox_that_only_begins_like_a_placeholder_is_one() -> None:
    assert standard_emails(["tester@mail.uz", "nodira@mail.uz"]) == ["tester@mail.uz", "nodira@mail.uz"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("AA 1234568", "aa1234568"),
        ("KR-7654321/ab", "kr7654321ab"),
        ("aa-765-4321", "aa7654321"),
        ("AA1234567", ""),
        ("0000000", ""),
        ("AB0000000", ""),
        ("111111111", ""),
        ("-", ""),
    ],
)
def test_a_document_is_its_letters_and_digits(written: str, expected: str) -> None:
    assert standard_documents([written]) == [expected]


def test_cyrillic_and_latin_series_are_one() -> None:
    assert standard_documents(["АА 7654321"]) == standard_documents(["AA7654321"])


def test_postcodes_of_zeros_are_none() -> None:
    assert standard_postcodes(["100 170", "000000", "", "SW1A 1AA"]) == ["100170", "", "", "sw1a1aa"]


@given(st.lists(st.text()))
def test_every_kind_of_contact_keeps_one_form_for_each_value(values: list[str]) -> None:
    for standardise in (matching_phones, standard_emails, standard_documents, standard_postcodes):
        forms = standardise(values)
        assert forms == [standardise([value])[0] for value in values]
