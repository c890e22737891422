"""The frame around every page: brand, search box, languages, theme; and how a page gets its texts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlencode

from nicegui import ui
from nicegui.events import ValueChangeEventArguments
from starlette.requests import Request

from suzani.web.guard import LANGUAGE_COOKIE
from suzani.web.language import LANGUAGES, Texts, choose
from suzani.web.markup import Markup, tag

Suggest = Callable[[str], Awaitable[Markup]]
"""What drops down for a typed text."""

Part = Markup | Callable[[], None]
"""A part of a page: HTML, or what puts live elements in its place."""

DEBOUNCE_MILLISECONDS = 120

_HEAD = (
    '<link rel="stylesheet" href="/assets/suzani.css">'
    '<link rel="icon" type="image/svg+xml" href="/assets/suzani.svg">'
    '<script src="/assets/suzani.js"></script>'
)


def texts_of(request: Request) -> Texts:
    """The texts in the language this request is to be answered in."""
    asked = request.query_params.get("lang")
    remembered = request.cookies.get(LANGUAGE_COOKIE)
    return Texts.of(choose(asked, remembered, request.headers.get("accept-language", "")))


def page(request: Request, texts: Texts, title: str, parts: Sequence[Part], suggest: Suggest) -> None:
    """Put a whole page together in the present NiceGUI client."""
    ui.add_head_html(_HEAD)
    ui.page_title(f"{title} · {texts('app.title')}")
    ui.query("html").props(f"lang={texts.code}")
    _html(tag("a", texts("nav.skip"), href="#content", class_="skip"))
    with ui.element("header").classes("top"):
        _html(_brand(texts))
        _search_box(request, texts, suggest)
        _html(_tools(request, texts))
    with ui.element("main").props("id=content tabindex=-1"):
        for part in parts:
            if callable(part):
                part()
            else:
                _html(part)


def _html(content: Markup) -> ui.html:
    """Put HTML on the page as it is; every text in it was escaped by `markup`."""
    return ui.html(content, sanitize=False)


def _brand(texts: Texts) -> Markup:
    logo = tag("img", src="/assets/suzani.svg", alt="", width=34, height=34)
    name = tag("span", tag("b", texts("app.title")), tag("small", texts("app.tagline")))
    links = [
        tag("a", texts(f"nav.{name}"), href=target)
        for name, target in (("overview", "/"), ("search", "/search"))
    ]
    return tag(
        "div",
        tag("a", logo, name, href="/", class_="brand"),
        tag("nav", links, aria_label=texts("nav.label")),
    )


def _tools(request: Request, texts: Texts) -> Markup:
    kept = {name: value for name, value in request.query_params.items() if name != "lang"}
    languages = [
        tag(
            "a",
            language.code.upper(),
            href=f"{request.url.path}?{urlencode({**kept, 'lang': language.code})}",
            title=language.name,
            lang=language.code,
            hreflang=language.code,
            aria_current="true" if language.code == texts.code else None,
        )
        for language in LANGUAGES.values()
    ]
    theme = tag(
        "button", "◐", type="button", class_="theme", title=texts("nav.theme"), aria_label=texts("nav.theme")
    )
    return tag(
        "div",
        tag("nav", languages, aria_label=texts("nav.languages"), class_="languages"),
        theme,
        class_="tools",
    )


def _search_box(request: Request, texts: Texts, suggest: Suggest) -> None:
    """The box answers while someone types; an answer that was overtaken by a later one is dropped."""
    asked = 0

    async def answer(event: ValueChangeEventArguments[str | None]) -> None:
        nonlocal asked
        asked += 1
        mine = asked
        found = await suggest(str(event.value or ""))
        if mine == asked:
            results.content = found

    with ui.element("div").classes("search"):
        box = ui.input(
            placeholder=texts("search.placeholder"),
            value=request.query_params.get("q", "") if request.url.path == "/search" else "",
            on_change=answer,
        )
        box.props(f"dense borderless type=search autocomplete=off debounce={DEBOUNCE_MILLISECONDS}")
        box.props["aria-label"] = texts("search.label")
        box.props["title"] = texts("search.key")
        results = ui.html("", sanitize=False).classes("drop").props("aria-live=polite")
