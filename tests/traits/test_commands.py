from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from suzani.traits import cli

APP = typer.Typer()
cli.register(APP)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SUZANI_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def suzani(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(APP, ["trait", *arguments])
    assert result.exit_code == code, result.output + result.stderr
    return result


def test_traits_are_listed_with_those_of_the_data_directory(data: Path) -> None:
    (data / "traits.yaml").write_text(
        "traits: {chats: {kind: count, events: Chat Ended, where: {channel: [web]}}}"
    )
    shown = suzani("list").stdout
    assert "card_spend_30d" in shown
    assert "Chat Ended where: channel web" in shown
    listed = {trait["name"]: trait for trait in json.loads(suzani("list", "--json").stdout)}
    assert listed["chats"]["events"] == "Chat Ended"


def test_sound_traits_pass_the_check(data: Path) -> None:
    assert "traits are sound" in suzani("check").stderr


def test_a_wrong_trait_is_told_with_its_file(data: Path) -> None:
    (data / "traits.yaml").write_text("traits: {chats: {kind: count, event: Chat Ended}}")
    error = suzani("check", code=2).stderr
    assert str(data / "traits.yaml") in error
    assert "Did you mean 'events'?" in error
