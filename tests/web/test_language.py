from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import suzani.web
from suzani.events import EventType
from suzani.identity import Apart, Cause, Joined, Verdict
from suzani.identity.models.comparisons import LABELS
from suzani.kernel import NotFound
from suzani.profiles.customers import GOLDEN_ATTRIBUTES
from suzani.profiles.ranking import OUTCOMES
from suzani.profiles.terms import TERMS
from suzani.web.explanations import GAPS, JOINS, VERDICTS, level_key
from suzani.web.language import LANGUAGES, Texts, catalogue, choose
from suzani.web.pages.timeline import BETWEEN, PERIODS

FROM_DATA = (
    "kind.", "status.", "system.", "reason.", "sex.", "field.", "event.", "channel.", "property."
)  # fmt: skip
"""Names that come from mappings, sources and models; shown as they are where they are not known."""

LEVELS = ("level", "explain.level")

COMPUTED = (
    {f"attribute.{name}" for name in (*GOLDEN_ATTRIBUTES, *TERMS, "key")}
    | {f"rule.{name}" for name in OUTCOMES}
    | {f"consent.{state}" for state in ("granted", "denied", "missing")}
    | {f"happening.record_{kind}" for kind in ("added", "changed", "deleted", "restored", "rekeyed")}
    | {f"happening.person_{kind}" for kind in ("created", "merged")}
    | {
        f"{where}.{level_key(level)}"
        for levels in LABELS.values()
        for level in levels[1:]
        for where in LEVELS
    }
    | {f"verdict.{VERDICTS[verdict]}" for verdict in Verdict}
    | {f"{where}.{JOINS[joined]}" for joined in Joined for where in ("join", "reached")}
    | {f"{where}.{GAPS[apart]}" for apart in Apart for where in ("prevented", "reached")}
    | {f"cause.{cause.value}" for cause in Cause}
    | {f"event_type.{kind.value}" for kind in EventType}
    | {f"period.{name}" for name in (*PERIODS, BETWEEN)}
    | {f"timeline.{name}" for name in ("properties", "traits", "context")}
    | {f"timeline.product_{what}" for what in ("opened", "closed")}
    | {f"timeline.{name}_day" for name in ("first", "last")}
    | {f"join.{name}" for name in ("one_pair", "all_for")}
    | {f"apart.{name}" for name in ("evidence", "cannot_link", "different_ids")}
)
"""Keys that pages put together; every one of them must be there."""


def placeholders(text: object) -> set[str]:
    forms = text.values() if isinstance(text, dict) else [str(text)]
    return set(re.findall(r"{(\w+)}", " ".join(forms)))


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_every_text_with_the_same_places(code: str) -> None:
    ours, english = catalogue(code), catalogue("en")
    assert set(ours) == set(english)
    assert {key: placeholders(text) for key, text in ours.items()} == {
        key: placeholders(text) for key, text in english.items()
    }
    assert all(
        text and "" not in (text.values() if isinstance(text, dict) else [text]) for text in ours.values()
    )


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_plural_form_a_language_needs_is_there(code: str) -> None:
    needed = {LANGUAGES[code].plural(count) for count in range(200)}
    plurals = [text for text in catalogue(code).values() if not isinstance(text, str)]
    assert all(needed <= set(text) for text in plurals)


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    sources = [path.read_text("utf-8") for path in Path(suzani.web.__file__).parent.rglob("*.py")]
    literals = set(re.findall(r"""["']([a-z_]+(?:\.[a-z_0-9]+)+)["']""", "\n".join(sources)))
    parts = set(re.findall(r'"([a-z_0-9]+)"', "\n".join(sources)))
    prefixes = set(re.findall(r'f"([a-z_]+(?:\.[a-z_]+)*)\.{', "\n".join(sources)))
    known = set(catalogue("en"))
    assert known >= COMPUTED
    unused = {
        key
        for key in known - literals - COMPUTED
        if not key.startswith(FROM_DATA)
        and not (key.rpartition(".")[0] in prefixes and key.rpartition(".")[2] in parts)
    }
    assert unused == set()


def test_numbers_dates_and_money_follow_the_language() -> None:
    english, russian, korean = Texts.of("en"), Texts.of("ru"), Texts.of("ko")
    assert english.number(1234567.5, 1) == "1,234,567.5"
    assert russian.number(1234567.5, 1) == "1\u202f234\u202f567,5"
    assert english.day(date(1985, 3, 4)) == "4 Mar 1985"
    assert russian.day(date(1985, 3, 4)) == "04.03.1985"
    assert korean.day(date(1985, 3, 4)) == "1985. 3. 4."
    assert english.money(Decimal("-10.5"), "UZS") == "-10.50\u00a0UZS"
    assert english.percent(0.00001) == "<0.1%"
    assert english.percent(0) == "0.0%"
    assert english.moment(datetime(2026, 1, 1, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "1 запись"), (3, "3 записи"), (5, "5 записей"), (11, "11 записей"), (21, "21 запись")],
)
def test_russian_counts_as_russian_does(count: int, said: str) -> None:
    assert Texts.of("ru")("customer.records", count) == said


@pytest.mark.parametrize(
    ("asked", "remembered", "accepted", "chosen"),
    [
        ("ko", "ru", "en", "ko"),
        ("xx", "ru", "en", "ru"),
        (None, None, "fr;q=0.9, uz-Latn;q=0.8, en;q=0.1", "uz"),
        (None, "", "ru-RU,ru;q=0.9", "ru"),
        (None, None, ";;q=x,,", "en"),
        (None, None, "", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_remembered_or_accepted(
    asked: str | None, remembered: str | None, accepted: str, chosen: str
) -> None:
    assert choose(asked, remembered, accepted) == chosen


def test_an_unknown_text_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(NotFound, match=r"nav\.overveiw"):
        Texts.of("en")("nav.overveiw")
