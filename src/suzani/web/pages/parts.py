"""Pieces that several pages are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from suzani.profiles import Hit
from suzani.web.language import Texts
from suzani.web.markup import Content, Markup, join, tag
from suzani.web.mask import mask

SYSTEM_COLOURS = 8
"""Colours for systems in the style sheet, --strip-0 and on."""


def system_title(texts: Texts, system: str) -> str:
    """A system's name for people; a system the catalogue does not know keeps its own."""
    return texts.known(f"system.{system}", system.replace("_", " ").capitalize())


def card(title: str, *content: Content, note: str = "", class_: str = "") -> Markup:
    """A titled block of a page."""
    return tag(
        "section",
        tag("header", tag("h2", title), tag("p", note, class_="note") if note else None),
        *content,
        class_=f"card {class_}".rstrip(),
    )


def table(heads: Sequence[Content], rows: Iterable[Sequence[Content]], class_: str = "") -> Markup:
    """A table whose first column names its rows; numbers are right-aligned by the class `number` on the
    table."""
    head = tag("tr", [tag("th", text, scope="col") for text in heads])
    body = [tag("tr", tag("th", row[0], scope="row"), [tag("td", cell) for cell in row[1:]]) for row in rows]
    return tag("div", tag("table", tag("thead", head), tag("tbody", body), class_=class_), class_="scroll")


def bar(share: float, class_: str = "") -> Markup:
    """A bar of a length between 0 and 1, for the eye only."""
    width = 0.0 if share <= 0 else max(share * 100, 0.6)
    return tag(
        "span",
        tag("span", style=f"width:{min(width, 100):.2f}%"),
        class_=f"bar {class_}".rstrip(),
        aria_hidden="true",
    )


def chips(texts: Texts, systems: Iterable[str], order: Sequence[str] = ()) -> Markup:
    """The names of systems as small labels."""
    return tag(
        "span",
        [tag("span", system_title(texts, system), class_="chip") for system in systems],
        class_="chips",
    )


def hit_link(texts: Texts, hit: Hit, place: int) -> Markup:
    """One search result: who it is, and what of them matched."""
    facts = [texts.day(hit.birth_date) if hit.birth_date else None, hit.city]
    facts.append(mask("phone", hit.phone) if hit.phone else None)
    matches = [
        tag(
            "span",
            tag("span", texts(f"attribute.{match.attribute}"), class_="what"),
            " ",
            tag("em", f"{texts('search.sounds')} ") if match.sounds_alike else None,
            mask(match.attribute, match.value),
            class_="match",
        )
        for match in hit.matches[:4]
    ]
    return tag(
        "a",
        tag(
            "span",
            tag("strong", hit.display_name or texts("customer.unnamed")),
            tag("span", " · ".join(fact for fact in facts if fact), class_="facts"),
            class_="who",
        ),
        tag("span", matches, class_="matches"),
        tag("span", texts("customer.records", hit.record_count), class_="held"),
        href=f"/customers/{hit.person_id}",
        id=f"hit-{place}",
        role="option",
        class_="hit",
    )


def hit_list(texts: Texts, hits: Sequence[Hit]) -> Markup:
    """Search results as links."""
    return join([hit_link(texts, hit, place) for place, hit in enumerate(hits)])
