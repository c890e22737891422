"""Routes that are asked so often that the framework only describes them, and does not stand before them."""

from __future__ import annotations

from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import Receive, Scope, Send


class DirectRoute(APIRoute):
    """A route whose function is called with the request, and with texts: what it has in the path, and of its
    query parameters those that are given. It checks them itself, and returns a response.

    What FastAPI otherwise does for each request takes longer than reading a profile does.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._names = [parameter.alias for parameter in self.dependant.query_params]

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        request = Request(scope, receive)
        query = request.query_params
        given = {name: query[name] for name in self._names if name in query}
        response = await self.endpoint(request, **scope["path_params"], **given)
        await response(scope, receive, send)
