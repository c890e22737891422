"""Events as customers of a bank cause them, in batches as SDKs send them: endless, repeatable, none twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, overload

import msgspec

_TOKEN: Final = b"@@@@@@@@"
"""Stands in every message id, and makes it new each time the same batch is sent again."""

BATCHES: Final = 400
"""Batches that differ in more than their message ids."""

_KNOWN: Final = 0.5

Draw = Callable[[random.Random], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of event: how often it is drawn, and what it says."""

    weight: int
    call: dict[str, str]
    properties: Draw


def _page(draw: random.Random) -> dict[str, Any]:
    path = draw.choice(("/", "/loans", "/loans/apply", "/cards", "/deposits", "/branches"))
    return {"path": path, "url": f"https://bank.example{path}", "title": path[1:] or "home", "referrer": ""}


def _money(draw: random.Random) -> dict[str, Any]:
    amount = round(draw.lognormvariate(11, 1.2), 2)
    return {"amount": amount, "currency": "UZS", "merchant_category": draw.choice(("5411", "5812", "4111"))}


def _click(draw: random.Random) -> dict[str, Any]:
    return {
        "text": draw.choice(("Apply", "Next", "More")),
        "selector": "form > button",
        "path": "/loans/apply",
    }


def _call(draw: random.Random) -> dict[str, Any]:
    return {"disposition": draw.choice(("solved", "callback")), "duration_seconds": draw.randrange(20, 900)}


def _kind(weight: int, name: str, properties: Draw) -> _Kind:
    return _Kind(weight, {"type": "track", "event": name}, properties)


_KINDS: Final = (
    _Kind(30, {"type": "page", "name": "Page"}, _page),
    _kind(20, "Element Clicked", _click),
    _kind(20, "Card Authorised", _money),
    _kind(10, "Transfer Sent", _money),
    _kind(8, "App Opened", lambda draw: {"version": f"4.{draw.randrange(9)}"}),
    _kind(6, "Product Viewed", lambda draw: {"product_kind": draw.choice(("loan", "card", "deposit"))}),
    _kind(3, "Form Started", lambda draw: {"form": "loan application"}),
    _kind(2, "Call Ended", _call),
    _kind(1, "Complaint Filed", lambda draw: {"reason": draw.choice(("fee", "queue", "card"))}),
)


class Traffic(Sequence[bytes]):
    """Bodies for `POST /v1/batch`, drawn from a seed: item `i` is always the same; no message comes twice.

    `visitors` people cause them; half are known by a user id (after an `identify`), the others by an
    anonymous id. `size` events a body.
    """

    def __init__(self, write_key: str, visitors: int, size: int = 50, seed: int = 5) -> None:
        self._seed = seed
        draw = random.Random(seed)  # noqa: S311 (traffic, not secrets)
        self._bodies = [_body(draw, write_key, visitors, size, number) for number in range(BATCHES)]

    @property
    def users(self) -> list[str]:
        """The user ids that the first BATCHES items tell of."""
        batches = (msgspec.json.decode(body)["batch"] for body in self._bodies)
        return sorted({event["userId"] for batch in batches for event in batch if "userId" in event})

    def __len__(self) -> int:
        return 2**31

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        turn = (self._seed << 16) + index // BATCHES
        return self._bodies[index % BATCHES].replace(_TOKEN, b"%08x" % turn)


def _body(draw: random.Random, write_key: str, visitors: int, size: int, number: int) -> bytes:
    events = [_event(draw, visitors, f"{number:04x}-{place:02x}") for place in range(size)]
    context = {"library": {"name": "bench", "version": "1"}, "locale": "uz-UZ", "ip": "192.0.2.1"}
    return msgspec.json.encode({"writeKey": write_key, "context": context, "batch": events})


def _event(draw: random.Random, visitors: int, place: str) -> dict[str, Any]:
    # Some people do much more than others: the square makes a tenth of them cause a third of the events.
    visitor = int(visitors * draw.random() ** 2)
    known = visitor < visitors * _KNOWN
    [kind] = draw.choices(_KINDS, weights=[kind.weight for kind in _KINDS])
    who = {"anonymousId": f"a-{visitor:08x}"} | ({"userId": f"u{visitor}"} if known else {})
    if known and draw.random() < 0.02:
        traits = {"email": f"u{visitor}@mail.example", "plan": "salary"}
        return {"type": "identify", "messageId": f"{_TOKEN.decode()}-{place}", "traits": traits} | who
    return kind.call | who | {"messageId": f"{_TOKEN.decode()}-{place}", "properties": kind.properties(draw)}
