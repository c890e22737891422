"""Events: interactions taken in from every channel, checked, and put on the log."""

from suzani.events.checking import Checker
from suzani.events.envelope import MARK, TOPIC, Origin, decode, digest, encode
from suzani.events.intake import Intake, Taken, open_intake
from suzani.events.paths import Getter, getter
from suzani.events.reading import LARGEST_BATCH, too_large, unpacked
from suzani.events.replaying import drop_settled, quarantine
from suzani.events.store import Asked, QuarantineCount, Quarantined, quarantine_counts, quarantined
from suzani.events.types import Event, EventType, Malformed, Reason, Violation

__all__ = [
    "LARGEST_BATCH",
    "MARK",
    "TOPIC",
    "Asked",
    "Checker",
    "Event",
    "EventType",
    "Getter",
    "Intake",
    "Malformed",
    "Origin",
    "QuarantineCount",
    "Quarantined",
    "Reason",
    "Taken",
    "Violation",
    "decode",
    "digest",
    "drop_settled",
    "encode",
    "getter",
    "open_intake",
    "quarantine",
    "quarantine_counts",
    "quarantined",
    "too_large",
    "unpacked",
]
