"""What the machine's refusals mean in words: no room, no permission, a server that would not start."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

from suzani.kernel import Forbidden, SuzaniError, Unavailable

_NO_ROOM = re.compile(
    r"no space left on device|disk quota exceeded|wrote only \d+ of \d+ bytes|check free disk space",
    re.IGNORECASE,
)
_NO_PERMISSION = re.compile(r"permission denied|operation not permitted", re.IGNORECASE)
_SERVER_GONE: Final = ("08", "57")
"""SQLSTATE classes of a lost connection and of a server that stops; OperationalError has others too."""

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


@contextmanager
def translated() -> Iterator[None]:
    """Turn the failures of a machine (no server, no disk) into Unavailable with what to do about it."""
    try:
        yield
    except (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory) as error:
        raise Unavailable(
            f"the database server ran out of room: {str(error).strip()}",
            hint="Free disk space where the data lies (`suzani doctor` shows where) and run it again.",
        ) from error
    except psycopg.OperationalError as error:
        if error.sqlstate is not None and error.sqlstate[:2] not in _SERVER_GONE:
            raise
        raise unreachable(error) from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise Unavailable(
            f"no space left on the disk: {error.filename or error.strerror}",
            hint="Free disk space and run it again; nothing half-written was kept.",
        ) from error


def unreachable(error: Exception) -> Unavailable:
    """The database server cannot be reached, in the words of the attempt."""
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return Unavailable(
        f"the database server does not answer: {first_line}",
        hint="`suzani doctor` shows which server is used and whether it runs.",
    )
