"""Which user of the machine the database server runs as, and what that user can reach.

PostgreSQL refuses to run as root. When root starts Suzani, the server alone runs as another user; nothing
of root's is opened to that user.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from suzani.kernel import InvalidInput, Unavailable

_CANDIDATES: Final = ("suzani", "postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the machine that the server runs as."""

    name: str
    uid: int
    gid: int

    def popen_options(self) -> dict[str, Any]:
        """What `subprocess` needs to start a program as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_account(wanted: str | None = None) -> Account | None:
    """The user the server must run as: None for the present one, another one when that is root.

    Raises InvalidInput when `wanted` does not exist, Unavailable when there is nobody to drop to.
    """
    if os.geteuid() != 0:
        return None
    for name in [wanted] if wanted else _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    if wanted:
        raise InvalidInput(f"SUZANI_SERVER_USER names {wanted!r}, which is not an ordinary user here")
    raise Unavailable(
        "PostgreSQL cannot run as root, and no other user was found to run it as",
        hint="Create one (`useradd --system suzani`), or run Suzani as an ordinary user.",
    )


def owner_account(path: Path) -> Account | None:
    """The user that owns `path`, who ran the server before; None for the present one."""
    found = path.stat()
    if os.geteuid() != 0 or found.st_uid == 0:
        return None
    try:
        name = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        name = str(found.st_uid)
    return Account(name, found.st_uid, found.st_gid)


def is_reachable(path: Path, account: Account) -> bool:
    """Whether `account` may walk down every folder to `path`; of folders that exist, by their mode bits."""
    real = Path(os.path.realpath(path))
    for folder in real.parents:
        try:
            found = folder.stat()
        except FileNotFoundError:
            continue
        if not _may_enter(found, account):
            return False
    return True


def _may_enter(found: os.stat_result, account: Account) -> bool:
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
