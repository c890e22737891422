"""The log of events: producers append, consumers read in order and commit offsets with their effects."""

from suzani.infra.bus.consuming import consume
from suzani.infra.bus.opening import open_bus
from suzani.infra.bus.positions import forget, lags
from suzani.infra.bus.types import Bus, Consumer, Lag, Message, Received

__all__ = ["Bus", "Consumer", "Lag", "Message", "Received", "consume", "forget", "lags", "open_bus"]
