"""Take the screenshots of `docs/images` from a running server, best one with the demo bank.

    suzani demo                                                     # in one terminal
    suzani key create --source bank --data DEMO                     # in another; it prints KEY
    uv run python docs/screenshots.py http://localhost:8000 --key KEY

Needs Chromium on PATH. With a key, some days of the customer's life are sent to the collector first. Give a
person's id to show another customer than the one with the most records.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
ARGUMENTS = ["--no-sandbox", "--headless=new", "--disable-gpu", "--disable-background-networking"]
SIZE = {"width": 1280, "height": 860}
SEARCHED = "karimov az"


LIFE: list[tuple[float, str, str, dict[str, Any]]] = [
    (0.1, "web", "Form Abandoned", {"form": "Loan application", "fields": 8, "last_field": "employer",
                                    "filled": ["amount", "months", "income"], "seconds": 184}),
    (0.12, "web", "Error Shown", {"kind": "validation", "message": "valueMissing", "field": "income"}),
    (0.2, "web", "Form Started", {"form": "Loan application", "fields": 8, "field": "amount"}),
    (0.25, "web", "Element Clicked", {"text": "Apply for a loan", "tag": "a", "selector": "a#apply"}),
    (2, "app", "App Session Ended", {"duration_seconds": 312}),
    (5, "card", "Card Authorised", {"amount": 486000, "currency": "UZS", "merchant": "Korzinka"}),
    (20, "call_centre", "Call Ended", {"duration_seconds": 425, "reason": "loan terms",
                                       "disposition": "will decide"}),
    (26, "card", "Card Declined", {"amount": 1250000, "currency": "UZS", "merchant": "Makro",
                                   "reason": "limit exceeded"}),
    (27, "app", "Transfer Sent", {"amount": 300000, "currency": "UZS", "counterparty": "Dilnoza R."}),
    (50, "branch", "Branch Visited", {"branch": "Chilonzor", "purpose": "deposit", "wait_seconds": 300}),
    (51, "branch", "Deposit Opened", {"amount": 5000000, "currency": "UZS", "product_kind": "deposit"}),
    (75, "ads", "Ad Clicked", {"campaign": "spring"}),
]  # fmt: skip
"""What happens to the customer: hours ago, channel, name, properties."""


def live(server: str, key: str, product_number: str) -> None:
    """Send that life to the collector; the events say whose product it is about."""
    now = datetime.now(UTC)
    events = [
        {
            "type": "track",
            "event": name,
            "messageId": f"life-{number}",
            "anonymousId": "life",
            "timestamp": (now - timedelta(hours=hours)).isoformat(),
            "properties": properties,
            "context": {"channel": channel, "product_number": product_number},
        }
        for number, (hours, channel, name, properties) in enumerate(LIFE)
    ]
    httpx.post(f"{server}/v1/batch", json={"batch": events}, auth=(key, "")).raise_for_status()


def type_in_the_search_box(page: Page) -> None:
    """Search as a person would, and move to the first hit."""
    page.keyboard.press("/")
    page.keyboard.type(SEARCHED)
    page.wait_for_selector(".drop .hit")
    page.keyboard.press("ArrowDown")


def point_at_a_value(page: Page) -> None:
    """Show the provenance of a value that others lost to, if there is one."""
    contested = page.locator(".golden .value:has(.lost-count)")
    (contested if contested.count() else page.locator(".golden .value")).first.hover()


def look_at_the_timeline(page: Page) -> None:
    """Open one entry, with the timeline at the top of the window."""
    page.wait_for_selector(".timeline .channels button")
    page.locator(".days li.bad summary").first.click()
    page.locator("#timeline").evaluate("card => scrollBy(0, card.getBoundingClientRect().top - 70)")


def nothing(page: Page) -> None:
    """Show the page as it opens."""


def take(
    browser: Browser, address: str, name: str, act: Callable[[Page], None], *, dark: bool = False
) -> None:
    """One picture of what a person sees at 1280 x 860."""
    scheme = "dark" if dark else "light"
    context = browser.new_context(viewport=SIZE, color_scheme=scheme, locale="en-GB", device_scale_factor=1)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("h1")
    act(page)
    page.wait_for_timeout(400)
    page.screenshot(path=IMAGES / f"{name}.png")
    context.close()


def main() -> None:
    """Take every picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("server", help="address of a running server, such as http://localhost:8000")
    parser.add_argument("--key", help="a write key, to send events with")
    parser.add_argument("person", nargs="?", type=int, help="id of the person to show")
    arguments = parser.parse_args()
    server: str = arguments.server.rstrip("/")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no Chromium on PATH; on Debian: apt-get install chromium")
    biggest = httpx.get(f"{server}/v1/audit").raise_for_status().json()["biggest"]
    if not biggest and arguments.person is None:
        sys.exit("the server has no customers yet: suzani demo makes some")
    person = arguments.person or biggest[0]["person_id"]
    if arguments.key:
        products = httpx.get(f"{server}/v1/persons/{person}").raise_for_status().json()["products"]
        live(server, arguments.key, products[0]["number"])
    customer = f"{server}/customers/{person}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        take(browser, server, "overview", nothing)
        take(browser, f"{server}?lang=ru", "overview-dark-ru", nothing, dark=True)
        take(browser, server, "search", type_in_the_search_box)
        take(browser, customer, "customer", point_at_a_value)
        if arguments.key:
            take(browser, customer, "timeline", look_at_the_timeline)
        browser.close()


if __name__ == "__main__":
    main()
