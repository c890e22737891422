"""Pages in a real browser; nothing here runs an event loop of its own, as Playwright has one."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.profiles.bank import KARIMOV, KIM, RETIRED, SCRIPT


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
    expect(page.locator("table.evidence .bits").first).to_contain_text("Family name +9.5")
    expect(page.locator(".history")).to_contain_text("Person 7 was merged into this one")
    expect(page.locator(".history s", has_text="+998 90 000-11-22")).to_be_visible()


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
