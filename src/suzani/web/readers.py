"""Reading profiles for channels: who may, and all that is asked at a moment in one statement."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, TypeAlias

import msgspec
from starlette.responses import Response

from suzani import activity
from suzani.activity import Asked, Rules, RulesFiles
from suzani.infra.db import Tx
from suzani.infra.keys import Key, KeyRing, secret_of
from suzani.infra.lane import Lane, Waiting
from suzani.infra.platform import Platform
from suzani.kernel import SuzaniError, now
from suzani.stitching import Subject
from suzani.web.mask import masked_profile

_JSON: Final = "application/json"
_TOGETHER: Final = 100
_WAITING: Final = 2_000
_STATEMENTS: Final = 2
"""Under way at once: what is asked beyond them waits, and is then read together, at less cost for each."""

View: TypeAlias = dict[str, Any]

_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request tells besides what it asks: its key (as the Authorization header has it), and the tag of
    the answer that the caller has already."""

    authorization: str = field(repr=False)
    has: str


class Readers:
    """Who may read profiles, and the reading of them."""

    def __init__(self, platform: Platform) -> None:
        self.db = platform.db
        self._keys = KeyRing(platform.db)
        self._rules = RulesFiles(platform.data_dir)
        self._lane: Lane[Asked, View] | None = None
        self._under_way = 0

    async def admit(self, caller: Caller) -> tuple[Key, Rules]:
        """The key of a caller who may read, and the rules now. Raises Unauthorised and Forbidden."""
        key = await self._keys.find(secret_of(caller.authorization), "channel")
        return key, self._rules()

    @asynccontextmanager
    async def found(self, caller: Caller, name: str) -> AsyncIterator[tuple[Tx, Subject]]:
        """A transaction in which somebody was found, for a caller who may read. Raises as `admit` does, and
        NotFound."""
        _, rules = await self.admit(caller)
        async with self.db.transaction() as tx:
            yield tx, await activity.find_subject(tx, rules, name)

    async def profile(self, caller: Caller, name: str, fields: str | None) -> Response:
        """The answer to who asks for a profile, or for some fields of it. Raises as `found` does, and
        InvalidInput."""
        key, _ = await self.admit(caller)
        asked = Asked(name, activity.selection(fields, activity.PARTS))
        if self._lane is None:  # a lane works in the loop of its requests
            self._lane = Lane(self._read, lambda one: None, batch=_TOGETHER, waiting=_WAITING)
        [found] = self._lane.put([asked])
        view = await found
        return answer(caller, view if key.settings.get("personal") else masked_profile(view))

    async def _read(self, batch: Sequence[Waiting[Asked, View]], let_next: Callable[[], None]) -> None:
        """Read what some wait for."""
        self._under_way += 1
        if self._under_way < _STATEMENTS:
            let_next()
        try:
            async with self.db.autocommit() as tx:
                found = await activity.profile_views(tx, self._rules(), [one.asked for one in batch], now())
        finally:
            self._under_way -= 1
        for one, view in zip(batch, found, strict=True):
            if isinstance(view, SuzaniError):
                one.fail(view)
            else:
                one.succeed(view)

    async def close(self) -> None:
        """Let go of what was open."""
        if self._lane is not None:
            await self._lane.close()
        await self._keys.close()


def answer(caller: Caller, found: Any) -> Response:
    """JSON with a tag of what it says (ETag); 304 when the caller has the same already."""
    body = _encode(found)
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    if tag in caller.has:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=_JSON)
