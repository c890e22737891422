"""Events: interactions taken in from every channel, checked, and put on the log."""

from suzani.events.envelope import MARK, TOPIC, Origin, decode, digest, encode
from suzani.events.paths import Getter, getter
from suzani.events.types import Event, EventType, Malformed, Reason, Violation

__all__ = [
    "MARK",
    "TOPIC",
    "Event",
    "EventType",
    "Getter",
    "Malformed",
    "Origin",
    "Reason",
    "Violation",
    "decode",
    "digest",
    "encode",
    "getter",
]
