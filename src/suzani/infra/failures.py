"""What the machine's refusals mean in words: no room, no permission, a server that would not start."""

from __future__ import annotations

import os
import re
from pathlib import Path

from suzani.kernel import Forbidden, SuzaniError, Unavailable

_NO_ROOM = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_NO_PERMISSION = re.compile(r"permission denied|operation not permitted", re.IGNORECASE)
_FAULT = re.compile(r"\b(?:FATAL|PANIC|ERROR|error|could not)\b")


def no_room(where: object) -> Unavailable:
    """The disk is full, at a path or with a program's own words."""
    return Unavailable(
        f"no space left on the disk: {where}",
        hint="Free disk space where the data lies (`suzani doctor` shows where) and run it again.",
    )


def refused_access(path: Path) -> Forbidden:
    """This user may not use `path`."""
    return Forbidden(
        f"no permission to use {path}",
        hint=f"It belongs to another user than uid {os.geteuid()}, or is not a folder; "
        "choose one of your own with --data or SUZANI_DATA.",
    )


def program_failure(what: str, output: str) -> SuzaniError:
    """The error that a failed PostgreSQL program's output amounts to, with its own telling lines."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if _FAULT.search(line)] or lines[-3:]
    detail = "; ".join(telling[:3]) or "it said nothing"
    if _NO_ROOM.search(output):
        return no_room(detail)
    if _NO_PERMISSION.search(output):
        return Forbidden(f"{what}: {detail}", hint="Check who owns the data directory (`suzani doctor`).")
    return Unavailable(f"{what}: {detail}")
