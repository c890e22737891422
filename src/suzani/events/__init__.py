"""Events: interactions taken in from every channel, checked, and put on the log."""

from suzani.events.checking import Checker
from suzani.events.envelope import MARK, TOPIC, Origin, decode, digest, encode
from suzani.events.intake import Intake, Taken, open_intake
from suzani.events.paths import Getter, getter
from suzani.events.quarantine import quarantine
from suzani.events.reading import LARGEST_BATCH, too_large, unpacked
from suzani.events.types import Event, EventType, Malformed, Reason, Violation

__all__ = [
    "LARGEST_BATCH",
    "MARK",
    "TOPIC",
    "Checker",
    "Event",
    "EventType",
    "Getter",
    "Intake",
    "Malformed",
    "Origin",
    "Reason",
    "Taken",
    "Violation",
    "decode",
    "digest",
    "encode",
    "getter",
    "open_intake",
    "quarantine",
    "too_large",
    "unpacked",
]
