"""The shortest way for what is asked most: profiles are answered and single records resolved here, before the
framework sees a request.

To find the route and to check parameters takes it longer than reading a profile does. Its routes describe
what is answered here, and what is not asked in this form is theirs to answer.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from suzani.kernel import SuzaniError
from suzani.web.identity_routes import PATH, Online
from suzani.web.readers import Caller, Readers
from suzani.web.routes import refusal

_PREFIX: Final = "/v1/profiles/"


class Express:
    """ASGI middleware behind the guard: reads profiles, resolves records, and hands everything else on."""

    def __init__(self, app: ASGIApp, online: Online, readers: Readers) -> None:
        self._app = app
        self._online, self._readers = online, readers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        answer = self._answer(scope, receive)
        if answer is None:
            await self._app(scope, receive, send)
            return
        try:
            response = await answer
        except SuzaniError as error:
            response = refusal(error)
        await response(scope, receive, send)

    def _answer(self, scope: Scope, receive: Receive) -> Awaitable[Response] | None:
        """The answer to come; None when something else is asked."""
        if scope["type"] != "http":
            return None
        method, path = scope["method"], scope["path"]
        if method == "POST" and path == PATH:
            return self._online.answer(Request(scope, receive))
        name = path[len(_PREFIX) :] if method == "GET" and path.startswith(_PREFIX) else ""
        if not name or "/" in name:
            return None
        return self._readers.profile(_caller(scope), name, _fields(scope))


def _caller(scope: Scope) -> Caller:
    headers = dict(scope["headers"])
    return Caller(
        *(headers.get(name, b"").decode("latin-1") for name in (b"authorization", b"if-none-match"))
    )


def _fields(scope: Scope) -> str | None:
    query: bytes = scope["query_string"]
    return parse_qs(query.decode("latin-1")).get("fields", [None])[-1] if query else None
