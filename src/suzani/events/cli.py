"""Commands of events: `key ...`, `schema ...` and `events ...`."""

from __future__ import annotations

import typer

from suzani.events import cli_keys, cli_quarantine, cli_schemas
from suzani.events.cli_follow import follow_command
from suzani.events.cli_load import load_command

events_app = typer.Typer(no_args_is_help=True, help="Events: load them from files, see what was refused.")


def register(app: typer.Typer) -> None:
    """Mount the commands of events."""
    app.add_typer(cli_keys.app, name="key")
    app.add_typer(cli_schemas.app, name="schema")
    events_app.command("load")(load_command)
    events_app.command("follow")(follow_command)
    events_app.add_typer(cli_quarantine.app, name="quarantine")
    app.add_typer(events_app, name="events")
