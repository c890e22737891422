from __future__ import annotations

from pathlib import Path

import pytest

from suzani.kernel import ATTRIBUTES, InvalidInput
from suzani.profiles import load_survivorship


def given(folder: Path, text: str) -> Path:
    (folder / "survivorship.yaml").write_text(text, "utf-8")
    return folder


def test_the_shipped_rules_cover_every_attribute() -> None:
    assert set(load_survivorship().choices) == set(ATTRIBUTES)


def test_the_data_directory_overrides_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    ours = load_survivorship(
        given(tmp_path, "trusted_sources: [cards]\nattributes: {email: [most_recent]}\n")
    )
    assert ours.trust("cards") == 0
    assert ours.trust("core_banking") == ours.trust("never heard of") == 1
    assert ours.choices["email"].rules == ("most_recent",)
    assert ours.choices["birth_date"] == load_survivorship().choices["birth_date"]


def test_a_data_directory_without_the_file_has_the_shipped_rules(tmp_path: Path) -> None:
    assert load_survivorship(tmp_path) == load_survivorship()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("attributes: {email: [newest]}", "unknown rule 'newest'"),
        ("attributes: {e_mail: [most_recent]}", "unknown attribute 'e_mail'"),
        ("atributes: {}", "unknown entry 'atributes'"),
        ("attributes: [email]", "must be a mapping"),
        ("default: most_recent", "must be a list"),
        ("default: [longest, longest]", "twice"),
        ("groups: {name: {attributes: [family_name], rule: [longest]}}", "unknown entry 'rule'"),
        ("default: [", "not valid YAML"),
    ],
)
def test_a_wrong_configuration_says_where_and_what(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        load_survivorship(given(tmp_path, text))
    assert "survivorship.yaml" in refused.value.message


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "survivorship.yaml").write_bytes(b"\xff\xfe\x00bad")
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_survivorship(tmp_path)
