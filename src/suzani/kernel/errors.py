"""Errors that speak the domain; an edge maps each category to a status code or an exit code.

A message says what was wrong, where (file, row, field), and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class SuzaniError(Exception):
    """Anything the platform refuses or cannot do, with what a person can do about it in `hint`."""

    exit_code = 1
    status_code = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class InvalidInput(SuzaniError):
    """The caller's input (file, option, body, configuration) cannot be taken as it is."""

    exit_code = 2
    status_code = 422


class NotFound(SuzaniError):
    """What was asked for does not exist; the known names are part of the message where they help."""

    exit_code = 3
    status_code = 404

    @classmethod
    def among(cls, what: str, name: str, known: Iterable[str]) -> NotFound:
        """An unknown `name` of a `what`, with the nearest known ones or all of them."""
        names = sorted(known)
        near = get_close_matches(name, names, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        listed = ", ".join(names) if names else "none yet"
        return cls(f"unknown {what} {name!r}", hint=f"{hint}Known: {listed}.")


class Conflict(SuzaniError):
    """The request is sound, but the present state does not allow it."""

    exit_code = 4
    status_code = 409


class Unauthorised(SuzaniError):
    """The caller shows no key, or one that is not known (any more)."""

    exit_code = 5
    status_code = 401


class Forbidden(SuzaniError):
    """The caller, or the process's user on this machine, may not do this."""

    exit_code = 5
    status_code = 403


class Unavailable(SuzaniError):
    """Something this needs (a server, a port, disk space) is not there now."""

    exit_code = 6
    status_code = 503


class Busy(Unavailable):
    """What is asked cannot be done now; the same request can be sent again after some seconds."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message, hint=f"Send it again in {retry_after_seconds} s.")
        self.retry_after_seconds = retry_after_seconds


class TooMany(Busy):
    """The caller asks more often than it may."""

    status_code = 429
