"""A real server on a tiny bank, and a real Chromium."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from suzani.infra.db import Database
from suzani.infra.platform import Platform
from suzani.profiles import load_survivorship, rebuild_all
from suzani.web import build_api
from tests.conftest import copied_database
from tests.profiles import bank

CHROMIUM_ARGUMENTS = ["--no-sandbox", "--headless=new", "--disable-gpu", "--disable-background-networking"]
START_SECONDS = 60


@pytest.fixture(scope="session")
def site_database(postgres_url: str, template_database: str, worker_id: str) -> str:
    """The address of the database with the tiny bank that `site` is on."""
    url = copied_database(postgres_url, template_database, f"suzani_web_bank_{worker_id}")
    asyncio.run(_fill(url))
    return url


@pytest.fixture(scope="session")
def site(site_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server on the tiny bank."""
    with _served(site_database, tmp_path_factory.mktemp("bank")) as address:
        yield address


@pytest.fixture(scope="session")
def empty_site(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[str]:
    """The address of a server on an empty database."""
    url = copied_database(postgres_url, template_database, f"suzani_web_empty_{worker_id}")
    with _served(url, tmp_path_factory.mktemp("empty")) as address:
        yield address


async def _fill(url: str) -> None:
    database = await Database.connect(url, pool_size=2)
    try:
        async with database.transaction() as tx:
            await bank.fill(tx)
        async with database.transaction() as tx:
            await rebuild_all(tx, load_survivorship(), bank.NOW)
    finally:
        await database.close()


@contextmanager
def _served(url: str, folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running_service("serve_pages", url, folder, port) as server:
        _wait(server, port)
        yield f"http://localhost:{port}"


@contextmanager
def running_service(name: str, url: str, folder: Path, port: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """A service of `suzani up` in a process of its own, on a database."""
    code = "import sys; from suzani import main; from suzani.infra.settings import Settings; "
    code += "getattr(main, sys.argv[1])(Settings.from_environment(), int(sys.argv[2]))"
    environment = {
        **os.environ,
        "SUZANI_DATABASE_URL": url,
        "SUZANI_DATA": str(folder),
        "TZ": "Asia/Tashkent",
    }
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST")}
    command = [sys.executable, "-c", code, name, str(port)]
    server = subprocess.Popen(command, env=environment, cwd=folder)
    try:
        yield server
    finally:
        server.terminate()
        server.wait(20)


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not start")


@pytest.fixture
async def client(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """The API on the tiny bank."""
    async with platform.db.transaction() as tx:
        await bank.fill(tx)
    async with platform.db.transaction() as tx:
        await rebuild_all(tx, load_survivorship(), bank.NOW)
    transport = httpx.ASGITransport(build_api(platform))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        yield client


@pytest.fixture(scope="module")
def browser(site: str) -> Iterator[Browser]:
    """A real Chromium, for one module: Playwright keeps an event loop running in this thread meanwhile,
    in which tests with a loop of their own cannot run."""
    with launched() as chromium:
        yield chromium


@contextmanager
def launched() -> Iterator[Browser]:
    """A real Chromium."""
    with sync_playwright() as playwright:
        path = _chromium(playwright.chromium.executable_path)
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


def _chromium(fetched: str) -> str:
    """The Chromium that `make test` found or fetched (tools/find_chromium.sh looks in the same places)."""
    names = (os.environ.get("SUZANI_CHROMIUM"), "chromium", "chromium-browser", "google-chrome", fetched)
    for name in names:
        if name and (path := shutil.which(name)):
            return path
    pytest.fail("no Chromium; `make browser` fetches one, and SUZANI_CHROMIUM names one")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in English whose console must stay free of errors."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert [error for error in errors if "404" not in error] == []
