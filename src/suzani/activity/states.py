"""What is kept of a subject's events, and how it grows: pure functions over the states of traits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from suzani.events import Event
from suzani.traits import Plan


@dataclass(slots=True)
class SubjectState:
    """The events of one subject, summed up. `traits` is what the plan of traits keeps; times in microseconds
    since 1970, None without events; `version` grows each time the state is kept."""

    traits: Any
    events: int = 0
    first_at: int | None = None
    last_at: int | None = None
    version: int = 0

    def take(self, plan: Plan, events: Iterable[Event]) -> None:
        """Let events take effect, in any order."""
        for event in events:
            plan.apply(self.traits, event)
            self.events += 1
            if self.first_at is None or event.at < self.first_at:
                self.first_at = event.at
            if self.last_at is None or event.at > self.last_at:
                self.last_at = event.at

    def join(self, plan: Plan, other: SubjectState) -> None:
        """Take over all that another subject has."""
        self.traits = plan.merge(self.traits, other.traits)
        self.events += other.events
        self.first_at = _chosen(min, self.first_at, other.first_at)
        self.last_at = _chosen(max, self.last_at, other.last_at)
        self.version = max(self.version, other.version)


def _chosen(choice: Any, a: int | None, b: int | None) -> int | None:
    return choice(a, b) if a is not None and b is not None else a if b is None else b
