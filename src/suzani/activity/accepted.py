"""What activity tells on the log: every event that took effect, once, and who entered or left which segment.

Whoever comes after (the lake, journeys, campaigns, fraud) reads these topics, where nothing is refused or
repeated any more, and knows whose each event is.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from suzani.events import Event, EventType
from suzani.infra.bus import Message
from suzani.segments import Change

ACCEPTED: Final = "accepted"
"""The topic of events that took effect; messages of one subject are in order."""


SEGMENTS: Final = "segments"
"""The topic of who entered or left which segment."""


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """An event, the identifier it is attributed to, and the subject that this belonged to at that time."""

    identifier_id: int
    subject_id: int
    event: Event


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Accepted).decode


def accepted_messages(
    events: Sequence[Event], bodies: Sequence[bytes], identifiers: Sequence[int], subjects: Sequence[int]
) -> list[Message]:
    """The messages of a batch that took effect; bodies, identifiers and subjects are by event.

    What `Accepted` is in JSON, put together of what is encoded already.
    """
    return [
        Message(
            subject_id.to_bytes(8),
            b'{"identifier_id":%d,"subject_id":%d,"event":{"message":"%b","at":%d,"received_at":%d,%b%b}}'
            % (
                identifier_id, subject_id, b2a_base64(event.message, newline=False), event.at,
                event.received_at, _labels(event.source, event.type, event.name, event.channel),
                b"," + body[1:-1] if len(body) > len(b"{}") else b"",
            ),
        )
        for event, body, identifier_id, subject_id in zip(events, bodies, identifiers, subjects, strict=True)
    ]  # fmt: skip


@lru_cache(4096)
def _labels(source: str, kind: EventType, name: str, channel: str) -> bytes:
    """What most events have in common with others, as the inside of a JSON object."""
    return _encode({"source": source, "type": kind, "name": name, "channel": channel})[1:-1]


def accepted_of(value: bytes) -> Accepted:
    """The event in a message. Raises msgspec.DecodeError for anything else."""
    return _decode(value)


def segment_messages(changes: Sequence[Change]) -> list[Message]:
    """The messages of changes of membership; those of one subject are in order."""
    return [Message(change.subject_id.to_bytes(8), _encode(change)) for change in changes]
