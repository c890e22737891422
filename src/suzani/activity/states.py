"""What is kept of a subject's events, and how it grows: pure functions over the states of traits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from suzani.events import Event
from suzani.traits import Plan, State


@dataclass(slots=True)
class SubjectState:
    """The events of one subject, summed up.

    `traits` is what the plan of traits keeps. Times are in microseconds since 1970, None where there is none.
    `version` grows each time the state is kept, and is 0 before; `next_change`: when time alone may change
    what follows from it. One that `is_lost` could not be read and must be computed from all its events.
    """

    traits: State
    events: int = 0
    first_at: int | None = None
    last_at: int | None = None
    version: int = 0
    next_change: int | None = None
    is_lost: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep, and never was: most persons of a bank cause no events."""
        return not (self.events or self.version or self.next_change)

    def is_due(self, at: int) -> bool:
        """Whether time alone may have changed what follows from it by now."""
        return self.next_change is not None and self.next_change <= at

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
        self.is_lost |= other.is_lost
        self.events += other.events
        self.first_at = _chosen(min, self.first_at, other.first_at)
        self.last_at = _chosen(max, self.last_at, other.last_at)


def _chosen(choice: Callable[[int, int], int], a: int | None, b: int | None) -> int | None:
    return choice(a, b) if a is not None and b is not None else a if b is None else b
