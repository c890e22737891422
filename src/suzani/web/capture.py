"""The script of web capture: the one file here that pages of other sites may load."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

import rjsmin
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

CAPTURE_PATH: Final = "/capture.js"
_SOURCE: Final = Path(__file__).parent / "static" / "capture.js"
SHARED: Final[Mapping[str, str]] = {
    "access-control-allow-origin": "*",
    "cache-control": "public, max-age=3600, stale-while-revalidate=86400",
    "cross-origin-resource-policy": "cross-origin",
    "vary": "accept-encoding",
}
"""Caches ask again after an hour, and meanwhile serve what they have."""


@dataclass(frozen=True, slots=True)
class Script:
    """The script as it is sent: plain and compressed, and the tag by which caches know it."""

    plain: bytes
    compressed: bytes = field(init=False)
    etag: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compressed", gzip.compress(self.plain, 9, mtime=0))
        object.__setattr__(self, "etag", f'W/"{sha256(self.plain).hexdigest()[:20]}"')

    def answer(self, accepts: str, known: str) -> Response:
        """The script for an `Accept-Encoding`; 304 without it when `If-None-Match` names what it still is."""
        headers = {**SHARED, "etag": self.etag}
        if self.etag in known or known == "*":
            return Response(status_code=304, headers=headers)
        if "gzip" not in accepts:
            return Response(self.plain, headers=headers, media_type="text/javascript")
        headers["content-encoding"] = "gzip"
        return Response(self.compressed, headers=headers, media_type="text/javascript")


def script_text() -> bytes:
    """The script as pages get it: without comments and indentation."""
    return str(rjsmin.jsmin(_SOURCE.read_text("utf-8"))).encode()


def capture_route() -> Route:
    """`GET /capture.js`; the file is read once."""
    script = Script(script_text())

    async def capture(request: Request) -> Response:
        asked = request.headers
        return script.answer(asked.get("accept-encoding", ""), asked.get("if-none-match", ""))

    return Route(CAPTURE_PATH, capture, methods=["GET", "HEAD"])
