"""The timeline of an open customer page: read a page at a time, filtered, and kept up to date."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from nicegui import ui
from nicegui.events import GenericEventArguments, ValueChangeEventArguments

from suzani import activity
from suzani.activity import Facet
from suzani.infra.db import Database
from suzani.kernel import Unavailable, now
from suzani.web.language import Texts
from suzani.web.pages import timeline as shown
from suzani.web.pages.channels import SYSTEMS
from suzani.web.pages.happened import Happened, Place, of_event, passes, woven
from suzani.web.pages.timeline import BETWEEN, PERIODS, Choice

PAGE: Final = 50
POLL_SECONDS: Final = 1.0
COUNT_SECONDS: Final = 10.0
"""How old the numbers beside the filters may grow when something has changed."""

DEBOUNCE_MILLISECONDS: Final = 300
Read = tuple[list[Happened], Place | None]
"""Some entries, latest first, and from where to go on; None at the end."""

_VALUE: Final = "(event) => emit(event.target.value)"


@dataclass(slots=True)
class Reading:
    """What is read of one person's timeline, for one page that is open."""

    db: Database
    texts: Texts
    person_id: int
    beside: Sequence[Happened]
    choice: Choice = field(default_factory=Choice)

    async def page(self, before: Place | None = None) -> Read:
        """A page of what is chosen, below `before`."""
        wanted = self.choice.wanted(now())
        beside = [entry for entry in self.beside if passes(entry, wanted)]
        wanted = replace(wanted, channels=wanted.channels - {SYSTEMS})
        events: list[Happened] = []
        more = False
        if wanted.channels or not self.choice.channels:
            async with self.db.transaction() as tx:
                subject = await activity.subject_of(tx, self.person_id)
                if subject is not None:
                    read = await activity.timeline(
                        tx, subject, wanted, before.cursor if before else None, PAGE
                    )
                    events, more = (
                        [of_event(self.texts, entry) for entry in read.entries],
                        read.next is not None,
                    )
        return woven(events, more, beside, before, PAGE)

    async def version(self) -> tuple[int | None, int]:
        """Changes whenever the timeline may have changed."""
        async with self.db.transaction() as tx:
            subject = await activity.subject_of(tx, self.person_id)
            return subject, await activity.version(tx, subject) if subject is not None else 0

    async def facets(self) -> list[Facet]:
        """What there is to filter by."""
        async with self.db.transaction() as tx:
            subject = await activity.subject_of(tx, self.person_id)
            return await activity.facets(tx, subject) if subject is not None else []


@dataclass(slots=True)
class _Day:
    """The elements of one day; `places` are those of its entries, the earliest first."""

    section: ui.element
    entries: ui.element
    places: list[Place] = field(default_factory=list)


class Timeline:
    """The elements of one timeline in one browser."""

    def __init__(self, reading: Reading, first: Read) -> None:
        self._reading = reading
        self._texts = reading.texts
        self._first = first
        self._next: Place | None = None
        self._days: dict[date, _Day] = {}
        self._buttons: dict[str, ui.html] = {}
        self._version: tuple[int | None, int] | None = None
        self._counts_are_old = True
        self._counted_at = float("-inf")
        self._asked = 0

    def build(self) -> None:
        """Put the card into the page that is being made."""
        texts = self._texts
        with ui.element("section").classes("card full timeline").props("id=timeline"):
            with ui.element("header"):
                _html(texts("timeline.title"), "h2")
                self._live = _html(texts("timeline.live"), "span").classes("live").props("role=status")
            self._build_filters()
            self._body = ui.element("div").classes("days")
            self._nothing = _html("", "p").classes("note")
            self._more = _html(texts("timeline.more"), "button").props("type=button").classes("show-more")
            self._more.on("click", self._show_more)
        self._show_anew(self._first)
        ui.timer(POLL_SECONDS, self._poll)

    def _build_filters(self) -> None:
        texts = self._texts
        with ui.element("div").classes("filters"):
            self._channels = ui.element("div").classes("channels").props("role=group")
            self._channels.props["aria-label"] = texts("timeline.channels")
            box = ui.input(placeholder=texts("timeline.search"), on_change=self._choose_text).classes("text")
            box.props(f"dense borderless type=search debounce={DEBOUNCE_MILLISECONDS}")
            box.props["aria-label"] = texts("timeline.search")
            self._names = _select("timeline.names", texts).on("change", self._choose_name, js_handler=_VALUE)
            periods = _select("timeline.periods", texts).on("change", self._choose_period, js_handler=_VALUE)
            periods.set_content(shown.period_options(texts))
            self._dates = [self._day_input("first_day"), self._day_input("last_day")]

    def _day_input(self, name: str) -> ui.element:
        box = ui.element("input").props("type=date")
        box.props["aria-label"] = self._texts(f"timeline.{name}")
        box.on("change", lambda event: self._choose_day(name, event), js_handler=_VALUE)
        box.set_visibility(False)
        return box

    async def _choose_text(self, event: ValueChangeEventArguments[str | None]) -> None:
        await self._choose(replace(self._reading.choice, text=str(event.value or "")))

    async def _choose_name(self, event: GenericEventArguments) -> None:
        await self._choose(replace(self._reading.choice, name=str(event.args)))

    async def _choose_period(self, event: GenericEventArguments) -> None:
        period = str(event.args)
        if period in PERIODS or period == BETWEEN:
            for box in self._dates:
                box.set_visibility(period == BETWEEN)
            await self._choose(replace(self._reading.choice, period=period))

    async def _choose_day(self, name: str, event: GenericEventArguments) -> None:
        try:
            day = date.fromisoformat(str(event.args))
        except ValueError:
            day = None
        choice = self._reading.choice
        await self._choose(
            replace(choice, first_day=day) if name == "first_day" else replace(choice, last_day=day)
        )

    async def _choose_channel(self, channel: str) -> None:
        chosen = self._reading.choice.channels ^ {channel}
        self._buttons[channel].props["aria-pressed"] = "true" if channel in chosen else "false"
        await self._choose(replace(self._reading.choice, channels=chosen))

    async def _choose(self, choice: Choice) -> None:
        """Show what is chosen; an answer that was overtaken by a later choice is dropped."""
        self._reading.choice = choice
        self._asked += 1
        asked = self._asked
        read = await self._reading.page()
        if asked == self._asked:
            self._show_anew(read)

    async def _show_more(self) -> None:
        asked = self._asked
        read = await self._reading.page(self._next)
        if asked == self._asked:
            self._put(read[0])
            self._go_on(read[1])

    def _show_anew(self, read: Read) -> None:
        self._body.clear()
        self._days.clear()
        self._put(read[0])
        self._go_on(read[1])

    def _go_on(self, following: Place | None) -> None:
        """What is below the entries: that there are none, or that there are more."""
        self._next = following
        self._more.set_visibility(following is not None)
        self._nothing.set_visibility(not self._days)
        self._nothing.set_content(shown.nothing(self._texts, self._reading.choice != Choice()))

    def _put(self, entries: Sequence[Happened], *, fresh: bool = False) -> None:
        """Entries that are not there yet, each at its place."""
        for happened in entries:
            day = self._day(shown.day_of(happened))
            index = bisect_left(day.places, happened.place)
            if happened.place in day.places[index : index + 1]:
                continue
            later = len(day.places) - index
            with day.entries:
                item = _html(shown.entry(self._texts, happened), "li").classes(happened.tone)
            if index:
                item.move(target_index=later)
            if fresh:
                item.classes("fresh")
            day.places.insert(index, happened.place)

    def _day(self, day: date) -> _Day:
        """The elements of a day, which are made where they are not there yet."""
        if day not in self._days:
            with self._body, ui.element("section") as section:
                _html(shown.day_heading(self._texts, day, now().astimezone().date()), "h3")
                entries = ui.element("ol")
            later = sum(other > day for other in self._days)
            if later < len(self._days):
                section.move(target_index=later)
            self._days[day] = _Day(section, entries)
        return self._days[day]

    async def _poll(self) -> None:
        """Show what is new since the last look."""
        try:
            version = await self._reading.version()
            if version != self._version:
                if self._version is not None:
                    await self._catch_up()
                self._version, self._counts_are_old = version, True
            if self._counts_are_old and time.monotonic() - self._counted_at > COUNT_SECONDS:
                await self._count()
        except Unavailable:
            self._live.classes("away").set_content(self._texts("error.unavailable"))
        else:
            self._live.classes(remove="away").set_content(self._texts("timeline.live"))

    async def _catch_up(self) -> None:
        """Put in what came; when that is more than one page, or something is gone, show the page alone."""
        asked = self._asked
        read = await self._reading.page()
        if asked != self._asked:
            return
        entries, following = read
        here = {entry.place for entry in entries}
        last = entries[-1].place if following is not None else None
        there = {
            place for day in self._days.values() for place in day.places if last is None or place >= last
        }
        if there and there <= here:
            self._put(entries, fresh=True)
        else:
            self._show_anew(read)

    async def _count(self) -> None:
        """What stands beside the filters."""
        facets = await self._reading.facets()
        self._counted_at, self._counts_are_old = time.monotonic(), False
        self._names.set_content(shown.name_options(self._texts, facets, self._reading.choice.name))
        for channel, count in shown.channel_counts(facets, len(self._reading.beside)).items():
            if channel not in self._buttons:
                self._buttons[channel] = self._channel_button(channel)
            self._buttons[channel].set_content(shown.channel_button(self._texts, channel, count))

    def _channel_button(self, channel: str) -> ui.html:
        with self._channels:
            button = _html("", "button").props("type=button aria-pressed=false")
        return button.on("click", lambda: self._choose_channel(channel))


def _select(label: str, texts: Texts) -> ui.html:
    box = _html("", "select")
    box.props["aria-label"] = texts(label)
    return box


def _html(content: str, element: str = "div") -> ui.html:
    """HTML as it is; every text in it was escaped by `markup`, or is from the catalogue."""
    return ui.html(content, sanitize=False, tag=element)
