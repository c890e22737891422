from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suzani.activity import Facet, TimelineEntry, TimelineFilter
from suzani.web.language import LANGUAGES, Texts
from suzani.web.pages.channels import SYSTEMS
from suzani.web.pages.happened import NO_EVENT, Happened, Place, duration, of_event, passes, woven
from suzani.web.pages.timeline import BETWEEN, Choice, channel_counts, day_heading, entry, name_options

START = datetime(2026, 11, 20, tzinfo=UTC)
ENGLISH = Texts.of("en")


def event(kind: str = "track", name: str = "", **body: object) -> TimelineEntry:
    return TimelineEntry(UUID(int=1), START, START, "site", kind, name, "web", body)


def place(minute: int, number: int, is_event: bool) -> Place:
    key = str(UUID(int=number)) if is_event else f"{NO_EVENT}{number:04}"
    return Place(START + timedelta(minutes=minute), key)


def happened(where: Place) -> Happened:
    return Happened(where, "web", "App Opened", "Application opened")


PLACES = st.sets(st.builds(place, st.integers(0, 9), st.integers(0, 30), st.booleans()), max_size=60)


@settings(deadline=None)
@given(PLACES, st.integers(1, 9))
def test_page_after_page_gives_everything_once_and_in_order(places: set[Place], limit: int) -> None:
    events = sorted((at for at in places if not at.key.startswith(NO_EVENT)), reverse=True)
    beside = [happened(at) for at in places if at.key.startswith(NO_EVENT)]
    read: list[Place] = []
    before: Place | None = None
    while True:
        below = [at for at in events if before is None or (at.at, UUID(at.key)) < before.cursor]
        page, before = woven(map(happened, below[:limit]), len(below) > limit, beside, before, limit)
        assert len(page) <= limit
        read += [one.place for one in page]
        if before is None:
            break
    assert read == sorted(places, reverse=True)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    ),
    st.sampled_from([
        "amount", "currency", "filled", "fields", "last_field", "duration_seconds", "scroll_percent", "text",
    ]),
    st.sampled_from(["track", "page", "identify", "screen"]),
)  # fmt: skip
def test_whatever_an_event_says_can_be_shown(value: object, name: str, kind: str) -> None:
    told = event(kind, "Anything", properties={name: value, "fields": 3}, user_id="c-1")
    for code in LANGUAGES:
        shown = of_event(Texts.of(code), told)
        assert "<script" not in entry(Texts.of(code), shown).lower()


@pytest.mark.parametrize(
    ("name", "properties", "told"),
    [
        ("Card Authorised", {"amount": "12.5", "currency": "USD", "merchant": "M"}, "12.50\u00a0USD · M"),
        ("Form Abandoned", {"form": "Loan", "filled": ["a"], "fields": 4, "last_field": "b"},
         "Loan · 1 of 4 fields · left at “b”"),
        ("Element Clicked", {"text": "Send", "path": "/loan"}, "“Send” · /loan"),
        ("Call Ended", {"duration_seconds": 3725}, "1 h 2 min"),
        ("Deposit Opened", {"product_kind": "deposit", "amount": float("nan")}, "Deposit"),
        ("Own Name", {"amount": "much", "text": "x" * 200}, f"“{'x' * 89}…”"),
    ],
)  # fmt: skip
def test_the_line_of_an_event_tells_what_matters(name: str, properties: dict[str, object], told: str) -> None:
    assert of_event(ENGLISH, event("track", name, properties=properties)).summary == told


def test_everything_else_is_among_the_facts_with_its_path() -> None:
    told = event(
        context={"device": {"model": "A54"}}, traits={"firstName": "Aziz"}, user_id="c-1", message_id="m-1"
    )
    facts = dict(of_event(ENGLISH, told).facts)
    assert facts["Around it"] == (("device › model", "A54"),)
    assert facts["Said about themselves"] == (("firstName", "Aziz"),)
    assert ("User id", "c-1") in facts["Event"]


def test_an_event_that_came_late_says_when() -> None:
    told = TimelineEntry(UUID(int=1), START, START + timedelta(hours=3), "site", "track", "X", "web", {})
    assert "Received" in dict(dict(of_event(ENGLISH, told).facts)["Event"])


@pytest.mark.parametrize(
    ("wanted", "passed"),
    [
        (TimelineFilter(), True),
        (TimelineFilter(channels=frozenset({SYSTEMS})), True),
        (TimelineFilter(channels=frozenset({"web"})), False),
        (TimelineFilter(types=frozenset({"page"})), False),
        (TimelineFilter(names=frozenset({"Card Declined"})), False),
        (TimelineFilter(text="LENDING"), True),
        (TimelineFilter(text="cards"), False),
        (TimelineFilter(since=START, until=START + timedelta(seconds=1)), True),
        (TimelineFilter(until=START), False),
        (TimelineFilter(since=START + timedelta(seconds=1)), False),
    ],
)
def test_what_systems_tell_is_filtered_as_events_are(wanted: TimelineFilter, passed: bool) -> None:
    came = Happened(Place(START, "~1"), SYSTEMS, "record_added", "Record 1 came in", "Lending")
    assert passes(came, wanted) == passed


def test_a_choice_becomes_a_filter() -> None:
    days = {"first_day": date(2026, 11, 1), "last_day": date(2026, 11, 2)}
    between = Choice(period=BETWEEN, **days).wanted(START)
    assert between.since
    assert between.until
    assert between.until - between.since == timedelta(days=2)
    assert Choice(period="week").wanted(START).since == START - timedelta(days=7)
    assert Choice(period=BETWEEN).wanted(START) == Choice().wanted(START) == TimelineFilter()
    assert Choice(name="track Card Declined").wanted(START).names == {"Card Declined"}
    assert Choice(name="page").wanted(START).types == {"page"}


def test_days_channels_and_names_are_called_as_people_do() -> None:
    today = date(2026, 11, 22)
    assert day_heading(ENGLISH, today, today) == "Today, 22 Nov 2026"
    assert day_heading(ENGLISH, today - timedelta(days=1), today) == "Yesterday, 21 Nov 2026"
    assert day_heading(ENGLISH, today + timedelta(days=1), today) == "23 Nov 2026"
    facets = [
        Facet("web", "page", "Loans", 3),
        Facet("web", "page", "Cards", 2),
        Facet("card", "track", "X <b>", 9),
    ]
    assert channel_counts(facets, 4) == {"card": 9, "web": 5, SYSTEMS: 4}
    options = name_options(ENGLISH, facets, "page")
    assert options.count("<option") == 3
    assert '<option value="page" selected>Page viewed</option>' in options
    assert "X &lt;b&gt;" in options


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0 s"), (59.4, "59 s"), (125, "2 min 5 s"), (7300, "2 h 1 min")]
)
def test_lengths_of_time(seconds: float, told: str) -> None:
    assert duration(ENGLISH, seconds) == told
