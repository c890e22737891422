"""What activity tells on the log: every event that took effect, once, and who entered or left which segment.

Whoever comes after (the lake, journeys, campaigns, fraud) reads these topics, where nothing is refused or
repeated any more, and knows whose each event is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from suzani.events import Event
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
    events: Sequence[Event], identifiers: Sequence[int], subjects: Sequence[int]
) -> list[Message]:
    """The messages of a batch that took effect; identifiers and subjects are by event."""
    owned = zip(events, identifiers, subjects, strict=True)
    return [
        Message(subject_id.to_bytes(8), _encode(Accepted(identifier_id, subject_id, event)))
        for event, identifier_id, subject_id in owned
    ]


def accepted_of(value: bytes) -> Accepted:
    """The event in a message. Raises msgspec.DecodeError for anything else."""
    return _decode(value)


def segment_messages(changes: Sequence[Change]) -> list[Message]:
    """The messages of changes of membership; those of one subject are in order."""
    return [Message(change.subject_id.to_bytes(8), _encode(change)) for change in changes]
