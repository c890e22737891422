"""Quarantine: events that could not be taken are kept as they came, and replayed through the log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from suzani.events import store
from suzani.events.envelope import TOPIC, tail_of
from suzani.events.payloads import read_head, tolerant
from suzani.events.reading import LARGEST_BATCH, Refused
from suzani.events.store import Quarantined
from suzani.events.types import Malformed, Reason, Violation
from suzani.infra.bus import Bus, Message
from suzani.infra.db import Tx
from suzani.infra.platform import Platform
from suzani.infra.quarantine import Replay
from suzani.kernel import InvalidInput

REFUSED_LATER: Final = "the log"
"""The way of an event that was taken and refused afterwards: by a tracking plan, or for want of sense."""

_DROPPED_AT_ONCE: Final = 1_000


class _Split(msgspec.Struct):
    event: msgspec.Raw
    source: str = ""
    id: str = ""


class _Head(msgspec.Struct):
    source: str = ""
    type: str = ""


_split = msgspec.json.Decoder(_Split).decode
_read_head = msgspec.json.Decoder(_Head).decode


def refused_later(value: bytes, violations: Sequence[Violation]) -> Refused:
    """An envelope that was on the log, as what is kept of it in quarantine."""
    first, *_ = violations or [Violation(Reason.REFUSED, "", "refused without a reason")]
    detail = "; ".join([first.detail, *(str(one) for one in violations[1:])])
    violation = Violation(first.reason, first.place, detail)
    try:
        split = tolerant(_split, value)
    except Malformed:
        return Refused("", b"", value, violation, REFUSED_LATER)
    raw = bytes(split.event)
    # Senders may write white space around an event, which is no part of it.
    head = value.removesuffix(tail_of(split.id)).rstrip().removesuffix(raw).rstrip()
    return Refused(split.source, head, raw, violation, REFUSED_LATER, split.id)


async def quarantine(tx: Tx, rejected: Sequence[tuple[bytes, Sequence[Violation]]], now: datetime) -> None:
    """Keep envelopes of the log that cannot be processed, each with what is wrong with it."""
    await store.keep(tx, [refused_later(value, violations) for value, violations in rejected], now)


async def drop_settled(platform: Platform, now: datetime) -> int:
    """Drop what was replayed or dismissed longer ago than the installation keeps it, a piece at a time;
    returns how many events that were. What is open is never dropped."""
    before = now - timedelta(days=platform.settings.quarantine_days)
    async with platform.db.transaction() as tx:
        return await store.drop_settled(tx, before, _DROPPED_AT_ONCE)


async def replay(
    tx: Tx, bus: Bus, events: Sequence[Quarantined], now: datetime, fixes: Mapping[int, bytes] | None = None
) -> list[Replay]:
    """Put events on the log again, each with its fix (its whole JSON) if it has one.

    The log and the mark are one transaction, and the event is the same message as before: replayed twice, it
    takes effect once. What is still wrong stays open.
    """
    fixes = fixes or {}
    results: list[Replay] = []
    messages: list[Message] = []
    is_open = await store.hold_open(tx, [event.quarantine_id for event in events])
    for event in events:
        if event.quarantine_id not in is_open:
            results.append(Replay(event.quarantine_id, event.state, "it is not open"))
            continue
        try:
            messages.append(_message(event, fixes.get(event.quarantine_id, event.raw)))
        except Malformed as error:
            results.append(Replay(event.quarantine_id, "open", str(error.violation)))
            continue
        results.append(Replay(event.quarantine_id, "replayed", ""))
    await bus.append(tx, TOPIC, messages)
    for note, fixed in (("with a fix", True), ("as it was", False)):
        ids = [
            one.quarantine_id
            for one in results
            if one.state == "replayed" and not one.detail and (one.quarantine_id in fixes) == fixed
        ]
        await store.settle(tx, ids, "replayed", note, now)
    return results


def _message(event: Quarantined, raw: bytes) -> Message:
    """The event as it goes to the log. Raises Malformed."""
    if not event.head:
        raise Malformed(Violation(event.reason, "", "it is no envelope of events; dismiss it"))
    origin = _read_head(event.head + b"0}")
    _, key = read_head(raw, origin.type, limit=LARGEST_BATCH)
    return Message(key, event.head + raw + tail_of(event.message_id))


def changed(event: Quarantined, changes: Mapping[str, Any]) -> bytes:
    """The event's JSON with values put in place: `{"properties.amount": 12.5}`. Raises InvalidInput."""
    try:
        tree = tolerant(msgspec.json.decode, event.raw)
    except Malformed as error:
        raise InvalidInput(
            f"event {event.quarantine_id} is no JSON: {error.message}", hint="Give --raw."
        ) from None
    for place, value in changes.items():
        _put(tree, place, value)
    return json.dumps(tree, ensure_ascii=False).encode()


def _put(tree: Any, place: str, value: Any) -> None:
    *path, last = place.split(".")
    for name in path:
        tree = tree.setdefault(name, {}) if isinstance(tree, dict) else None
    if not isinstance(tree, dict):
        raise InvalidInput(f"{place} is not a place in this event", hint="As in properties.amount.")
    tree[last] = value
