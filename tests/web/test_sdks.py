"""The clients that people use already, as their registries have them, against a running server."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from suzani.events import Event, EventType
from suzani.infra.bus import open_bus
from suzani.infra.db import Database
from suzani.infra.platform import Platform
from suzani.infra.settings import Settings
from tests.conftest import copied_database
from tests.events.collecting import log_of, new_key
from tests.web.conftest import _served

T = TypeVar("T")
SDKS = Path(__file__).parent / "sdks"
TOOLS = Path(__file__).parents[2] / ".tools" / "analytics-node"
NODE_CLIENT = "@segment/analytics-node"
NODE_VERSION = "3.1.0"


class Server:
    """A running server on a database of its own."""

    def __init__(self, address: str, settings: Settings) -> None:
        self.address = address
        self.settings = settings

    def key(self, source: str, **settings: object) -> str:
        """A new key's secret."""

        async def make(platform: Platform) -> str:
            return await new_key(platform, source, **settings)

        return asyncio.run(self._with_platform(make))

    def events(self, source: str) -> list[Event]:
        """What came from a source, in the order of reading."""

        async def read(platform: Platform) -> list[Event]:
            async with open_bus(platform.db, platform.settings) as bus:
                return [event for event in await log_of(platform, bus) if event.source == source]

        return asyncio.run(self._with_platform(read))

    async def _with_platform(self, work: Callable[[Platform], Awaitable[T]]) -> T:
        db = await Database.connect(self.settings.database_url or "", pool_size=2)
        try:
            return await work(Platform(self.settings, db))
        finally:
            await db.close()


@pytest.fixture(scope="module")
def server(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    url = copied_database(postgres_url, template_database, "suzani_sdks")
    folder = tmp_path_factory.mktemp("sdks")
    with _served(url, folder) as address:
        yield Server(address, Settings(folder, database_url=url))


def run(*command: object, cwd: Path | None = None) -> None:
    """Run a client to its end, which has to be a good one."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def check_six(events: list[Event]) -> dict[EventType, Event]:
    """Each call came once, as it was meant."""
    by_type = {event.type: event for event in events if event.name not in ("App Opened", "Page Left")}
    assert set(by_type) == set(EventType)
    assert by_type[EventType.IDENTIFY].traits["email"] == "dilnoza@example.uz"
    assert by_type[EventType.PAGE].name == "Mortgage"
    assert by_type[EventType.PAGE].properties["path"] == "/mortgage"
    assert by_type[EventType.SCREEN].name == "Home"
    assert by_type[EventType.GROUP].group_id == "family"
    assert (by_type[EventType.ALIAS].previous_id, by_type[EventType.ALIAS].user_id) == ("a1", "u1")
    assert len({event.message for event in events}) == len(events)
    assert all("clock" not in event.context.get("suzani", {}) for event in events)
    assert all(abs(event.received_at - event.at) < 60e6 for event in events if event.name != "Page Left")
    return by_type


def test_segments_client_for_python_delivers_even_when_sent_away(server: Server) -> None:
    run(sys.executable, SDKS / "segment_python.py", server.address, server.key("py", rate=20), 250)
    events = server.events("py")
    check_six(events)
    tracks = {event.name: event for event in events}
    assert tracks["Card Authorised"].properties == {
        "amount": 12.5,
        "currency": "UZS",
        "note": None,
        "nul": "ab",
    }
    assert tracks["Card Declined"].properties["amount"] is None
    assert tracks["Page Left"].received_at - tracks["Page Left"].at > 2.9 * 86400e6
    assert next(event for event in events if event.type == "screen").user_id == "42"
    numbers = [event.properties["number"] for event in events if event.name == "App Opened"]
    assert sorted(numbers) == list(range(250))


def test_rudderstacks_client_for_python_delivers(server: Server) -> None:
    run(sys.executable, SDKS / "rudder_python.py", server.address, server.key("rudder"))
    by_type = check_six(server.events("rudder"))
    assert by_type[EventType.TRACK].properties == {"amount": 12.5, "currency": "UZS"}
    assert by_type[EventType.TRACK].channel == "web"


@pytest.fixture(scope="module")
def node_client() -> Path:
    """The folder that has Segment's client for Node.js, fetched from its registry once."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node.js with npm is not on this machine")
    installed = TOOLS / "node_modules" / NODE_CLIENT / "package.json"
    if not installed.exists() or json.loads(installed.read_text())["version"] != NODE_VERSION:
        TOOLS.mkdir(parents=True, exist_ok=True)
        (TOOLS / "package.json").write_text("{}")
        run("npm", "install", "--no-audit", "--no-fund", f"{NODE_CLIENT}@{NODE_VERSION}", cwd=TOOLS)
    return TOOLS


def test_segments_client_for_node_delivers(server: Server, node_client: Path) -> None:
    key = server.key("node")
    run("node", SDKS / "segment_node.mjs", server.address, key, cwd=node_client)
    by_type = check_six(server.events("node"))
    properties = by_type[EventType.TRACK].properties
    assert (properties["amount"], properties["currency"]) == (12.5, "UZS")


@pytest.mark.parametrize("client", ["segment_python.py", "rudder_python.py"])
def test_a_client_with_a_wrong_key_is_told_so(server: Server, client: str) -> None:
    done = subprocess.run(
        [sys.executable, str(SDKS / client), server.address, "sz_write_wrong", "0"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "not known" in done.stderr
