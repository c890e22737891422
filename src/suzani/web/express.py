"""The shortest way for what is asked most: profiles are answered here, before the framework sees a request.

To find the route and to check parameters takes it longer than reading a profile does. Its routes describe
what is answered here, and what is not asked in this form is theirs to answer.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from suzani.kernel import SuzaniError
from suzani.web.readers import Caller, Readers
from suzani.web.routes import refusal

_PREFIX: Final = "/v1/profiles/"


class Express:
    """ASGI middleware behind the guard: reads profiles, and hands everything else on."""

    def __init__(self, app: ASGIApp, readers: Readers) -> None:
        self._app = app
        self._readers = readers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        name = _name(scope)
        if not name:
            await self._app(scope, receive, send)
            return
        try:
            answer = await self._readers.profile(_caller(scope), name, _fields(scope))
        except SuzaniError as error:
            answer = refusal(error)
        await answer(scope, receive, send)


def _name(scope: Scope) -> str:
    """Whose profile is asked for; '' when something else is."""
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(_PREFIX):
        return ""
    name: str = scope["path"][len(_PREFIX) :]
    return "" if "/" in name else name


def _caller(scope: Scope) -> Caller:
    headers = dict(scope["headers"])
    return Caller(
        *(headers.get(name, b"").decode("latin-1") for name in (b"authorization", b"if-none-match"))
    )


def _fields(scope: Scope) -> str | None:
    query: bytes = scope["query_string"]
    return parse_qs(query.decode("latin-1")).get("fields", [None])[-1] if query else None
