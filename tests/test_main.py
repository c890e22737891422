from __future__ import annotations

from typing import Any

import typer
from typer.testing import CliRunner

from suzani import __version__
from suzani.infra.jobs import JOBS, SUBSCRIPTIONS
from suzani.infra.supervisor import SERVICES
from suzani.main import app


def _commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if hasattr(command, "commands"):
        return [found for name, sub in command.commands.items() for found in _commands(sub, (*path, name))]
    return [path]


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.stdout.strip() == f"suzani {__version__}"


def test_every_command_explains_itself() -> None:
    paths = _commands(typer.main.get_command(app))
    assert ("link",) in paths
    assert ("quarantine", "replay") in paths
    for path in paths:
        result = CliRunner().invoke(app, [*path, "--help"])
        assert result.exit_code == 0, path
        assert "Usage:" in result.stdout, path


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(app, ["sew"]).exit_code == 2


def test_a_change_of_sources_leads_to_persons_and_then_to_profiles() -> None:
    assert SUBSCRIPTIONS["sources.changed"] == ["identity.resolve"]
    assert SUBSCRIPTIONS["identity.changed"] == ["profiles.rebuild"]
    assert set(JOBS) >= {"identity.resolve", "profiles.rebuild"}


def test_pages_events_and_worker_are_services_of_up() -> None:
    assert set(SERVICES) == {"web", "events", "lake", "worker"}
