"""The command `demo`: what it prints, what it serves, and how it refuses."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from suzani.demo.cli import register
from suzani.infra.settings import Settings

served: list[tuple[Path, int]] = []
app = typer.Typer()


@app.callback()
def main() -> None:
    """A group, as the whole program is."""


def serve(settings: Settings, port: int) -> None:
    served.append((settings.data_dir, port))


register(app, serve=serve)


@pytest.fixture(autouse=True)
def own_database(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("SUZANI_DATABASE_URL", database_url)
    served.clear()


def test_it_prints_one_object_then_the_audit_and_serves_when_asked(tmp_path: Path) -> None:
    data = tmp_path / "data"
    arguments = ["demo", "--records", "400", "--seed", "3", "--data", str(data)]
    result = CliRunner().invoke(app, [*arguments, "--no-serve", "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["records"] == 400
    assert set(report) == {"records", "persons", "duplicate_share", "pairwise", "seconds"}
    assert set(report["pairwise"]) == {"precision", "recall", "f1"}
    assert served == []
    result = CliRunner().invoke(app, [*arguments, "--port", "18763"])
    assert result.exit_code == 0, result.output
    for title in ("Identity audit", "Rows: in =", "Quality against the truth", "Marketing consent"):
        assert title in result.stdout
    assert served == [(data, 18763)]


def test_a_port_in_use_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["demo", "--data", str(tmp_path / "data"), "--port", port])
    assert result.exit_code == 6
    assert "in use" in result.stderr
    assert not (tmp_path / "data").exists()


def test_too_few_records_are_refused(tmp_path: Path) -> None:
    arguments = ["demo", "--records", "1", "--data", str(tmp_path / "data"), "--no-serve"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "Ask for" in result.stderr
