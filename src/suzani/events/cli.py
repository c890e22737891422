"""Commands of events: `key ...`, `schema ...` and `events ...`."""

from __future__ import annotations

from collections.abc import Callable

import typer

from suzani.events import cli_keys, cli_quarantine, cli_schemas
from suzani.events.cli_follow import follow_command
from suzani.events.cli_load import load_command
from suzani.infra import console
from suzani.infra.commands import DataOption
from suzani.infra.settings import Settings

events_app = typer.Typer(
    no_args_is_help=True, help="Events: load them from files, let them take effect, see what was refused."
)


def register(app: typer.Typer, work: Callable[[Settings], None]) -> None:
    """Mount the commands of events; `work` lets them take effect until it is told to stop."""
    app.add_typer(cli_keys.app, name="key")
    app.add_typer(cli_schemas.app, name="schema")
    events_app.command("load")(load_command)
    events_app.command("follow")(follow_command)
    events_app.command("work")(_work_command(work))
    events_app.add_typer(cli_quarantine.app, name="quarantine")
    app.add_typer(events_app, name="events")


def _work_command(work: Callable[[Settings], None]) -> Callable[..., None]:
    def work_command(
        data: DataOption = None,
    ) -> None:
        """Let events take effect beside the platform that is up, one process more, until Ctrl-C."""
        with console.handled():
            settings = Settings.from_environment(data)
            console.note("Events take effect here too (Ctrl-C stops it).")
            work(settings)

    return work_command
