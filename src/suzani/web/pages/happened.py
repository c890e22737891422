"""What a timeline shows of one thing that happened: an event, a change of a record, a product. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple
from uuid import UUID

from suzani.activity import Cursor, TimelineEntry, TimelineFilter
from suzani.profiles import Customer, Happening, Product
from suzani.web.language import Texts
from suzani.web.mask import mask
from suzani.web.pages.channels import SYSTEMS
from suzani.web.pages.parts import system_title

NO_EVENT: Final = "~"
"""Begins the key of what is no event. It is above every digit, so that comes before an event of its time."""

BAD: Final = frozenset(
    {"Card Declined", "Complaint Filed", "Error Shown", "Rage Clicked", "Form Abandoned",
     "Loan Application Abandoned"}
)  # fmt: skip
GOOD: Final = frozenset(
    {"Loan Application Submitted", "Form Submitted", "Deposit Opened", "Complaint Resolved"}
)
PERSONAL: Final[Mapping[str, str]] = {
    "product_number": "product",
    "card_number": "product",
    "account": "product",
    "user_id": "key",
    "firstName": "given_name",
    "lastName": "family_name",
    "birthday": "birth_date",
}
"""Fields of events whose values are masked as those of another attribute."""

_SHORT: Final = 90


class Place(NamedTuple):
    """Where something stands in a timeline, which runs from the greatest to the least."""

    at: datetime
    key: str

    @property
    def cursor(self) -> Cursor:
        """From where the events below go on."""
        event = not self.key.startswith(NO_EVENT)
        return Cursor(self.at, UUID(self.key) if event else UUID(int=2**128 - 1))


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry: `tone` is good, bad or ''; `facts` are titled lists of labels with values.

    `timed`: it has a time of day, and not only a day.
    """

    place: Place
    channel: str
    kind: str
    title: str
    summary: str = ""
    tone: str = ""
    timed: bool = True
    facts: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = field(default=(), repr=False)


def of_event(texts: Texts, entry: TimelineEntry) -> Happened:
    """An event."""
    return Happened(
        Place(entry.at, str(entry.message)),
        entry.channel,
        entry.name or entry.type,
        event_title(texts, entry.type, entry.name),
        _summary(texts, entry),
        "bad" if entry.name in BAD else "good" if entry.name in GOOD else "",
        facts=tuple(_facts(texts, entry)),
    )


def event_title(texts: Texts, kind: str, name: str) -> str:
    """What an event is called: by its name, and where that only names a page, by its type."""
    if kind == "track" and name:
        return texts.known(f"event.{name}", name)
    return texts.known(f"event_type.{kind}", kind)


def _summary(texts: Texts, entry: TimelineEntry) -> str:
    properties = entry.body.get("properties") or {}
    said = [say(texts, properties) for say in _TELLING]
    if entry.type in ("page", "screen"):
        said = [entry.name or str(properties.get("path") or properties.get("url") or "")]
    elif entry.type == "identify":
        said = [mask("key", str(entry.body.get("user_id") or ""))]
    return " · ".join(dict.fromkeys(text for text in said if text))


Say = Callable[[Texts, Mapping[str, Any]], str]


def _money(texts: Texts, properties: Mapping[str, Any]) -> str:
    try:
        amount = Decimal(str(properties.get("amount")))
    except InvalidOperation:
        return ""
    return texts.money(amount, _short(properties.get("currency"))) if amount.is_finite() else ""


def _text(name: str, quoted: bool = False) -> Say:
    def say(texts: Texts, properties: Mapping[str, Any]) -> str:
        text = _short(properties.get(name))
        return f"“{text}”" if text and quoted else mask(PERSONAL.get(name, name), text)

    return say


def _kind(texts: Texts, properties: Mapping[str, Any]) -> str:
    kind = _short(properties.get("product_kind"))
    return texts.known(f"kind.{kind}", kind)


def _progress(texts: Texts, properties: Mapping[str, Any]) -> str:
    filled, fields = properties.get("filled"), properties.get("fields")
    if not isinstance(filled, list) or not isinstance(fields, int):
        return ""
    return texts("timeline.filled", filled=len(filled), fields=fields)


def _last_field(texts: Texts, properties: Mapping[str, Any]) -> str:
    field_name = _short(properties.get("last_field"))
    return texts("timeline.last_field", field=field_name) if field_name else ""


def _duration(name: str) -> Say:
    def say(texts: Texts, properties: Mapping[str, Any]) -> str:
        value = properties.get(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return duration(texts, float(value)) if is_number and value is not None and 0 <= value < 1e9 else ""

    return say


def _scrolled(texts: Texts, properties: Mapping[str, Any]) -> str:
    value = properties.get("scroll_percent")
    return texts("timeline.scrolled", percent=value) if isinstance(value, int) else ""


_TELLING: Final[tuple[Say, ...]] = (
    _money, _text("merchant"), _text("counterparty"), _text("product_name"), _kind, _text("form"), _progress,
    _last_field, _text("text", quoted=True), _text("message"), _text("subject"), _text("reason"),
    _text("disposition"), _text("branch"), _text("purpose"), _text("campaign"), _text("path"),
    _duration("duration_seconds"), _duration("visible_seconds"), _scrolled,
)  # fmt: skip
"""What is told of an event's properties on its line, in this order, as far as it has them."""


def duration(texts: Texts, seconds: float) -> str:
    """A length of time in its two greatest units."""
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    if hours:
        return texts("timeline.hours", hours=texts.number(hours), minutes=left)
    if minutes:
        return texts("timeline.minutes", minutes=minutes, seconds=rest)
    return texts("timeline.seconds", seconds=rest)


def _short(value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    text = str(value)
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def _facts(texts: Texts, entry: TimelineEntry) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    for part in ("properties", "traits", "context"):
        leaves = tuple(_leaves(texts, entry.body.get(part) or {}))
        if leaves:
            yield texts(f"timeline.{part}"), leaves
    names = ("user_id", "anonymous_id", "previous_id", "group_id", "message_id")
    ids = [(_label(texts, name), mask(PERSONAL.get(name, name), str(entry.body[name])))
           for name in names if entry.body.get(name)]  # fmt: skip
    ids += [(texts("timeline.source"), entry.source), (texts("timeline.happened"), texts.moment(entry.at))]
    if entry.received_at - entry.at > timedelta(minutes=1):
        ids.append((texts("timeline.received"), texts.moment(entry.received_at)))
    yield texts("timeline.event"), tuple(ids)


def _leaves(texts: Texts, node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Labels with values, whatever they are nested in."""
    for name, value in node.items():
        if isinstance(value, dict):
            yield from _leaves(texts, value, f"{path}{name} › ")
        elif value is not None and value != []:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            yield path + _label(texts, name), mask(PERSONAL.get(name, name), shown)


def _label(texts: Texts, name: str) -> str:
    return texts.known(f"property.{name}", texts.known(f"attribute.{name}", name.replace("_", " ")))


def of_systems(texts: Texts, customer: Customer) -> list[Happened]:
    """What product systems tell of a person, from the last on."""
    happened = [_of_record(texts, number, entry) for number, entry in enumerate(customer.history)]
    for product in customer.products:
        happened += _of_product(texts, product)
    return sorted(happened, key=lambda entry: entry.place, reverse=True)


def _of_record(texts: Texts, number: int, entry: Happening) -> Happened:
    empty = texts("happening.empty")
    changes = tuple(
        (texts(f"attribute.{change.field}"), f"{_seen(change.field, change.before) or empty} → "
         f"{_seen(change.field, change.after) or empty}")
        for change in entry.changes
    )  # fmt: skip
    where = system_title(texts, entry.system) if entry.system else ""
    return Happened(
        Place(entry.at, f"{NO_EVENT}{entry.kind} {entry.record_id} {entry.person_id} {number:05}"),
        SYSTEMS,
        entry.kind,
        texts(f"happening.{entry.kind}", record=entry.record_id, person=entry.person_id),
        " · ".join(text for text in (where, ", ".join(label for label, _ in changes)) if text),
        facts=((texts("timeline.changes"), changes),) if changes else (),
    )


def _seen(attribute: str, value: str | None) -> str:
    return mask(attribute, value) if value is not None else ""


def _of_product(texts: Texts, product: Product) -> Iterable[Happened]:
    days = {"product_opened": product.opened_on, "product_closed": product.closed_on}
    kind = texts.known(f"kind.{product.kind}", product.kind or "") if product.kind else ""
    named = (product.name, kind, mask("product", product.number), system_title(texts, product.system))
    for happening, day in days.items():
        if day is not None:
            yield Happened(
                Place(
                    datetime.combine(day, time()).astimezone(),
                    f"{NO_EVENT}{happening} {product.system} {product.number}",
                ),
                SYSTEMS,
                happening,
                texts(f"timeline.{happening}"),
                " · ".join(dict.fromkeys(text for text in named if text)),
                timed=False,
            )


def passes(happened: Happened, wanted: TimelineFilter) -> bool:
    """Whether something that is no event is wanted; events are chosen where they are stored."""
    text = " ".join(
        (happened.title, happened.summary, *(value for _, all_ in happened.facts for _, value in all_))
    )
    return (
        (not wanted.channels or happened.channel in wanted.channels)
        and not wanted.types
        and (not wanted.names or happened.kind in wanted.names)
        and wanted.text.strip().casefold() in text.casefold()
        and (wanted.since is None or happened.place.at >= wanted.since)
        and (wanted.until is None or happened.place.at < wanted.until)
    )


def woven(
    events: Iterable[Happened], more: bool, beside: Iterable[Happened], before: Place | None, limit: int
) -> tuple[list[Happened], Place | None]:
    """One page of both, latest first, and from where to go on; `more`: further events are below these."""
    shown = list(events)
    beside = [entry for entry in beside if before is None or entry.place < before]
    if more and shown:
        beside = [entry for entry in beside if entry.place > shown[-1].place]
    together = sorted([*shown, *beside], key=lambda entry: entry.place, reverse=True)
    page = together[:limit]
    return page, page[-1].place if page and (more or len(together) > limit) else None
