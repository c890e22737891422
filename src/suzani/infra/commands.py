"""What commands have in common: their options, and how they start or join, use and leave the platform."""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from suzani.infra import console
from suzani.infra.db import Tx
from suzani.infra.platform import Platform, running
from suzani.infra.settings import Settings

T = TypeVar("T")


def _user() -> str:
    """The user's name; "" where the system knows none, and --actor must be given."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="Where everything is kept.", show_default="$SUZANI_DATA, or yours"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
ReasonOption = Annotated[str, typer.Option(help="Why; kept with the change.")]
ActorOption = Annotated[
    str, typer.Option(help="Who decides.", default_factory=_user, show_default="your user name")
]


def with_platform(data: Path | None, work: Callable[[Platform], Awaitable[T]]) -> T:
    """What the work gives. `data`: the platform's folder, where it was named. Errors of the domain end the
    command with a message and an exit code."""

    async def run() -> T:
        async with running(Settings.from_environment(data)) as platform:
            return await work(platform)

    return console.run(run())


def in_transaction(data: Path | None, work: Callable[[Tx], Awaitable[T]]) -> T:
    """What the work gives, done in one transaction."""

    async def run(platform: Platform) -> T:
        async with platform.db.transaction() as tx:
            return await work(tx)

    return with_platform(data, run)
