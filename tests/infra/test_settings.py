"""Settings: where they come from, and what cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from suzani.infra.settings import Settings
from suzani.kernel import InvalidInput


def test_an_explicit_data_directory_wins_over_the_environment() -> None:
    environment = {"SUZANI_DATA": "/from/environment"}
    assert Settings.from_environment(Path("/given"), environment).data_dir == Path("/given")
    assert Settings.from_environment(None, environment).data_dir == Path("/from/environment")
    assert Settings.from_environment(None, {}).data_dir.name == "suzani"


def test_a_data_directory_is_absolute_and_knows_the_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert Settings.from_environment(Path("here"), {}).data_dir == tmp_path / "here"
    assert Settings.from_environment(Path("~/bank"), {}).data_dir == Path("/home/somebody/bank")


def test_an_outside_server_is_named_by_its_address() -> None:
    settings = Settings.from_environment(None, {"SUZANI_DATABASE_URL": "postgresql://u:p@host/db"})
    assert not settings.is_embedded
    assert Settings.from_environment(None, {"SUZANI_DATABASE_URL": "  "}).is_embedded


def test_an_address_of_something_else_is_refused_without_repeating_it() -> None:
    with pytest.raises(InvalidInput, match="SUZANI_DATABASE_URL") as caught:
        Settings.from_environment(None, {"SUZANI_DATABASE_URL": "mysql://root:secret@host/db"})
    assert "secret" not in str(caught.value)


def test_settings_travel_to_other_processes_unchanged(tmp_path: Path) -> None:
    settings = Settings(tmp_path, None, tmp_path / "system", "somebody")
    assert Settings.from_environment(None, settings.to_environment()) == settings


def test_feed_and_quarantine_are_kept_for_numbers_of_days() -> None:
    given = Settings.from_environment(None, {})
    assert (given.feed_days, given.quarantine_days) == (30, 90)
    given = Settings.from_environment(None, {"SUZANI_FEED_DAYS": " 7 ", "SUZANI_QUARANTINE_DAYS": "8"})
    assert (given.feed_days, given.quarantine_days) == (7, 8)
    assert Settings.from_environment(None, given.to_environment()) == given


@pytest.mark.parametrize("days", ["0", "-1", "x", "1.5", "٣", "99999"])
def test_a_feed_kept_for_no_number_of_days_is_refused(days: str) -> None:
    with pytest.raises(InvalidInput, match="SUZANI_FEED_DAYS"):
        Settings.from_environment(None, {"SUZANI_FEED_DAYS": days})
