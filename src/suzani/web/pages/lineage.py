"""The changes of a person on the customer page: when, why, and which records came and left. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from suzani.identity import Event
from suzani.web.language import Texts
from suzani.web.markup import Content, Markup, join, tag

EVENTS_SHOWN = 20
"""The latest changes that are shown."""


def lineage(texts: Texts, events: Sequence[Event]) -> Markup | None:
    """The changes, latest first; None where there are none."""
    told = [_event(texts, event) for event in reversed(events[-EVENTS_SHOWN:]) if event.came or event.left]
    if not told:
        return None
    return join(tag("h3", texts("why.lineage")), tag("ul", told, class_="history lineage"))


def _event(texts: Texts, event: Event) -> Markup:
    change = event.change
    came = Counter(moved.from_person for moved in event.came)
    left = Counter(moved.to_person for moved in event.left)
    what = [*_moves(texts, came, "came", "new"), *_moves(texts, left, "went", "gone")]
    return tag(
        "li",
        tag("time", texts.moment(change.at), datetime=change.at.isoformat()),
        tag("span", texts(f"cause.{change.cause.value}", actor=change.actor), class_="chip"),
        tag("span", [join(", " if place else "", one) for place, one in enumerate(what)]),
        tag("span", f"“{change.reason}”", class_="note") if change.reason else None,
    )


def _moves(texts: Texts, counts: Counter[int | None], known: str, unknown: str) -> Iterable[Content]:
    for person, count in sorted(counts.items(), key=lambda entry: entry[0] or 0):
        if person is None:
            yield texts(f"lineage.{unknown}", count)
        else:
            said = texts(f"lineage.{known}", count, person=person)
            yield tag("a", said, href=f"/customers/{person}")
