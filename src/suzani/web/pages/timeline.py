"""The timeline on the customer page: its entries, days and filters as HTML. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from suzani.activity import Facet, TimelineFilter
from suzani.web.language import Texts
from suzani.web.markup import Markup, join, tag
from suzani.web.pages.channels import SYSTEMS, channel_title, icon
from suzani.web.pages.happened import Happened, event_title

PERIODS: Final[Mapping[str, int | None]] = {"all": None, "day": 1, "week": 7, "month": 30, "year": 365}
"""Choices of a period, in days until now."""

BETWEEN: Final = "between"
"""The choice of a period from one day to another."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen in the filters; `name` is a type and a name as `option_of` writes them."""

    channels: frozenset[str] = frozenset()
    name: str = ""
    text: str = ""
    period: str = "all"
    first_day: date | None = None
    last_day: date | None = None

    def wanted(self, now: datetime) -> TimelineFilter:
        """The filter of events; days are those of this machine's time zone."""
        kind, _, name = self.name.partition(" ")
        since = until = None
        if self.period == BETWEEN:
            since = _midnight(self.first_day) if self.first_day else None
            until = _midnight(self.last_day + timedelta(days=1)) if self.last_day else None
        elif days := PERIODS[self.period]:
            since = now - timedelta(days=days)
        return TimelineFilter(
            channels=self.channels,
            types=frozenset({kind}) if kind and kind != "track" else frozenset(),
            names=frozenset({name}) if kind == "track" else frozenset(),
            text=self.text,
            since=since,
            until=until,
        )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time()).astimezone()


def day_of(happened: Happened) -> date:
    """The day of something, in the time zone of this machine."""
    return happened.place.at.astimezone().date()


def day_heading(texts: Texts, day: date, today: date) -> str:
    """A day as people call it."""
    near = {0: texts("timeline.today"), 1: texts("timeline.yesterday")}.get((today - day).days)
    return f"{near}, {texts.day(day)}" if near else texts.day(day)


def entry(texts: Texts, happened: Happened) -> Markup:
    """One entry: a line that opens into everything that is known of it."""
    at = happened.place.at.astimezone()
    line = (
        tag(
            "time",
            f"{at:%H:%M}" if happened.timed else "",
            datetime=happened.place.at.isoformat(),
            title=texts.moment(at),
        ),
        tag("span", icon(happened.channel), class_="sign"),
        tag("span", tag("b", happened.title), " ", tag("span", happened.summary), class_="what"),
        tag("span", channel_title(texts, happened.channel), class_="where"),
    )
    if not happened.facts:
        return tag("div", *line, class_="line")
    parts = [
        tag(
            "div",
            tag("h4", title),
            tag("dl", [(tag("dt", label), tag("dd", value)) for label, value in facts]),
        )
        for title, facts in happened.facts
    ]
    return tag("details", tag("summary", *line, class_="line"), tag("div", parts, class_="facts"))


def nothing(texts: Texts, filtered: bool) -> str:
    """What is said in place of entries."""
    return texts("timeline.nothing_such" if filtered else "timeline.nothing")


def channel_counts(facets: Iterable[Facet], beside: int) -> dict[str, int]:
    """Numbers of entries by channel, greatest first; `beside`: those of the product systems."""
    counts: dict[str, int] = {}
    for facet in facets:
        counts[facet.channel] = counts.get(facet.channel, 0) + facet.events
    if beside:
        counts[SYSTEMS] = counts.get(SYSTEMS, 0) + beside
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def channel_button(texts: Texts, channel: str, count: int) -> Markup:
    """What stands on the button that shows a channel alone or with others."""
    return join(icon(channel), tag("span", channel_title(texts, channel)), tag("small", texts.number(count)))


def name_options(texts: Texts, facets: Iterable[Facet], chosen: str) -> Markup:
    """The choices of what happened, by their names for people."""
    options = {option_of(facet): event_title(texts, facet.type, facet.name) for facet in facets}
    ordered = sorted(options.items(), key=lambda pair: pair[1].casefold())
    return _options([("", texts("timeline.any_name")), *ordered], chosen)


def option_of(facet: Facet) -> str:
    """A type, and for tracked events a name, as one word of a choice."""
    return f"track {facet.name}" if facet.type == "track" else facet.type


def period_options(texts: Texts) -> Markup:
    """The choices of a period."""
    return _options([(name, texts(f"period.{name}")) for name in (*PERIODS, BETWEEN)], "all")


def _options(options: Sequence[tuple[str, str]], chosen: str) -> Markup:
    return join([tag("option", title, value=value, selected=value == chosen) for value, title in options])
