from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from suzani.sources import cli
from tests.sources.bank_extract import MAPPING, extract, row

APP = typer.Typer()
cli.register(APP)


@pytest.fixture
def folder(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a mapping in its data directory and an extract of three rows, one of them bad."""
    monkeypatch.setenv("SUZANI_DATABASE_URL", database_url)
    monkeypatch.setenv("SUZANI_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "data" / "mappings").mkdir(parents=True)
    (tmp_path / "data" / "mappings" / "bank.yaml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "bank.csv").write_text(extract(row(1), row(2), row(3, BORN="never")), encoding="utf-8")
    return tmp_path


def suzani(*arguments: object, code: int = 0) -> Result:
    """Run a command, which has to end with this exit code."""
    result = CliRunner().invoke(APP, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output + result.stderr
    return result


def test_from_a_load_to_an_empty_quarantine(folder: Path) -> None:
    report = json.loads(suzani("load", "bank", folder / "bank.csv", "--json").stdout)
    assert (report["rows_in"], report["rows_new"], report["rows_quarantined"]) == (3, 2, 1)
    assert "unchanged" in suzani("load", "bank", folder / "bank.csv").output
    (entry,) = json.loads(suzani("quarantine", "list", "--system", "bank", "--json").stdout)
    assert (entry["reason"], entry["field"], entry["row"]) == ("wrong_type", "BORN", 4)
    assert "never" in suzani("quarantine", "list").output
    assert "BORN" in suzani("quarantine", "show", entry["quarantine_id"]).output
    suzani("quarantine", "export", folder / "fix.csv")
    suzani("quarantine", "replay", entry["quarantine_id"], code=2)
    fixed = suzani("quarantine", "replay", entry["quarantine_id"], "--set", "BORN=01.01.1990", "--json")
    assert json.loads(fixed.stdout)[0]["state"] == "replayed"
    assert json.loads(suzani("quarantine", "list", "--json").stdout) == []


def test_an_export_is_replayed_from_its_file(folder: Path) -> None:
    suzani("load", "bank", folder / "bank.csv")
    suzani("quarantine", "export", folder / "fix.csv")
    text = (folder / "fix.csv").read_text("utf-8-sig").replace("never", "01.01.1990")
    (folder / "fix.csv").write_text(text, encoding="utf-8-sig")
    suzani("quarantine", "replay", "--file", folder / "fix.csv")
    assert json.loads(suzani("quarantine", "list", "--json").stdout) == []


def test_a_row_is_dismissed_with_its_reason(folder: Path) -> None:
    suzani("load", "bank", folder / "bank.csv")
    (entry,) = json.loads(suzani("quarantine", "list", "--json").stdout)
    suzani("quarantine", "dismiss", entry["quarantine_id"], "--reason", "a test client")
    (entry,) = json.loads(suzani("quarantine", "list", "--state", "dismissed", "--json").stdout)
    assert entry["note"] == "a test client"


def test_mappings_are_listed_shown_drafted_and_checked(folder: Path) -> None:
    assert "bank" in json.loads(suzani("source", "list", "--json").stdout)
    assert "bank" in suzani("source", "list").output
    assert "birth_date" in suzani("source", "show", "bank").output
    drafted = suzani("source", "infer", folder / "bank.csv", "--system", "nova").stdout
    assert drafted.startswith("# Drafted from 3 rows of bank.csv")
    suzani("source", "infer", folder / "bank.csv", "--system", "nova", "--save")
    suzani("source", "infer", folder / "bank.csv", "--system", "nova", "--save", code=2)
    assert "nova" in json.loads(suzani("source", "list", "--json").stdout)
    result = json.loads(suzani("source", "check", "bank", folder / "bank.csv", "--json").stdout)
    assert (result["rows"], result["usable"], result["refused"]) == (3, 2, {"wrong_type": 1})
    assert "row 4" in suzani("source", "check", "bank", folder / "bank.csv").stderr


def test_what_is_wrong_is_said_with_its_exit_code(folder: Path) -> None:
    assert "Did you mean 'bank'" in suzani("load", "bnak", folder / "bank.csv", code=3).stderr
    assert "cannot read" in suzani("load", "bank", folder / "no.csv", code=2).stderr
    assert "--from" in suzani("load", "bank", "--sql", "select 1", code=2).stderr
    (folder / "empty.csv").write_bytes(b"")
    assert "is empty" in suzani("load", "bank", folder / "empty.csv", code=2).stderr
    (folder / "data" / "mappings" / "bank.yaml").write_text("system: bank\nkeys: [A]\n", encoding="utf-8")
    assert "Did you mean 'key'" in suzani("load", "bank", folder / "bank.csv", code=2).stderr
    assert "no row 99" in suzani("quarantine", "show", 99, code=3).stderr
    assert "say which rows" in suzani("quarantine", "replay", code=2).stderr
    assert "unknown state" in suzani("quarantine", "list", "--state", "closed", code=3).stderr
