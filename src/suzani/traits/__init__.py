"""Traits: what is counted, summed and remembered of a person's events.

Pure: events and bytes in, values and bytes out.
"""

from suzani.traits.calendar import Calendar
from suzani.traits.lake import read_events
from suzani.traits.plan import Plan, Watching, load_plan
from suzani.traits.types import Definition, State, Value
from suzani.traits.watching import Thresholds

__all__ = [
    "Calendar",
    "Definition",
    "Plan",
    "State",
    "Thresholds",
    "Value",
    "Watching",
    "load_plan",
    "read_events",
]
