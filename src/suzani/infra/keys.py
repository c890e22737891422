"""Keys by which programs show who they are: made once, kept as digests, taken back within seconds."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from psycopg.types.json import Jsonb

from suzani.infra.db import Database, Tx, fetch, fetch_one, load_queries
from suzani.kernel import Busy, Forbidden, InvalidInput, NotFound, SuzaniError, Unauthorised

REFRESH_SECONDS: Final = 3.0
"""How old what a process knows of the keys may grow before it looks again."""

STALE_SECONDS: Final = 8.0
"""How old it may be and still be used: a key that was taken back is refused within ten seconds."""

_NEW_KEY_SECONDS: Final = 0.5
_WAIT_SECONDS: Final = 2.0
_SECRET_BYTES: Final = 24
_HINT_LENGTH: Final = 6
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")

_queries = load_queries("suzani.infra", "keys.sql")


@dataclass(frozen=True, slots=True)
class Role:
    """What the bearer of a key may do; `prefix` begins its keys, so that one found lying about is known."""

    name: str
    may: str
    prefix: str


ROLES: Final[Mapping[str, Role]] = {
    role.name: role
    for role in (
        Role("source", "send the events of one source", "sz_write_"),
        Role("channel", "read profiles for one channel", "sz_read_"),
    )
}
"""Every role there is, by name."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is known later: whose it is and what its role keeps of it, never the secret itself."""

    key_id: int
    role: str
    name: str
    hint: str
    settings: Mapping[str, Any]
    created_at: datetime
    revoked_at: datetime | None


async def create_key(
    tx: Tx, role: str, name: str, now: datetime, settings: Mapping[str, Any] | None = None
) -> tuple[Key, str]:
    """A new key and its secret, which is told here and never again. Raises NotFound, InvalidInput."""
    if role not in ROLES:
        raise NotFound.among("role", role, ROLES)
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} is not a name", hint="Use small letters, digits, `_` and `-`; at most 60."
        )
    prefix = ROLES[role].prefix
    secret = prefix + secrets.token_urlsafe(_SECRET_BYTES)
    row = await fetch_one(
        tx, _queries.add, role=role, name=name, digest=_digest(secret), now=now,
        hint=secret[: len(prefix) + _HINT_LENGTH], settings=Jsonb(dict(settings or {})),
    )  # fmt: skip
    assert row is not None  # noqa: S101 - an insert returns its row
    return Key(**row), secret


async def list_keys(tx: Tx) -> list[Key]:
    """Every key, oldest first, those taken back among them."""
    return [Key(**row) for row in await fetch(tx, _queries.all_keys)]


async def revoke_key(tx: Tx, key_id: int, now: datetime) -> Key:
    """Take a key back; every process refuses it within ten seconds. Raises NotFound."""
    row = await fetch_one(tx, _queries.revoke, key_id=key_id, now=now)
    if row is None:
        raise NotFound(f"there is no key {key_id}", hint="`suzani key list` shows them.")
    return Key(**row)


def secret_of(authorization: str) -> str:
    """The key in an Authorization header: the user name of Basic, or a Bearer's token; '' without one."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "replace")).digest()


class KeyRing:
    """The keys that are valid, in this process's memory: looked up without a query, read anew in seconds."""

    def __init__(self, db: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._clock = clock
        self._keys: dict[bytes, Key] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def find(self, secret: str, role: str) -> Key:
        """The key with this secret. Raises Unauthorised, Forbidden for a key of another role, and Busy when
        the database has been away for so long that a key might have been taken back."""
        digest = _digest(secret)
        age = self._clock() - self._read_at
        if age > STALE_SECONDS or (age > _NEW_KEY_SECONDS and digest not in self._keys):
            await self._read_again(needed=age > STALE_SECONDS)
        elif age > REFRESH_SECONDS:
            self._start_reading()
        key = self._keys.get(digest)
        if key is None:
            raise Unauthorised(
                "no key was given" if not secret else "this key is not known, or was taken back",
                hint="`suzani key create` makes one; send it as the user name of Basic authentication.",
            )
        if key.role != role:
            raise Forbidden(
                f"a key of role {key.role} may {ROLES[key.role].may}, nothing else",
                hint=f"This needs a key of role {role}.",
            )
        return key

    async def _read_again(self, *, needed: bool) -> None:
        reading = self._start_reading()
        await asyncio.wait([reading], timeout=_WAIT_SECONDS)
        if needed and not (reading.done() and reading.exception() is None):
            raise Busy("the keys cannot be read now", 2)

    def _start_reading(self) -> asyncio.Task[None]:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(_look_at)
        return self._reading

    async def _read(self) -> None:
        started = self._clock()
        async with self._db.transaction() as tx:
            rows = await fetch(tx, _queries.valid)
        self._keys = {bytes(row.pop("digest")): Key(**row) for row in rows}
        self._read_at = started

    async def close(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])


def _look_at(task: asyncio.Task[None]) -> None:
    """A failed reading is tried again by the next request; any error but of the domain is a fault of ours."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, SuzaniError):
        task.get_loop().call_exception_handler({"message": "keys cannot be read", "exception": error})
