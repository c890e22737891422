"""The log of events: producers append, consumers read in order and commit offsets with their effects."""

from suzani.infra.bus.types import Bus, Message, Received

__all__ = ["Bus", "Message", "Received"]
