"""A bank's web site, and a collector on another origin that keeps what it is sent: real HTTP servers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from suzani.web.capture import script_text

PAGES = Path(__file__).parent / "bank_pages"
WAIT_SECONDS = 10


@dataclass
class Collector:
    """What arrived, as it arrived; `answers` are given first, 200 afterwards."""

    address: str = ""
    bodies: list[str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    pause_seconds: float = 0.0

    @property
    def batches(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    @property
    def events(self) -> list[dict[str, Any]]:
        """Each event once, in the order of their happening, as the platform keeps them."""
        once = {event["messageId"]: event for batch in self.batches for event in batch["batch"]}
        return list(once.values())

    def named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if name in (event.get("event"), event["type"])]

    def wait(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """The events of a name, once there are `count` of them."""
        deadline = time.monotonic() + WAIT_SECONDS
        while len(self.named(name)) < count:
            told = [event.get("event") or event["type"] for event in self.events]
            assert time.monotonic() < deadline, f"{count} × {name} did not come, but {told}"
            time.sleep(0.02)
        return self.named(name)

    def take(self, body: str) -> tuple[int, dict[str, str]]:
        answer = self.answers.pop(0) if self.answers else (200, {})
        if answer[0] == 200:
            self.bodies.append(body)
        self.times.append(time.monotonic())
        return answer


@dataclass
class Site:
    """The bank's pages: files of `bank_pages` in which `{{capture}}` becomes the script's tag."""

    address: str
    attributes: str = ""
    write_key: str = "key"
    headers: dict[str, str] = field(default_factory=dict)


@contextmanager
def collecting() -> Iterator[Collector]:
    """A running collector."""
    collector = Collector()

    class Handler(_Quiet):
        def do_POST(self) -> None:
            kind = self.headers.get("content-type", "")
            collector.requests.append((self.path, kind))
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            status, headers = collector.take(body)
            time.sleep(collector.pause_seconds)
            shared = {"access-control-allow-origin": "*", "access-control-expose-headers": "retry-after"}
            self.answer(status, b"{}", "application/json", {**shared, **headers})

        def do_GET(self) -> None:
            self.answer(200, script_text(), "text/javascript", {})

        def do_OPTIONS(self) -> None:
            collector.requests.append((self.path, "preflight"))
            self.answer(403, b"", "text/plain", {})

    with _running(Handler) as address:
        collector.address = address
        yield collector


@contextmanager
def bank(collector: str) -> Iterator[Site]:
    """A running bank whose pages carry the tag of the collector at an address."""
    site = Site("")

    class Handler(_Quiet):
        def do_GET(self) -> None:
            path = self.path.split("?")[0].strip("/") or "index"
            page = PAGES / f"{path.split('/')[0]}.html"
            if not page.is_file():
                self.answer(404, b"", "text/plain", {})
                return
            source = f'src="{collector}/capture.js" data-write-key="{site.write_key}"'
            tag = f"<script {source} {site.attributes}></script>"
            text = page.read_text("utf-8").replace("{{capture}}", tag)
            self.answer(200, text.encode(), "text/html; charset=utf-8", site.headers)

    with _running(Handler) as address:
        site.address = address
        yield site


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A browser that leaves closes its connections in the middle."""


@contextmanager
def _running(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
