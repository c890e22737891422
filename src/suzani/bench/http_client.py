"""The least that a load generator needs of HTTP/1.1: POST or GET over a kept connection, read the status.

A full client library would cost more CPU than the server it is to measure.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from suzani.kernel import InvalidInput

_READ_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go."""

    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str, path: str) -> Self:
        """The target of an `http://` URL; `path` is used when the URL has none."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise InvalidInput(f"{url!r} is no http:// URL", hint="Give one such as http://127.0.0.1:8000.")
        return cls(parts.hostname, parts.port or 80, parts.path.rstrip("/") or path)


class Connection:
    """One kept connection; opens on first use, and again after a failure. `body` is the last answer's."""

    def __init__(self, target: Target, headers: dict[str, str] | None = None) -> None:
        stated = {
            "Host": f"{target.host}:{target.port}",
            "Content-Type": "application/json",
            **(headers or {}),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in stated.items())
        self._target, self._lines = target, lines
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.body = b""

    async def post(self, body: bytes) -> int:
        """The status of the answer. Raises OSError when the server is not reached, closes or keeps silent."""
        head = f"POST {self._target.path} HTTP/1.1\r\n{self._lines}Content-Length: {len(body)}\r\n\r\n"
        return await self._asked(head.encode() + body)

    async def get(self, path: bytes) -> int:
        """The status of the answer for a path of the same server. Raises OSError as `post` does."""
        return await self._asked(b"GET " + path + f" HTTP/1.1\r\n{self._lines}\r\n".encode())

    async def _asked(self, request: bytes) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._target.host, self._target.port)
        reader, writer = self._streams
        try:
            writer.write(request)
            await writer.drain()
            async with asyncio.timeout(_READ_SECONDS):
                return await self._answer(reader)
        except (OSError, asyncio.IncompleteReadError, ValueError, TimeoutError) as error:
            await self.close()
            raise ConnectionError(f"no answer: {error}") from error

    async def _answer(self, reader: asyncio.StreamReader) -> int:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(":", 1) for line in head[1:] if ":" in line)
        if "content-length" in headers:
            self.body = await reader.readexactly(int(headers["content-length"]))
        elif "chunked" in headers.get("transfer-encoding", ""):
            await _skip_chunks(reader)
        if headers.get("connection", "").strip() == "close":
            await self.close()
        return int(head[0].split(" ", 2)[1])

    async def close(self) -> None:
        """Close the connection if it is open."""
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def _skip_chunks(reader: asyncio.StreamReader) -> None:
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        await reader.readexactly(size + 2)
    await reader.readuntil(b"\r\n")
