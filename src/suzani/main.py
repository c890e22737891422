"""Where the capabilities are put together into one program."""

from __future__ import annotations

import typer

from suzani.identity import cli as identity

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
identity.register(app)


def main() -> None:
    """Run the command line."""
    app()
