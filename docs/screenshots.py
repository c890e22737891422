"""Take the screenshots of `docs/images` from a running server, best one with the demo bank.

    suzani demo                                                     # in one terminal
    uv run python docs/screenshots.py http://localhost:8000         # in another

Needs Chromium on PATH. Give a person's id to show another customer than the one with the most records.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
ARGUMENTS = ["--no-sandbox", "--headless=new", "--disable-gpu", "--disable-background-networking"]
SIZE = {"width": 1280, "height": 860}
SEARCHED = "karimov az"


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
    parser.add_argument("person", nargs="?", type=int, help="id of the person to show")
    arguments = parser.parse_args()
    server: str = arguments.server.rstrip("/")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no Chromium on PATH; on Debian: apt-get install chromium")
    biggest = httpx.get(f"{server}/v1/audit").raise_for_status().json()["biggest"]
    if not biggest and arguments.person is None:
        sys.exit("the server has no customers yet: suzani demo makes some")
    customer = f"{server}/customers/{arguments.person or biggest[0]['person_id']}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        take(browser, server, "overview", nothing)
        take(browser, f"{server}?lang=ru", "overview-dark-ru", nothing, dark=True)
        take(browser, server, "search", type_in_the_search_box)
        take(browser, customer, "customer", point_at_a_value)
        browser.close()


if __name__ == "__main__":
    main()
