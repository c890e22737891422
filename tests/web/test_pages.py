"""Pages in a real browser; nothing here runs an event loop of its own, as Playwright has one."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.profiles.bank import KARIMOV, KIM, KIM_TWIN, RETIRED, SCRIPT


def test_the_overview_shows_the_audit(site: str, page: Page) -> None:
    page.goto(site)
    expect(page.locator("h1")).to_have_text("7 systems see 10 customers. They are 6 people.")
    expect(page.locator("[data-figure=duplicates] .value")).to_have_text("40.0%")
    expect(page.locator("h2", has_text="Customers that two systems share")).to_be_visible()
    expect(page.locator("main a", has_text="Каримов Азиз Рустамович")).to_have_attribute(
        "href", f"/customers/{KARIMOV}"
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def typed(page: Page, text: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type(text)


def test_search_answers_as_one_types_in_any_script(site: str, page: Page) -> None:
    page.goto(site)
    page.wait_for_selector("h1")
    box = page.locator(".search input")
    for text, name in (
        ("кари", "Каримов Азиз Рустамович"),
        ("karimov az", "Каримов Азиз Рустамович"),
        ("김민", "김 민수"),
        ("90 123", "Каримов Азиз Рустамович"),
        ("8600 1234", "Каримов Азиз Рустамович"),
        ("INV-5", "김 민수"),
    ):
        box.fill(text)
        expect(page.locator(".drop .hit strong").first).to_have_text(name)
    expect(page.locator(".drop .match").first).to_contain_text("Product number INV-5")
    assert page.url.rstrip("/") == site
    box.fill("к")
    expect(page.locator(".drop")).to_contain_text("Keep typing")
    box.fill("qwzxqv")
    expect(page.locator(".drop")).to_contain_text("Nobody found for “qwzxqv”")


def test_the_keyboard_is_enough_to_find_and_open_a_customer(site: str, page: Page) -> None:
    page.goto(site)
    page.wait_for_selector("h1")
    typed(page, "minsu")
    page.wait_for_selector(".drop .hit")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site}/customers/{KIM}")
    page.wait_for_selector("h1")
    typed(page, "kim")
    page.wait_for_selector(".drop .hit")
    page.keyboard.press("Escape")
    expect(page.locator(".drop")).to_be_hidden()
    typed(page, "kim")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("2 customers")


def test_a_value_shows_its_provenance_on_hover_and_on_focus(site: str, page: Page) -> None:
    page.goto(f"{site}/customers/{KARIMOV}")
    phone = page.locator("[data-attribute=phone]")
    expect(phone.locator(".provenance")).to_be_hidden()
    phone.locator(".value").hover()
    expect(phone.locator(".provenance")).to_contain_text("Cards, record 102, updated 2 Jul 2025")
    expect(phone.locator(".provenance")).to_contain_text("the most recent")
    expect(phone.locator(".provenance s").first).to_have_text("+998 90 123-45-67")
    page.mouse.move(0, 0)
    expect(phone.locator(".provenance")).to_be_hidden()
    phone.locator(".value").focus()
    expect(phone.locator(".provenance")).to_be_visible()


def test_the_customer_page_shows_sources_products_evidence_and_history(site: str, page: Page) -> None:
    page.goto(f"{site}/customers/{KARIMOV}")
    expect(page.locator("h1")).to_have_text("Каримов Азиз Рустамович")
    expect(page.locator("table.sources .survived", has_text="Рустамович")).to_be_visible()
    expect(page.locator("table.sources .differs", has_text="1 Jan 1900")).to_be_visible()
    expect(page.locator(".verdict")).to_have_text("Must not be contacted for marketing")
    expect(page.locator(".products")).to_contain_text("Humo Gold")
    expect(page.locator(".balances")).to_contain_text("1,550,000.50")
    expect(page.locator("section.why .summary")).to_contain_text("3 records from 3 systems")
    expect(page.locator(".timeline")).to_contain_text("Person 7 was merged into this one")
    expect(page.locator(".timeline .facts", has_text="+998 90 000-11-22 →")).to_have_count(1)


def test_a_join_opens_into_a_waterfall_of_its_fields(site: str, page: Page) -> None:
    page.goto(f"{site}/customers/{KARIMOV}")
    joins = page.locator("section.why .join")
    expect(joins).to_have_count(2)
    first = joins.first
    expect(first.locator("summary .group")).to_have_text(["Core banking 101", "Lending 103"])
    expect(first.locator(".waterfall")).to_be_hidden()
    first.locator("summary").click()
    steps = first.locator(".waterfall > li:not(.heads)")
    expect(steps).to_have_count(6)
    expect(steps.nth(1)).to_contain_text("Family name")
    expect(steps.nth(1).locator(".bits")).to_have_text("+9.5")
    expect(steps.nth(1).locator(".value")).to_have_text(["Каримов", "Karimov"])
    expect(steps.last.locator(".sum")).to_have_text("+11.4")
    expect(first.locator(".verdict-line")).to_contain_text("They are one person")
    bars = first.locator(".track > .for")
    left, right = bars.nth(0).bounding_box(), bars.nth(1).bounding_box()
    assert left
    assert right
    assert right["x"] == pytest.approx(left["x"] + left["width"], abs=2)


def test_a_waterfall_is_told_in_words_to_those_who_do_not_see_it(site: str, page: Page) -> None:
    page.goto(f"{site}/customers/{KARIMOV}")
    spoken = page.locator("section.why .spoken").first
    expect(spoken).to_contain_text("Both have the date of birth 14 Mar 1985: +8.2 bits.")
    assert page.locator("section.why .waterfall:not([aria-hidden=true])").count() == 0


def test_any_two_records_can_be_compared(site: str, page: Page) -> None:
    page.goto(f"{site}/customers/{KARIMOV}")
    page.locator(".picker select").first.select_option("102")
    page.locator(".picker select").last.select_option("103")
    page.locator(".picker button").click()
    expect(page.locator("#compare .pair")).to_contain_text("No comparison of these two is kept.")
    expect(page.locator("#compare .pair")).to_contain_text("through other records of that person")
    page.locator(".picker select").last.select_option("101")
    page.locator(".picker button").click()
    expect(page.locator("#compare .waterfall .against .bits").first).to_have_text("−2.1")


@pytest.mark.parametrize("asked", ["a=1&b=2", "a=101&b=101", "a=x&b=-1", f"a={'9' * 40}&b=1", "a=101&b=104"])
def test_records_that_are_not_this_persons_are_not_compared(site: str, page: Page, asked: str) -> None:
    page.goto(f"{site}/customers/{KARIMOV}?{asked}")
    expect(page.locator("section.why")).to_be_visible()
    expect(page.locator("#compare .pair")).to_have_count(0)


def test_the_nearest_others_say_what_keeps_them_apart(site: str, page: Page) -> None:
    page.goto(f"{site}/customers/{KIM_TWIN}")
    expect(page.locator("section.why h2")).to_have_text("Why nobody else")
    near = page.locator("section.why .join")
    expect(near).to_contain_text("Against it: given name")
    near.locator(".groups a").click()
    expect(page).to_have_url(f"{site}/customers/{KIM}")


@pytest.mark.parametrize("code", ["ru", "uz", "ko"])
def test_the_reasons_are_told_in_every_language(site: str, page: Page, code: str) -> None:
    page.goto(f"{site}/customers/{KARIMOV}?lang={code}")
    said = {"ru": "Почему это один человек", "uz": "Nega bu bir shaxs", "ko": "왜 같은 사람인가"}[code]
    expect(page.locator("section.why h2")).to_have_text(said)
    page.evaluate("document.querySelectorAll('.why details').forEach(part => part.open = true)")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_merged_person_leads_to_the_one_they_went_to(site: str, page: Page) -> None:
    page.goto(f"{site}/customers/{RETIRED}")
    expect(page).to_have_url(f"{site}/customers/{KARIMOV}")


@pytest.mark.parametrize(
    ("code", "headline", "golden"),
    [
        ("en", "7 systems see 10 customers. They are 6 people.", "Golden record"),
        ("ru", "7 систем: 10 клиентов. На деле это 6 человек.", "Золотая запись"),
        ("uz", "7 ta tizim 10 ta mijozni ko‘radi. Aslida ular 6 kishi.", "Oltin yozuv"),
        ("ko", "시스템 7개에 고객 10명. 실제로는 6명입니다.", "골든 레코드"),
    ],
)
def test_a_language_is_chosen_once_and_kept(
    site: str, page: Page, code: str, headline: str, golden: str
) -> None:
    page.goto(site)
    page.locator(".languages a", has_text=code.upper()).click()
    expect(page.locator("h1")).to_have_text(headline)
    page.goto(f"{site}/customers/{KARIMOV}")
    expect(page.locator("h2").first).to_have_text(golden)
    assert page.evaluate("document.documentElement.lang") == code


def test_the_browsers_language_is_answered(site: str, browser: Browser) -> None:
    context = browser.new_context(locale="ko-KR")
    page = context.new_page()
    page.goto(site)
    expect(page.locator("nav a").first).to_have_text("개요")
    context.close()


def test_what_sources_hold_is_text_and_never_script(site: str, page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail("a source's value ran as a script"))
    page.goto(f"{site}/customers/{SCRIPT}")
    expect(page.locator("h1")).to_have_text("<script>alert(1)</script> Боб")
    typed(page, "Боб")
    expect(page.locator(".drop strong")).to_have_text("<script>alert(1)</script> Боб")


def test_unknown_persons_and_pages_are_said_to_be_unknown(site: str, page: Page) -> None:
    for path, said in (
        ("/customers/999999", "There is no person 999999"),
        ("/customers/abc", "There is no person abc"),
        (f"/customers/{'9' * 30}", "There is no person"),
        ("/nowhere", "There is no such page"),
    ):
        answer = page.goto(site + path)
        assert answer
        assert answer.status == 404
        expect(page.locator("h1")).to_contain_text(said)


def test_an_empty_database_says_what_to_run(empty_site: str, page: Page) -> None:
    page.goto(empty_site)
    expect(page.locator("h1")).to_have_text("No customers yet")
    expect(page.locator("pre").first).to_have_text("suzani demo")
    typed(page, "karimov")
    expect(page.locator(".drop")).to_contain_text("Nobody found")


def test_the_theme_is_chosen_once_and_kept(site: str, page: Page) -> None:
    page.goto(site)
    page.locator(".theme").click()
    page.reload()
    page.wait_for_selector("h1")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_pages_fit_a_narrow_screen(site: str, page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    for path in ("/", "/search?q=kim", f"/customers/{KARIMOV}"):
        page.goto(site + path)
        page.wait_for_selector("h1")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_is_fetched_from_elsewhere(site: str, page: Page) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(f"{site}/customers/{KARIMOV}")
    page.wait_for_selector("h1")
    assert [url for url in fetched if not url.startswith((site, "data:", "blob:"))] == []


def test_pages_and_sockets_refuse_foreign_names(site: str) -> None:
    assert httpx.get(site, headers={"host": "evil.example"}).status_code == 403
    polling = f"{site}/_nicegui_ws/socket.io/?EIO=4&transport=polling"
    assert httpx.get(polling, headers={"origin": "http://evil.example"}).status_code == 403
