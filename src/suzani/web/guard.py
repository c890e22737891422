"""What stands before every request: only this machine's own pages may talk to it, and answers are locked
down.

No sign-in exists yet, so the server listens on the loopback address alone. A web site elsewhere could still
reach it through the visitor's browser, by a name that resolves to 127.0.0.1 (Host) or by a request or web
socket from its own page (Origin); both are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from suzani.web.capture import CAPTURE_PATH
from suzani.web.language import LANGUAGES

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
PUBLIC_PATHS = frozenset({CAPTURE_PATH})
"""What any site may ask for, under whatever name a bank's proxy gives this machine."""
LANGUAGE_COOKIE = "suzani_language"
_YEAR_SECONDS = 365 * 24 * 3600

SECURITY_HEADERS: Mapping[str, str] = {
    "content-security-policy": "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Sent with every answer. Vue compiles the pages' templates in the browser, hence 'unsafe-eval'."""


_DEFAULTS = [
    (name.encode(), value.encode())
    for name, value in {**SECURITY_HEADERS, "cache-control": "no-store"}.items()
]


class Guard:
    """ASGI middleware: refuses foreign hosts and origins, adds security headers, remembers the language."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["path"] not in PUBLIC_PATHS and not (
            is_local(headers.get("host", "")) and _own_origin(headers)
        ):
            await _refuse(scope, receive, send)
            return
        await self.app(scope, receive, _with_headers(scope, send))


@lru_cache(1000)
def is_local(host: str) -> bool:
    """Whether a Host header names this machine."""
    try:
        return urlsplit(f"//{host}").hostname in LOCAL_HOSTS
    except ValueError:
        return False


def _own_origin(headers: Headers) -> bool:
    """Whether a request comes from a page of this server (same host and port), or from no page at all."""
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    text = "Suzani answers only to this machine's own names: localhost, 127.0.0.1."
    await PlainTextResponse(text, status_code=403, headers=dict(SECURITY_HEADERS))(scope, receive, send)


def _with_headers(scope: Scope, send: Send) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            stated = {name for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(one for one in _DEFAULTS if one[0] not in stated)]
            cookie = _language_cookie(scope)
            if cookie:
                MutableHeaders(scope=message).append("set-cookie", cookie)
        await send(message)

    return sender


def _language_cookie(scope: Scope) -> str | None:
    """The cookie that keeps a language chosen by `?lang=`."""
    query: bytes = scope.get("query_string", b"")
    asked = parse_qs(query.decode("latin-1")).get("lang", [""])[0] if query else ""
    if asked not in LANGUAGES:
        return None
    return f"{LANGUAGE_COOKIE}={asked}; Path=/; Max-Age={_YEAR_SECONDS}; SameSite=Lax; HttpOnly"
