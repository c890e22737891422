"""Commands of events: `key ...`, `schema ...` and `events ...`."""

from __future__ import annotations

import typer

from suzani.events import cli_keys, cli_schemas


def register(app: typer.Typer) -> None:
    """Mount the commands of events."""
    app.add_typer(cli_keys.app, name="key")
    app.add_typer(cli_schemas.app, name="schema")
