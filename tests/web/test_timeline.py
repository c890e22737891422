"""The timeline of the customer page in a real browser, on events that are put in while it is open."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.profiles.bank import JOHNSON, KARIMOV, KIM, PETROVA, SCRIPT
from tests.web.living import happening, live

TASHKENT = ZoneInfo("Asia/Tashkent")
NOON = datetime.now(TASHKENT).replace(hour=12, minute=0, second=0, microsecond=0).astimezone(UTC)
"""Noon of today in Tashkent, where the server stands."""

SOON = 20_000
"""Milliseconds in which a line must be there by itself, however slow the machine."""

DAY = timedelta(days=1)
VISIT = [
    happening(NOON - timedelta(minutes=9), "Consumer loan", kind="page", path="/loan"),
    happening(NOON - timedelta(minutes=8), "Form Started", form="Loan application", fields=8),
    happening(
        NOON - timedelta(minutes=5), "Form Abandoned", form="Loan application", fields=8,
        filled=["amount", "income", "purpose"], last_field="employer", seconds=184,
    ),
    happening(NOON - timedelta(minutes=4), "Page Left", path="/loan", visible_seconds=251, scroll_percent=60),
    happening(NOON + timedelta(hours=1), "Call Ended", "call_centre", duration_seconds=425,
              reason="loan application", disposition="will call back"),
    happening(NOON - DAY, "Card Declined", "card", amount=1250000, currency="UZS", merchant="Korzinka",
              reason="insufficient funds", product_number="8600123456789012"),
    happening(NOON - 2 * DAY, "Branch Visited", "branch", branch="Chilonzor", purpose="deposit"),
    happening(NOON - 400 * DAY, "Deposit Opened", "app", amount=5000000, currency="UZS"),
]  # fmt: skip


@pytest.fixture(scope="module")
def database(site_database: str) -> str:
    live(site_database, PETROVA, VISIT)
    return site_database


def opened(site: str, page: Page, person: int, language: str = "en") -> None:
    page.goto(f"{site}/customers/{person}?lang={language}")
    expect(page.locator(".timeline .channels button").first).to_be_visible()


def lines(page: Page) -> list[str]:
    return [" ".join(text.split()) for text in page.locator(".days .line .what").all_inner_texts()]


def test_every_channel_is_in_one_line_of_days(site: str, database: str, page: Page) -> None:
    opened(site, page, PETROVA)
    told = lines(page)
    assert told[:7] == [
        "Call loan application · will call back · 7 min 5 s",
        "Page left /loan · 4 min 11 s · read to 60%",
        "Form abandoned Loan application · 3 of 8 fields · left at “employer”",
        "Form started Loan application",
        "Page viewed Consumer loan",
        "Card declined 1,250,000.00 UZS · Korzinka · insufficient funds",
        "Branch visited Chilonzor · deposit",
    ]
    assert any("came in" in line for line in told)
    expect(page.locator(".days h3").first).to_contain_text("Today")
    expect(page.locator(".days h3").nth(1)).to_contain_text("Yesterday")
    expect(page.locator(".days li.bad").first).to_contain_text("Form abandoned")
    expect(page.locator(".days time").first).to_have_text("13:00")
    expect(page.locator(".channels button").first).to_contain_text("Web site")
    if folder := os.environ.get("SUZANI_PICTURES"):
        page.locator("#timeline").screenshot(path=f"{folder}/timeline.png")


def test_a_line_opens_into_everything_that_is_known(site: str, database: str, page: Page) -> None:
    opened(site, page, PETROVA)
    declined = page.locator(".days li", has_text="Card declined")
    expect(declined.locator(".facts")).to_be_hidden()
    declined.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(declined.locator(".facts")).to_be_visible()
    expect(declined.locator("dt", has_text="Product number")).to_be_visible()
    expect(declined.locator(".facts")).to_contain_text("8600123456789012")
    expect(declined.locator(".facts")).to_contain_text("m-Card Declined")


def test_new_events_appear_by_themselves_at_their_place(site: str, database: str, page: Page) -> None:
    opened(site, page, PETROVA)
    first = page.locator(".days li").first
    first.locator("summary").click()
    live(
        database,
        PETROVA,
        [
            happening(NOON + timedelta(hours=2), "Complaint Filed", "call_centre", subject="Declined card"),
            happening(NOON - timedelta(minutes=6), "Error Shown", message="valueMissing"),
            happening(NOON - 3 * DAY, "Late Event", "pager"),
        ],
    )
    expect(page.locator(".days li").first).to_contain_text("Complaint filed", timeout=SOON)
    told = lines(page)
    assert told.index("Error shown valueMissing") == told.index("Form started Loan application") - 1
    expect(
        page.locator(".days section", has_text="Late Event").locator("li", has_text="Late Event")
    ).to_be_visible()
    expect(page.locator(".days h3", has_text="Today")).to_have_count(1)
    expect(page.locator(".days li.fresh")).to_have_count(3)
    expect(page.locator(".days details[open]")).to_have_count(1)
    expect(page.locator(".channels button", has_text="Pager")).to_be_visible(timeout=15000)


def test_the_timeline_can_be_filtered(site: str, database: str, page: Page) -> None:
    opened(site, page, PETROVA)
    page.locator(".channels button", has_text="Card").click()
    expect(page.locator(".days li")).to_have_count(1)
    expect(page.locator(".channels button", has_text="Card")).to_have_attribute("aria-pressed", "true")
    page.locator(".channels button", has_text="Branch").click()
    expect(page.locator(".days li")).to_have_count(2)
    for name in ("Card", "Branch"):
        page.locator(".channels button", has_text=name).click()
    page.locator(".filters .text input").fill("kORZINKA")
    expect(page.locator(".days li")).to_have_count(1)
    page.locator(".filters .text input").fill("no such thing")
    expect(page.locator(".timeline > .note")).to_have_text("Nothing of that kind.")
    page.locator(".filters .text input").fill("")
    names, periods = page.locator(".filters select").first, page.locator(".filters select").last
    names.select_option(label="Form abandoned")
    expect(page.locator(".days li")).to_have_count(1)
    names.select_option(label="Page viewed")
    expect(page.locator(".days li")).to_contain_text(["Consumer loan"])
    names.select_option("")
    periods.select_option("year")
    expect(page.locator(".days", has_text="Card declined")).to_be_visible()
    expect(page.locator(".days", has_text="Deposit opened")).to_have_count(0)
    periods.select_option("between")
    first, last = (
        page.locator(".filters input[type=date]").first,
        page.locator(".filters input[type=date]").last,
    )
    day = (NOON - DAY).date().isoformat()
    first.fill(day)
    last.fill(day)
    expect(page.locator(".days li")).to_have_count(1)
    expect(page.locator(".days li")).to_contain_text("Card declined")


def test_what_systems_tell_is_a_channel_too(site: str, database: str, page: Page) -> None:
    opened(site, page, KARIMOV)
    page.locator(".channels button", has_text="Product systems").click()
    changed = page.locator(".days li", has_text="was changed").first
    changed.locator("summary").click()
    expect(changed.locator(".facts")).to_contain_text("→")
    expect(page.locator(".days")).to_contain_text("Person 7 was merged into this one")
    page.locator(".filters .text input").fill("merged")
    expect(page.locator(".days li")).to_have_count(1)


def test_who_never_did_anything_has_their_records_and_then_a_first_event(
    site: str, database: str, page: Page
) -> None:
    opened(site, page, KIM)
    expect(page.locator(".days li").first).to_be_visible()
    live(database, KIM, [happening(datetime.now(UTC), "App Opened", "app")])
    expect(page.locator(".days li").first).to_contain_text("Application opened", timeout=SOON)


def test_a_hundred_thousand_events_are_read_a_page_at_a_time(site: str, database: str, page: Page) -> None:
    step = timedelta(minutes=7)
    many = [
        happening(NOON - step * number, "Card Authorised", "card", amount=number) for number in range(99_000)
    ]
    rare = [
        happening(NOON - step * 990 * number, "Ad Clicked", "ads", campaign=f"spring {number}")
        for number in range(1000)
    ]
    live(database, JOHNSON, many + rare)
    opened(site, page, JOHNSON)
    expect(page.locator(".days li")).to_have_count(50)
    for loaded in (100, 150, 200):
        page.locator(".show-more").click()
        expect(page.locator(".days li")).to_have_count(loaded)
    amounts = [int(found) for line in lines(page) if (found := re.sub(r"\D", "", line.partition(".")[0]))]
    assert amounts == sorted(amounts)
    expect(page.locator(".channels button", has_text="Card")).to_contain_text("99,000")
    page.locator(".filters .text input").fill("spring 999")
    expect(page.locator(".days li")).to_have_count(1)
    live(database, JOHNSON, [happening(NOON + step * number, "Payment Made", "app") for number in range(120)])
    page.locator(".filters .text input").fill("")
    expect(page.locator(".days li")).to_have_count(50)
    expect(page.locator(".days li", has_text="Payment made")).to_have_count(50)


def test_a_burst_greater_than_a_page_leaves_no_gap(site: str, database: str, page: Page) -> None:
    opened(site, page, KIM)
    now = datetime.now(UTC)
    live(
        database,
        KIM,
        [happening(now + timedelta(seconds=number), "Transfer Sent", "app") for number in range(130)],
    )
    expect(page.locator(".days li", has_text="Transfer sent")).to_have_count(50, timeout=SOON)
    for _ in range(2):
        page.locator(".show-more").click()
    expect(page.locator(".days li", has_text="Transfer sent")).to_have_count(130)
    expect(page.locator(".days li", has_text="Application opened")).to_have_count(1)


def test_what_events_say_is_text_and_never_script(site: str, database: str, page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail("an event ran as a script"))
    evil = "<img src=x onerror=alert(1)>"
    live(database, SCRIPT, [happening(NOON, evil, evil, text=evil, **{evil: {evil: [evil]}})])
    opened(site, page, SCRIPT)
    page.locator(".days li summary").first.click()
    expect(page.locator(".days li").first).to_contain_text(evil)
    expect(page.locator(".channels button", has_text="<img")).to_be_visible()
    assert page.locator(".timeline img").count() == 0


@pytest.mark.parametrize(
    ("language", "heading", "abandoned", "channel"),
    [
        ("ru", "Лента событий", "Брошена форма Loan application · полей заполнено: 3 из 8", "Контакт-центр"),
        ("uz", "Voqealar tasmasi", "Shakl tashlab ketildi Loan application", "Aloqa markazi"),
        ("ko", "타임라인", "양식 작성 중단 Loan application · 항목 8개 중 3개 입력", "콜센터"),
    ],
)  # fmt: skip
def test_the_timeline_speaks_every_language_and_fits_every_screen(
    site: str, database: str, page: Page, language: str, heading: str, abandoned: str, channel: str
) -> None:
    opened(site, page, PETROVA, language)
    expect(page.locator("#timeline h2")).to_have_text(heading)
    assert any(line.startswith(abandoned) for line in lines(page))
    expect(page.locator(".channels button", has_text=channel)).to_be_visible()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.locator(".days summary").nth(2).click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if folder := os.environ.get("SUZANI_PICTURES"):
            page.locator("#timeline").screenshot(path=f"{folder}/timeline-{language}-{width}.png")


def test_every_control_has_a_name_and_is_reached_by_keyboard(site: str, database: str, page: Page) -> None:
    opened(site, page, PETROVA)
    nameless = page.evaluate(
        """[...document.querySelectorAll("#timeline :is(input, select, button)")].filter(control =>
             !(control.getAttribute("aria-label") || control.innerText.trim())).length"""
    )
    assert nameless == 0
    page.locator(".channels button").first.focus()
    page.keyboard.press("Space")
    expect(page.locator(".channels button").first).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.activeElement.closest('.channels') !== null")
    page.keyboard.press("Space")
    assert page.locator("#timeline [id]").evaluate_all(
        "all => new Set(all.map(e => e.id)).size === all.length"
    )
