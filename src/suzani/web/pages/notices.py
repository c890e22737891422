"""Pages that say why there is nothing to show, and what to do. Pure."""

from __future__ import annotations

from suzani.web.language import Texts
from suzani.web.markup import Markup, tag

DEMO_COMMANDS = ("suzani demo",)
OWN_COMMANDS = ("suzani load core_banking customers.csv", "suzani resolve", "suzani profiles rebuild")


def empty(texts: Texts, records: int) -> Markup:
    """Nothing is loaded yet, or records are loaded that no profile was built from."""
    if records:
        return _notice(
            texts("empty.title"),
            texts("empty.profiles", records),
            _commands("suzani resolve", "suzani profiles rebuild"),
        )
    return _notice(
        texts("empty.title"),
        texts("empty.text"),
        tag("h2", texts("empty.demo")),
        _commands(*DEMO_COMMANDS),
        tag("h2", texts("empty.own")),
        _commands(*OWN_COMMANDS),
    )


def missing(texts: Texts, title: str, text: str) -> Markup:
    """What was asked for is not there."""
    return _notice(title, text, tag("p", tag("a", texts("error.back"), href="/")))


def _notice(title: str, text: str, *more: Markup) -> Markup:
    return tag("section", tag("h1", title), tag("p", text), more, class_="card notice")


def _commands(*commands: str) -> Markup:
    return tag("pre", tag("code", "\n".join(commands)))
