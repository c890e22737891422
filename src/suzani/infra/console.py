"""How commands speak: results on standard output, everything else on standard error, errors as exit codes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import Any, Final, NoReturn, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from suzani.infra.failures import translated
from suzani.kernel import SuzaniError

T = TypeVar("T")

OUT: Final = Console()
"""Results."""

ERR: Final = Console(stderr=True)
"""Progress, notes and errors."""

INTERRUPTED: Final = 130
"""The exit code after Ctrl-C, as shells have it."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's async work to its end; every error of the domain becomes a message and an exit code."""
    with handled():
        return asyncio.run(work)
    raise AssertionError("handled() lets no error through")  # pragma: no cover


@contextmanager
def handled() -> Iterator[None]:
    """Turn errors of the domain, a full disk and Ctrl-C inside the block into a message and an exit code."""
    try:
        with translated():
            yield
    except SuzaniError as error:
        exit_with(error)
    except KeyboardInterrupt:
        exit_interrupted()


def exit_with(error: SuzaniError) -> NoReturn:
    """Say what was wrong and what to do, on standard error, and leave with the error's exit code."""
    ERR.print(f"[bold red]Error:[/] {_plain(error.message)}", highlight=False, soft_wrap=True)
    if error.hint:
        ERR.print(_plain(error.hint), highlight=False, soft_wrap=True)
    raise SystemExit(error.exit_code)


def exit_interrupted() -> NoReturn:
    """Say that the user stopped it, and leave with 130."""
    ERR.print("Stopped; what was not finished was not kept.", highlight=False)
    raise SystemExit(INTERRUPTED)


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Progress]:
    """Progress bars on standard error; they vanish at the end, and are not shown where nobody looks."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=ERR,
        transient=True,
        disable=quiet or not ERR.is_terminal,
    ) as bars:
        yield bars


def print_json(value: Any) -> None:
    """Print one JSON object on standard output, and nothing else there; dataclasses become objects."""
    plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    sys.stdout.write(json.dumps(plain, ensure_ascii=False, default=str, indent=2) + "\n")


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table on standard output."""
    table = Table(title=title, title_justify="left", show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(_plain, row))
    OUT.print(table)


def note(text: str) -> None:
    """Say something on standard error that is neither result nor error."""
    ERR.print(_plain(text), highlight=False, soft_wrap=True)


def _plain(text: str) -> str:
    """Text that Rich must not read as markup."""
    return text.replace("[", r"\[")
