"""What a process remembers of stitching, so that events that say nothing new need not be looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from suzani.kernel import Recent
from suzani.stitching.reading import Said, Saying
from suzani.stitching.rules import Rules

_MOST_SAYINGS: Final = 100_000


class Settled(NamedTuple):
    """Whose the events of a saying are, as of a version of the subject; `at` and `message` are of the first
    event that said so: what comes later adds no evidence."""

    identifier_id: int
    subject_id: int
    version: int
    person_id: int | None
    at: int
    message: bytes


class Memory:
    """Sayings that were stitched before, by the rules of that time.

    Each holds as long as its subject's version stays as it was: whatever gives an identifier another subject,
    a subject another person, or lets an identifier count for nothing, changes the version. To be cleared when
    what was stitched was not committed.
    """

    def __init__(self) -> None:
        self._rules: Rules | None = None
        self._settled = Recent[Said, Settled](_MOST_SAYINGS)

    def clear(self) -> None:
        """Forget everything."""
        self._settled.clear()

    def recall(self, rules: Rules, sayings: Sequence[Saying]) -> dict[int, Settled]:
        """What is known of sayings that add nothing new, by their places."""
        if rules is not self._rules:
            self._rules = rules
            self.clear()
        recalled: dict[int, Settled] = {}
        for place, saying in enumerate(sayings):
            if saying.tells:
                continue
            known = self._settled.get(saying.said)
            if known is not None and (known.at, known.message) <= (saying.at, saying.message):
                recalled[place] = known
        return recalled

    def keep(self, learned: Mapping[Said, Settled]) -> None:
        """Remember sayings."""
        for said, settled in learned.items():
            self._settled.put(said, settled)

    def drop(self, sayings: Sequence[Saying]) -> None:
        """Forget sayings whose subjects have changed."""
        for saying in sayings:
            self._settled.drop(saying.said)
