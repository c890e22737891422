"""The search page: all results of one text, or what can be searched by. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from suzani.profiles import Hit
from suzani.web.language import Texts
from suzani.web.markup import Markup, join, tag
from suzani.web.pages.parts import hit_list

SHOWN = 50
SUGGESTED = 8
EXAMPLES = ("name", "phone", "email", "number", "birth")


def results(texts: Texts, query: str, hits: Sequence[Hit]) -> Markup:
    """The page for a text that was searched for."""
    if not query.strip():
        return join(tag("h1", texts("search.title"), class_="page-title"), help_(texts))
    if not hits:
        return join(tag("h1", texts("search.none", query=query), class_="page-title"), help_(texts))
    more = texts("search.more", limit=SHOWN) if len(hits) == SHOWN else None
    return join(
        tag("h1", texts("search.count", len(hits)), class_="page-title"),
        tag(
            "div",
            hit_list(texts, hits),
            class_="card hits",
            role="listbox",
            aria_label=texts("search.results"),
        ),
        tag("p", more, class_="note"),
    )


def help_(texts: Texts) -> Markup:
    """What can be searched by."""
    examples = [tag("li", texts(f"search.examples.{name}")) for name in EXAMPLES]
    return tag("section", tag("h2", texts("search.what")), tag("ul", examples), class_="card help")


def suggestions(texts: Texts, query: str, hits: Sequence[Hit], *, searchable: bool) -> Markup:
    """What drops down from the search box while someone types; empty for an empty text."""
    if not query.strip():
        return Markup()
    if not searchable:
        return tag("p", texts("search.short"), class_="hint")
    if not hits:
        return join(
            tag("p", texts("search.none", query=query), class_="hint none"),
            tag("p", texts("search.none_hint"), class_="hint"),
        )
    return tag(
        "div", hit_list(texts, hits), class_="hits", role="listbox", aria_label=texts("search.results")
    )
