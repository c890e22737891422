"""Events: interactions taken in from every channel, checked, and put on the log."""

from suzani.events.paths import Getter, getter
from suzani.events.types import Event, EventType

__all__ = ["Event", "EventType", "Getter", "getter"]
