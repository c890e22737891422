"""The collector: where senders of events talk to, as Segment's and RudderStack's clients do.

It stands before the framework and the guard: any page may send here, and none may read anything. What counts
is the key. No event is decoded into more than its head on the way, and an answer of success means that all of
its events are durable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from suzani.events import LARGEST_BATCH, Intake, Malformed, Taken, too_large, unpacked
from suzani.events.moments import microseconds_of
from suzani.infra.keys import secret_of
from suzani.kernel import Busy, InvalidInput, SuzaniError, Unavailable, now

BATCH: Final = ""
CALLS: Final[Mapping[str, str]] = {
    "/v1/identify": "identify", "/v1/i": "identify",
    "/v1/track": "track", "/v1/t": "track",
    "/v1/page": "page", "/v1/p": "page",
    "/v1/screen": "screen", "/v1/s": "screen",
    "/v1/group": "group", "/v1/g": "group",
    "/v1/alias": "alias", "/v1/a": "alias",
    "/v1/batch": BATCH, "/v1/b": BATCH, "/v1/import": BATCH, "/beacon/v1/batch": BATCH,
}  # fmt: skip
"""The kind of call by path. The short ones are analytics.js's, `/beacon` is RudderStack's."""

IDLE: Final = "/v1/m"
"""Where analytics.js tells of its own running; it is answered, and nothing of it is an event."""

WEBHOOKS: Final = "/v1/webhooks/"
"""What begins the path of a webhook; the source follows."""

_MOST_IN_FLIGHT: Final = 64 << 20
_AWAY_SECONDS: Final = 2
_GZIP: Final = b"\x1f\x8b"
_ANSWER = [
    (b"content-type", b"application/json"),
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"retry-after"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]
_SUCCESS: Final = b'{"success":true}'
_DAY_SECONDS: Final = b"86400"


class UnknownEncoding(InvalidInput):
    """A body packed in a way that is not known."""

    status_code = 415


class WrongMethod(InvalidInput):
    """A request that is no POST."""

    status_code = 405


class _Gone(Exception):
    """The sender hung up before all of its body was here."""


@dataclass(frozen=True, slots=True)
class _Request:
    """One request's scope, with its headers as they are looked up."""

    scope: Scope
    path: str
    headers: Mapping[bytes, bytes]

    @classmethod
    def of(cls, scope: Scope, path: str) -> _Request:
        return cls(scope, path, dict(scope["headers"]))

    def text(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def secret(self) -> str:
        """The key of the Authorization header, or of the address where a beacon can set no header."""
        query: bytes = self.scope.get("query_string", b"")
        shown = secret_of(self.text(b"authorization"))
        return shown or (parse_qs(query.decode("latin-1")).get("writeKey", [""])[0] if query else "")


class Collector:
    """ASGI middleware: answers the collector's paths, and hands everything else on."""

    def __init__(self, app: ASGIApp, intake: Intake) -> None:
        self._app = app
        self._intake = intake
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        path = scope["path"].rstrip("/") if scope["type"] == "http" else ""
        if path in CALLS or path == IDLE or path.startswith(WEBHOOKS):
            await self._answer(_Request.of(scope, path), receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, request: _Request, receive: Receive, send: Send) -> None:
        if request.scope["method"] == "OPTIONS":
            await _send(send, HTTPStatus.NO_CONTENT, b"", _preflight(request))
            return
        try:
            if request.scope["method"] != "POST":
                raise WrongMethod("events are sent by POST", hint="See docs/events.md.")
            taken = Taken(0, 0) if request.path == IDLE else await self._take(request, receive)
        except SuzaniError as error:
            await _send(send, error.status_code, problem(error), _wait(error))
        except _Gone:
            return
        else:
            await _send(send, HTTPStatus.OK, _success(taken))

    async def _take(self, request: _Request, receive: Receive) -> Taken:
        length = request.text(b"content-length")
        size = int(length) if length.isdecimal() else LARGEST_BATCH
        if size > LARGEST_BATCH:
            raise too_large(LARGEST_BATCH)
        if self._in_flight + size > _MOST_IN_FLIGHT:
            raise Busy("more is being taken in than there is room for", 1)
        self._in_flight += size
        try:
            body = await _body(receive)
            received_at = microseconds_of(now())
            body = _readable(body, request.text(b"content-encoding").strip().lower())
            call = CALLS.get(request.path)
            if call is not None:
                return await self._intake.take(request.secret, body, received_at, call)
            source = request.path.removeprefix(WEBHOOKS)
            return await self._intake.take_webhook(source, request.secret, request.headers, body, received_at)
        finally:
            self._in_flight -= size


def _readable(body: bytes, encoding: str) -> bytes:
    """A body as it was before it was packed."""
    if encoding not in ("", "identity", "gzip"):
        raise UnknownEncoding(f"a body packed by {encoding[:20]!r} cannot be read", hint="Use gzip.")
    return unpacked(body) if encoding == "gzip" or body.startswith(_GZIP) else body


async def _body(receive: Receive) -> bytes:
    """The body. Raises TooLarge before more than the limit is in memory."""
    parts: list[bytes] = []
    size = 0
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BATCH:
            raise too_large(LARGEST_BATCH)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def problem(error: SuzaniError) -> bytes:
    """What was wrong as problem JSON (RFC 9457), with `code` and `message` where Segment's clients look."""
    status = HTTPStatus(error.status_code)
    code = (
        str(error.violation.reason)
        if isinstance(error, Malformed)
        else status.phrase.lower().replace(" ", "_")
    )
    body = {
        "type": "about:blank", "title": status.phrase, "status": int(status), "detail": error.message,
        "hint": error.hint, "code": code, "message": error.message,
    }  # fmt: skip
    return msgspec.json.encode({name: _unicode(value) for name, value in body.items()})


def _wait(error: SuzaniError) -> list[tuple[bytes, bytes]]:
    """When to come again, where that helps."""
    if isinstance(error, Unavailable):
        seconds = error.retry_after_seconds if isinstance(error, Busy) else _AWAY_SECONDS
        return [(b"retry-after", b"%d" % seconds)]
    return []


def _unicode(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _success(taken: Taken) -> bytes:
    if not taken.quarantined:
        return _SUCCESS
    return b'{"success":true,"accepted":%d,"quarantined":%d}' % (taken.accepted, taken.quarantined)


def _preflight(request: _Request) -> list[tuple[bytes, bytes]]:
    """That a page may send with the headers it asks for. Credentials of the browser are never wanted."""
    asked = request.headers.get(b"access-control-request-headers", b"authorization, content-type")
    allowed = [
        (b"access-control-allow-methods", b"POST, OPTIONS"),
        (b"access-control-allow-headers", asked),
        (b"access-control-max-age", _DAY_SECONDS),
    ]
    if b"access-control-request-private-network" in request.headers:
        allowed.append((b"access-control-allow-private-network", b"true"))
    return allowed


async def _send(send: Send, status: int, body: bytes, extra: list[tuple[bytes, bytes]] | None = None) -> None:
    headers = [*_ANSWER, (b"content-length", b"%d" % len(body)), *(extra or ())]
    if status == HTTPStatus.NO_CONTENT:
        headers = [*_ANSWER[1:], *(extra or ())]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
