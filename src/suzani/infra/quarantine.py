"""What the quarantines of rows and of events have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import typer

from suzani.infra import console
from suzani.kernel import InvalidInput, NotFound

_STATES: Final = {"open": "open", "replayed": "replayed", "dismissed": "dismissed", "all": None}
_SHOWN_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of what was replayed: `replayed`, or still `open` with what is wrong with it now."""

    quarantine_id: int
    state: str
    detail: str


def state_asked(name: str) -> str | None:
    """The state that a person asks for; None for all of them. Raises NotFound."""
    if name not in _STATES:
        raise NotFound.among("state", name, _STATES)
    return _STATES[name]


def legible(raw: bytes) -> str:
    """The beginning of what came, as a text in which everything else is escaped."""
    return raw[:_SHOWN_BYTES].decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def report(results: Sequence[Replay], *, as_json: bool) -> None:
    """Print what became of each; ends the command as for wrong input when something is still open."""
    if as_json:
        console.print_json([asdict(result) for result in results])
    else:
        rows = [[str(result.quarantine_id), result.state, result.detail] for result in results]
        console.print_table("Replayed", ["id", "state", ""], rows)
    if any(result.state == "open" for result in results):
        raise typer.Exit(InvalidInput.exit_code)
