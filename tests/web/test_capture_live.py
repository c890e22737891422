"""From a bank's page in a real Chromium to the log of events, with nothing in between but the platform."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Page, expect

from suzani.events import Event
from suzani.infra.bus import open_bus
from suzani.infra.db import Database
from suzani.infra.platform import Platform
from suzani.infra.settings import Settings
from tests.events.collecting import log_of, new_key, quarantine_of
from tests.profiles.bank import KARIMOV
from tests.web.bank_site import bank
from tests.web.conftest import running_service

Answer = TypeVar("Answer")
WAIT_SECONDS = 15


def on_platform(url: str, folder: Path, act: Callable[[Platform], Awaitable[Answer]]) -> Answer:
    """What an act on the platform's database gives; in a thread, as Playwright has the loop of this one."""
    answers: list[Answer] = []

    async def run() -> None:
        database = await Database.connect(url, pool_size=2)
        try:
            answers.append(await act(Platform(Settings(folder, database_url=url), database)))
        finally:
            await database.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()
    return answers[0]


async def logged(platform: Platform) -> list[Event]:
    async with open_bus(platform.db, platform.settings) as bus:
        return await log_of(platform, bus)


def test_a_dropped_loan_application_reaches_the_log_of_events(
    site: str, site_database: str, tmp_path: Path, page: Page
) -> None:
    with bank(site) as web:
        web.write_key = on_platform(site_database, tmp_path, new_key)
        page.goto(f"{web.address}/loan")
        page.evaluate("suzani.identify('c-17')")
        page.locator("[name=amount]").press_sequentially("77000111")
        page.locator("#to-deposits").click()
        deadline = time.monotonic() + WAIT_SECONDS
        while not (
            dropped := named(events := on_platform(site_database, tmp_path, logged), "Form Abandoned")
        ):
            assert time.monotonic() < deadline, [event.name for event in events]
            time.sleep(0.2)
    assert dropped[0].properties["filled"] == ["amount"]
    assert (dropped[0].user_id, dropped[0].source, dropped[0].channel) == ("c-17", "web", "web")
    assert dropped[0].context["library"]["name"] == "suzani-capture"
    assert abs(dropped[0].at - dropped[0].received_at) < 60_000_000
    assert {"Consumer loan – Bank", "Form Started"} <= {event.name for event in events}
    assert on_platform(site_database, tmp_path, quarantine_of) == []


def test_what_a_customer_does_on_the_web_is_on_their_page_while_it_is_open(
    site: str, site_database: str, tmp_path: Path, page: Page
) -> None:
    page.goto(f"{site}/customers/{KARIMOV}")
    with bank(site) as web, running_service("serve_events", site_database, tmp_path):
        web.write_key = on_platform(site_database, tmp_path, lambda platform: new_key(platform, "site"))
        visitor = page.context.new_page()
        visitor.goto(f"{web.address}/loan")
        visitor.evaluate("suzani.track('Product Viewed', {product_number: 'L-2023/77'})")
        visitor.locator("[name=amount]").press_sequentially("77000111")
        visitor.locator("#to-deposits").click()
        dropped = page.locator(".days li", has_text="Form abandoned")
        expect(dropped).to_contain_text("Loan application · 1 of 7 fields · left at “amount”", timeout=60_000)
        visitor.locator("[data-testid=balance]").click()
        expect(page.locator(".days li", has_text="Clicked").first).to_contain_text("“***”", timeout=10_000)


def named(events: list[Event], name: str) -> list[Event]:
    return [event for event in events if event.name == name]
