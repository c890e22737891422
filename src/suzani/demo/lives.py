"""What customers of the demo bank do in their last weeks, as the channels' systems would send it. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

Json: TypeAlias = dict[str, Any]

DAYS: Final = 28


class Deed(NamedTuple):
    """Something a customer does: how many hours ago, where, what, and its particulars."""

    hours_ago: float
    channel: str
    name: str
    properties: Json


Life: TypeAlias = Callable[[random.Random], Iterator[Deed]]


def _money(draw: random.Random, around: float) -> Json:
    return {"amount": float(round(draw.lognormvariate(0, 0.6) * around, -2)), "currency": "UZS"}


def _everyday(draw: random.Random) -> Iterator[Deed]:
    """Pays by card, looks into the app, sends something home."""
    for day in range(DAYS):
        if draw.random() < 0.5:
            shop = draw.choice(("Korzinka", "Makro", "Havas", "Yandex Go", "Evos"))
            yield Deed(
                day * 24 + draw.uniform(8, 21),
                "card",
                "Card Authorised",
                _money(draw, 150_000) | {"merchant": shop},
            )
        if draw.random() < 0.35:
            yield Deed(
                day * 24 + draw.uniform(1, 23), "app", "App Opened", {"app_version": "4.2", "os": "android"}
            )
    yield Deed(
        draw.uniform(30, 400), "app", "Transfer Sent", _money(draw, 600_000) | {"counterparty": "family"}
    )


def _gives_up(draw: random.Random) -> Iterator[Deed]:
    """Begins to apply for a loan on the web site, stumbles, and calls."""
    hours = draw.uniform(2, 90)
    form = {"form": "Loan application", "fields": 8}
    yield Deed(hours, "web", "Product Viewed", {"name": "Consumer loan", "product_kind": "loan"})
    yield Deed(hours - 0.05, "web", "Loan Application Started", {"loan_kind": "consumer"})
    yield Deed(hours - 0.1, "web", "Form Started", form | {"field": "amount"})
    yield Deed(
        hours - 0.15,
        "web",
        "Error Shown",
        {"kind": "validation", "message": "valueMissing", "field": "income"},
    )
    yield Deed(
        hours - 0.2, "web", "Form Abandoned",
        form | {"filled": ["amount", "months"], "last_field": "employer", "seconds": draw.randrange(60, 400)},
    )  # fmt: skip
    yield Deed(hours - 0.2, "web", "Loan Application Abandoned", {"loan_kind": "consumer", "step": "income"})
    if draw.random() < 0.4:
        yield Deed(
            hours - 1, "call_centre", "Call Ended",
            {"reason": "loan terms", "disposition": "will decide",
             "duration_seconds": draw.randrange(90, 700)},
        )  # fmt: skip


def _annoyed(draw: random.Random) -> Iterator[Deed]:
    """Is declined at the till, waits in a branch, and complains."""
    hours = draw.uniform(5, 300)
    yield Deed(hours, "card", "Card Declined", _money(draw, 900_000) | {"reason": "limit exceeded"})
    yield Deed(
        hours - 1, "chat", "Chat Ended", {"reason": "card declined", "is_resolved": False, "messages": 9}
    )
    branch = draw.choice(("Chilonzor", "Yunusobod", "Samarqand"))
    waited = {"branch": branch, "purpose": "card", "wait_seconds": 2_400}
    yield Deed(hours - 4, "branch", "Branch Visited", waited)
    yield Deed(hours - 4.5, "branch", "Complaint Filed", {"subject": "card declined", "severity": "high"})


def _saves(draw: random.Random) -> Iterator[Deed]:
    """Receives a salary, sees an advertisement, opens a deposit."""
    hours = draw.uniform(20, 500)
    yield Deed(hours, "core", "Transfer Received", _money(draw, 6_000_000) | {"purpose": "salary"})
    yield Deed(hours - 2, "ads", "Ad Clicked", {"campaign": "autumn deposit", "placement": "search"})
    yield Deed(hours - 3, "web", "Product Viewed", {"name": "Term deposit", "product_kind": "deposit"})
    yield Deed(hours - 20, "branch", "Deposit Opened", _money(draw, 5_000_000) | {"product_kind": "deposit"})


LIVES: Final[Sequence[Life]] = (_everyday, _gives_up, _annoyed, _saves)


def events(product_numbers: Sequence[str], seed: int, now: datetime) -> Iterator[Json]:
    """Events as an SDK sends them, of one customer for each product number; of one seed they are the same,
    but for `now`, from which they count back.

    The web site knows a visitor by an anonymous id until the product says who it is, as after a sign-in.
    """
    draw = random.Random(seed)  # noqa: S311 (a story, not a secret)
    for number, product in enumerate(product_numbers):
        lives = [_everyday, draw.choice(LIVES[1:])] if number % 2 else [_everyday]
        deeds = sorted((deed for life in lives for deed in life(draw)), key=lambda deed: -deed.hours_ago)
        for place, deed in enumerate(deeds):
            context: Json = {"channel": deed.channel}
            if deed.channel != "web" or place == len(deeds) - 1:
                context["product_number"] = product
            yield {
                "type": "track",
                "event": deed.name,
                "messageId": f"demo-{seed}-{number}-{place}",
                "anonymousId": f"demo-visitor-{number}",
                "timestamp": (now - timedelta(hours=max(deed.hours_ago, 0.01))).isoformat(),
                "properties": deed.properties,
                "context": context,
            }
