"""Web capture in a real Chromium, on a bank's pages, with a collector on another origin."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from suzani.events import Checker, Event, EventType
from suzani.web.capture import script_text
from tests.web.bank_site import Collector, Site, bank, collecting
from tests.web.conftest import launched

CARD = "8600123456789012"
STORED = "JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage}) + document.cookie"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    """A collector; what it was sent must be as the catalogue of events describes it."""
    with collecting() as collector:
        yield collector
        checker = Checker(tmp_path)
        assert [found for sent in collector.events for found in checker.check(event_of(sent))] == []


def event_of(sent: dict[str, Any]) -> Event:
    return Event(
        message=b"",
        message_id=sent["messageId"],
        source="web",
        type=EventType(sent["type"]),
        name=sent.get("event") or sent.get("name", ""),
        at=0,
        received_at=0,
        anonymous_id=sent["anonymousId"],
        properties=sent.get("properties", {}),
        traits=sent.get("traits", {}),
    )


@pytest.fixture
def site(collector: Collector) -> Iterator[Site]:
    with bank(collector.address) as site:
        yield site


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(locale="en-GB", viewport={"width": 1000, "height": 800})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def typed(page: Page, name: str, text: str) -> None:
    page.locator(f"[name={name}]").press_sequentially(text)


def names(collector: Collector) -> list[str]:
    return [event.get("event") or event["type"] for event in collector.events]


def test_a_loan_application_dropped_half_way_is_told(site: Site, collector: Collector, page: Page) -> None:
    page.add_init_script(
        """for (const type of [HTMLInputElement, HTMLTextAreaElement, HTMLSelectElement]) {
             const { get, set } = Object.getOwnPropertyDescriptor(type.prototype, "value");
             const trap = function () { (window.read ??= []).push(this.name); return get.call(this); };
             Object.defineProperty(type.prototype, "value", { get: trap, set });
           }"""
    )
    page.goto(f"{site.address}/loan")
    typed(page, "amount", "77000111")
    typed(page, "income", "654321")
    typed(page, "card", CARD)
    page.locator("[name=married][value=no]").check()
    page.locator("[name=purpose]").press("ArrowDown")
    page.locator("[name=comment]").focus()
    read = page.evaluate("window.read")
    page.locator("#to-deposits").click()
    [started], [dropped] = collector.wait("Form Started"), collector.wait("Form Abandoned")
    assert started["properties"] | {"selector": ""} == {
        "form": "Loan application", "selector": "", "fields": 7, "field": "amount"
    }  # fmt: skip
    told = dropped["properties"]
    assert told["form"] == "Loan application"
    assert told["filled"] == ["amount", "income", "card", "married", "purpose"]
    assert told["last_field"] == "comment"
    assert told["fields"] == 7
    assert told["seconds"] >= 0
    assert told["values"] == {"purpose": "car"}
    assert dropped["context"]["page"]["path"] == "/loan"
    assert set(read) <= {"purpose"}
    sent = "".join(collector.bodies)
    for secret in (CARD, "77000111", "654321", "married-no"):
        assert secret not in sent
        assert secret not in page.evaluate(STORED)
    assert "Form Submitted" not in names(collector)


def test_what_is_typed_is_nowhere_even_if_the_page_repeats_it(
    site: Site, collector: Collector, page: Page
) -> None:
    page.goto(f"{site.address}/loan?card={CARD}&email=a@b.uz&utm_source=ads")
    typed(page, "card", CARD)
    page.evaluate(
        """card => {
             document.title = "Card " + card;
             history.pushState({}, "", "/loan/" + card + "?q=" + card);
             console.error = () => {};
             setTimeout(() => { throw new Error("bad card " + card.replace(/(....)/g, "$1 ")); });
             document.querySelector("main").insertAdjacentHTML("beforeend",
               `<p role="alert">${card}</p><button id="${card}" name="${card}">${card}</button>`);
             suzani.track("Checked", { note: "nothing" });
           }""",
        CARD,
    )
    page.locator("main > button").click()
    page.goto("about:blank")
    collector.wait("Page Left", 2)
    collector.wait("Error Shown", 2)
    sent = "".join(collector.bodies)
    assert CARD not in sent
    assert "8600 1234" not in sent
    assert "a@b.uz" not in sent
    assert "utm_source=ads" in sent


def test_a_submitted_form_is_not_abandoned(site: Site, collector: Collector, page: Page) -> None:
    page.goto(f"{site.address}/loan")
    typed(page, "amount", "5")
    page.locator("[type=submit]").click()
    [submitted] = collector.wait("Form Submitted")
    assert submitted["properties"]["filled"] == ["amount"]
    [click] = collector.wait("Element Clicked")
    assert click["properties"]["text"] == "Send application"
    typed(page, "amount", "6")
    page.evaluate("() => { suzani.track('Form Submitted', {form: 'Loan application'}) }")
    typed(page, "amount", "7")
    page.evaluate(
        """() => {
             const form = document.querySelector("#loan");
             form.target = "elsewhere";
             HTMLFormElement.prototype.submit.call(form);
           }"""
    )
    page.goto("about:blank")
    collector.wait("Page Left")
    assert len(collector.named("Form Submitted")) == 3
    assert "Form Abandoned" not in names(collector)


def test_clicks_say_what_was_clicked(site: Site, collector: Collector, page: Page) -> None:
    page.goto(f"{site.address}/deposits")
    for target in (
        "main > button:nth-of-type(1)",
        "[data-testid=balance]",
        "#private",
        "#choice-3",
        "#note",
        "h1",
        "open-card b",
    ):
        page.locator(target).click()
    page.evaluate(
        "document.querySelector('a[href^=tel]').addEventListener('click', event => event.preventDefault())"
    )
    page.locator("a[href^=tel]").click()
    page.locator("#to-loan").click()
    clicks = [event["properties"] for event in collector.wait("Element Clicked", 6)]
    call = "html > body > main > a:nth-of-type(1)"
    assert clicks == [
        {"text": "Open a deposit", "tag": "button", "selector": "html > body > main > button:nth-of-type(1)"},
        {"text": "***", "tag": "button", "selector": '[data-testid="balance"]'},
        {"text": "***", "tag": "li", "role": "option", "selector": "li#choice-3"},
        {"text": "Inside a shadow", "tag": "button", "selector": "html > body > main > open-card > button"},
        {"text": "Call *** or ***, card ***, ***", "tag": "a", "href": "tel:", "selector": call},
        {"text": "Loans", "tag": "a", "href": f"{site.address}/loan", "selector": "a#to-loan"},
    ]  # fmt: skip


def test_clicking_again_and_again_in_vain_is_told_once(site: Site, collector: Collector, page: Page) -> None:
    page.goto(f"{site.address}/deposits")
    for _ in range(6):
        page.mouse.click(60, 100)
    page.evaluate("getSelection().removeAllRanges()")
    [rage] = collector.wait("Rage Clicked")
    assert rage["properties"]["selector"] == "div#dead"
    assert rage["properties"]["clicks"] == 4


def test_pages_tell_how_they_were_looked_at(site: Site, collector: Collector, page: Page) -> None:
    page.goto(f"{site.address}/loan?utm_campaign=spring&utm_source=telegram&phone=998901234567")
    page.mouse.wheel(0, 1200)
    page.wait_for_function("scrollY > 1000")
    page.wait_for_timeout(100)
    page.locator("#to-deposits").evaluate("link => link.click()")
    [left] = collector.wait("Page Left")
    views = collector.wait("page", 2)
    assert left["properties"]["path"] == "/loan"
    assert 50 <= left["properties"]["scroll_percent"] <= 90
    assert left["properties"]["visible_seconds"] <= left["properties"]["seconds"]
    assert views[0]["name"] == "Consumer loan – Bank"
    assert views[0]["properties"]["url"] == f"{site.address}/loan?utm_campaign=spring&utm_source=telegram"
    assert (
        views[1]["properties"]["referrer"] == f"{site.address}/loan?utm_campaign=spring&utm_source=telegram"
    )
    assert views[1]["properties"]["url"] == f"{site.address}/deposits?utm_medium=site"
    assert views[0]["context"]["campaign"] == {"name": "spring", "source": "telegram"}
    assert len({event["anonymousId"] for event in collector.events}) == 1
    assert {kind for _, kind in collector.requests} == {"text/plain;charset=UTF-8", "text/plain"}
    assert {path for path, _ in collector.requests} == {"/v1/batch"}
    batch = collector.batches[0]
    assert batch["writeKey"] == "key"
    assert batch["context"]["library"]["name"] == "suzani-capture"
    assert batch["context"]["locale"]
    assert batch["context"]["timezone"]
    assert batch["sentAt"] >= batch["batch"][0]["timestamp"]


@pytest.mark.parametrize("without", ["", "delete window.navigation; window.navigation = undefined;"])
def test_single_page_applications_are_followed(
    site: Site, collector: Collector, page: Page, without: str
) -> None:
    page.add_init_script(without)
    page.goto(f"{site.address}/app")
    page.locator("#filter").click()
    page.locator("#go").click()
    typed(page, "sum", "100")
    page.go_back()
    page.wait_for_timeout(700)
    page.locator("#hash").click()
    views = collector.wait("page", 4)
    assert [view["name"] for view in views] == ["App", "Calculator", "App", "Offers"]
    assert views[3]["properties"]["url"] == f"{site.address}/app#/offers"
    assert views[1]["properties"]["referrer"] == f"{site.address}/app"
    [dropped] = collector.wait("Form Abandoned")
    assert dropped["properties"]["form"] == "Calculator"
    assert dropped["context"]["page"]["path"] == "/app/calculator"
    assert [left["context"]["page"]["path"] for left in collector.wait("Page Left", 3)] == [
        "/app",
        "/app/calculator",
        "/app",
    ]


def test_errors_are_told_and_throttled(site: Site, collector: Collector, page: Page) -> None:
    page.goto(f"{site.address}/errors")
    page.locator("#throw").click()
    page.locator("#throw").click()
    page.locator("#say").click()
    page.locator("[name=email]").fill("secret.person")
    page.get_by_role("button", name="Send").click()
    page.locator("#many").click()
    errors = [error["properties"] for error in collector.wait("Error Shown", 10)]
    page.wait_for_timeout(300)
    assert len(collector.named("Error Shown")) == 10
    assert errors[0]["kind"] == "script"
    assert errors[0]["message"] == "Uncaught ReferenceError: missing is not defined"
    assert errors[0]["source"].startswith(f"{site.address}/errors:")
    assert errors[1] == {"kind": "alert", "message": "Card *** is blocked"}
    assert errors[2:4] == [
        {"kind": "validation", "message": "valueMissing", "field": "to", "form": "Transfer"},
        {"kind": "validation", "message": "typeMismatch", "field": "email", "form": "Transfer"},
    ]
    assert "secret.person" not in "".join(collector.bodies)


def test_what_happens_offline_arrives_once_when_the_line_is_back(
    site: Site, collector: Collector, context: BrowserContext, page: Page
) -> None:
    page.goto(f"{site.address}/deposits")
    collector.wait("page")
    context.set_offline(True)
    page.locator("main > button:nth-of-type(1)").click()
    page.evaluate("suzani.track('Seen offline')")
    page.wait_for_timeout(1300)
    assert len(collector.bodies) == 1
    assert "Seen offline" in page.evaluate(STORED)
    page.close()  # what was kept outlives its page
    context.set_offline(False)
    second = context.new_page()
    second.goto(f"{site.address}/loan")
    collector.wait("page", 2)
    collector.wait("Page Left")
    collector.wait("Element Clicked")
    [seen] = collector.wait("Seen offline")
    assert seen["context"]["page"]["path"] == "/deposits"
    second.wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('suzani:event:'))")


def test_the_line_coming_back_is_enough(
    site: Site, collector: Collector, context: BrowserContext, page: Page
) -> None:
    page.goto(f"{site.address}/deposits")
    collector.wait("page")
    context.set_offline(True)
    page.evaluate("suzani.track('Seen offline')")
    page.wait_for_timeout(1300)
    context.set_offline(False)
    collector.wait("Seen offline")


def test_a_busy_collector_is_asked_again_when_it_said(site: Site, collector: Collector, page: Page) -> None:
    collector.answers = [(429, {"retry-after": "2"}), (503, {})]
    page.goto(f"{site.address}/deposits")
    collector.wait("page")
    assert len(collector.times) == 3
    assert collector.times[1] - collector.times[0] >= 1.95
    assert len(collector.bodies) == 1


def test_a_refused_batch_is_counted_and_holds_nothing_up(
    site: Site, collector: Collector, page: Page
) -> None:
    collector.answers = [(200, {}), (400, {})]
    page.goto(f"{site.address}/deposits")
    collector.wait("page")
    page.evaluate("suzani.track('Refused')")
    page.wait_for_timeout(1500)
    page.evaluate("suzani.track('Later')")
    collector.wait("Later")
    assert collector.batches[-1]["context"]["library"]["dropped"] == 1
    assert "Refused" not in names(collector)


def test_a_refused_write_key_is_not_tried_again(site: Site, collector: Collector, page: Page) -> None:
    collector.answers = [(401, {})] * 9
    page.goto(f"{site.address}/deposits")
    page.wait_for_timeout(1500)
    page.evaluate("suzani.track('More')")
    page.wait_for_timeout(1500)
    assert len(collector.times) == 1


def test_the_queue_is_bounded(site: Site, collector: Collector, page: Page) -> None:
    collector.answers = [(503, {"retry-after": "600"})]
    page.goto(f"{site.address}/deposits")
    page.evaluate("for (let i = 0; i < 200; i++) suzani.track('Big', {text: 'x'.repeat(9000), i})")
    kept = page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('suzani:event:')).length")
    assert 80 <= kept <= 120
    page.evaluate("suzani.track('Too big', {text: 'ў'.repeat(20000)})")
    assert "Too big" not in page.evaluate(STORED)


def test_what_happens_while_a_batch_is_on_its_way_is_kept(
    site: Site, collector: Collector, page: Page
) -> None:
    collector.pause_seconds = 0.5
    page.goto(f"{site.address}/deposits")
    page.evaluate(
        """let i = 0;
           const more = () => { suzani.track("More", {i}); if (++i < 40) setTimeout(more, 50); };
           more()"""
    )
    more = collector.wait("More", 40)
    assert [event["properties"]["i"] for event in more] == list(range(40))


def test_many_events_go_in_batches_in_their_order(site: Site, collector: Collector, page: Page) -> None:
    page.goto(f"{site.address}/deposits")
    page.evaluate("for (let i = 0; i < 250; i++) suzani.track('Many', {i})")
    many = collector.wait("Many", 250)
    assert [event["properties"]["i"] for event in many] == list(range(250))
    assert max(len(body.encode()) for body in collector.bodies) < 32_000
    assert sum(len(batch["batch"]) for batch in collector.batches) == len(collector.events)


def test_nothing_is_stored_or_sent_before_consent(site: Site, collector: Collector, page: Page) -> None:
    site.attributes = 'data-consent="required" data-cookie'
    page.goto(f"{site.address}/loan?utm_campaign=spring")
    typed(page, "amount", "5")
    page.wait_for_timeout(1300)
    assert page.evaluate(STORED) == "{}{}"
    assert collector.requests == []
    page.evaluate("suzani.consent(true)")
    collector.wait("Form Started")
    collector.wait("page")
    identity = collector.events[0]["anonymousId"]
    assert f"suzani_id={identity}" in page.evaluate("document.cookie")
    page.goto(f"{site.address}/deposits")
    collector.wait("page", 2)
    assert {event["anonymousId"] for event in collector.events} == {identity}


def test_refusal_discards_what_was_noted(site: Site, collector: Collector, page: Page) -> None:
    site.attributes = 'data-consent="required" data-cookie'
    page.goto(f"{site.address}/loan")
    typed(page, "amount", "5")
    page.evaluate("suzani.consent(false)")
    page.evaluate("suzani.identify('c-1'); suzani.track('Anything'); suzani.page(); suzani.reset()")
    page.locator("#to-deposits").click()
    page.wait_for_timeout(1300)
    assert collector.requests == []
    assert page.evaluate(STORED) == "{}{}"


def test_consent_can_be_taken_back_and_given_again(site: Site, collector: Collector, page: Page) -> None:
    page.goto(f"{site.address}/deposits")
    [view] = collector.wait("page")
    page.evaluate("suzani.consent(false)")
    assert json.loads(page.evaluate("JSON.stringify({...localStorage})")) == {"suzani:consent": "no"}
    page.goto(f"{site.address}/loan")
    page.wait_for_timeout(1300)
    assert names(collector) == ["page"]
    page.evaluate("suzani.consent(true)")
    views = collector.wait("page", 2)
    assert views[1]["anonymousId"] != view["anonymousId"]


@pytest.mark.parametrize(
    "signal", ["Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})",
               "Object.defineProperty(navigator, 'doNotTrack', {value: '1'})"]
)  # fmt: skip
def test_signals_of_privacy_are_a_refusal(
    site: Site, collector: Collector, context: BrowserContext, page: Page, signal: str
) -> None:
    site.attributes = "data-cookie"
    page.goto(f"{site.address}/deposits")
    collector.wait("page")
    page.close()
    collector.wait("Page Left")
    sent = len(collector.requests)
    second = context.new_page()
    second.add_init_script(signal)
    second.goto(f"{site.address}/loan")
    typed(second, "amount", "5")
    second.evaluate(
        "suzani.consent(true); suzani.identify('c-1'); suzani.track('Anything'); suzani.page('x')"
    )
    second.wait_for_timeout(1300)
    second.goto(f"{site.address}/deposits")
    assert len(collector.requests) == sent
    assert second.evaluate(STORED) == "{}{}"


def test_a_form_left_in_a_tab_that_dies_is_told_at_the_next_visit(
    site: Site, collector: Collector, context: BrowserContext, page: Page
) -> None:
    page.goto(f"{site.address}/loan")
    typed(page, "amount", "5")
    hide = "Object.defineProperty(document, 'visibilityState', {value: '%s', configurable: true});"
    hide += "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(hide % "hidden")
    collector.wait("Form Started")
    page.evaluate(hide % "visible")
    page.evaluate(hide % "hidden")
    with pytest.raises(Exception, match="crash"):
        page.goto("chrome://crash")
    early = context.new_page()
    early.goto(f"{site.address}/deposits")
    collector.wait("page", 2)
    assert "Form Abandoned" not in names(collector)
    later = context.new_page()
    later.add_init_script("const now = Date.now; Date.now = () => now() + 31 * 60_000")
    later.goto(f"{site.address}/deposits")
    [dropped] = collector.wait("Form Abandoned")
    assert dropped["properties"]["filled"] == ["amount"]
    assert dropped["context"]["page"]["path"] == "/loan"


def test_people_are_kept_apart(site: Site, collector: Collector, page: Page) -> None:
    page.add_init_script(
        "(window.suzani = window.suzani || []).push(['page', 'Loans', 'Calculator', {step: 1}])"
    )
    page.goto(f"{site.address}/loan")
    page.evaluate("suzani.identify('c-1', {vip: true}); suzani.identify('c-2'); suzani.track('Two')")
    page.evaluate("suzani.identify({city: 'Tashkent'}); suzani.reset(); suzani.track('Three')")
    collector.wait("Three")
    [view], one, [two], [three] = (collector.named(name) for name in ("page", "identify", "Two", "Three"))
    assert (view["name"], view["properties"]["category"], view["properties"]["step"]) == (
        "Calculator",
        "Loans",
        1,
    )
    assert (one[0]["userId"], one[0]["traits"]) == ("c-1", {"vip": True})
    assert one[0]["anonymousId"] == view["anonymousId"]
    assert two["userId"] == "c-2"
    assert one[2]["traits"] == {"city": "Tashkent"}
    assert "userId" not in three
    assert len({event["anonymousId"] for event in (view, two, three)}) == 3


def test_tabs_of_one_browser_know_the_same_person(
    site: Site, collector: Collector, context: BrowserContext, page: Page
) -> None:
    page.goto(f"{site.address}/loan")
    second = context.new_page()
    second.goto(f"{site.address}/deposits")
    page.evaluate("suzani.identify('c-1'); suzani.reset(); suzani.identify('c-2')")
    second.wait_for_timeout(300)
    second.evaluate("suzani.track('Second')")
    [told] = collector.wait("Second")
    assert told["userId"] == "c-2"
    assert told["anonymousId"] == collector.wait("identify", 2)[1]["anonymousId"]
    page.evaluate("suzani.consent(false)")
    second.wait_for_timeout(300)
    second.evaluate("suzani.track('Not told')")
    second.wait_for_timeout(1300)
    assert "Not told" not in names(collector)


def test_a_strict_policy_needs_only_a_nonce(site: Site, collector: Collector, page: Page) -> None:
    site.attributes = 'nonce="n0nce"'
    policy = f"default-src 'none'; script-src 'nonce-n0nce'; connect-src {collector.address}"
    site.headers = {"content-security-policy": policy}
    violations: list[str] = []
    page.on("console", lambda message: violations.append(message.text) if "capture" in message.text else None)
    page.goto(f"{site.address}/deposits")
    page.locator("main > button:nth-of-type(1)").click()
    collector.wait("Element Clicked")
    assert violations == []


def test_a_hostile_page_is_neither_hurt_nor_hurts(site: Site, collector: Collector, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{site.address}/hostile")
    page.locator("[name=id]").press_sequentially("12")
    page.locator("#plain").click()
    page.evaluate(
        "suzani.track('Circular', window); suzani.track(); suzani.push(['nothing']); suzani.identify(null)"
    )
    page.evaluate("suzani.track('Fine', {list: 1})")
    collector.wait("Fine")
    [started] = collector.wait("Form Started")
    collector.wait("Element Clicked")
    assert started["properties"]["field"] == "id"
    assert set(errors) == {"the page's own"}
    assert set(page.evaluate("failures")) == {"Uncaught Error: the page's own"}


def test_the_script_stays_small() -> None:
    assert len(gzip.compress(script_text(), 9)) < 7_500
