"""States and segments that a process remembers, so that those of busy subjects need not be read each time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from suzani.activity.rules import Rules
from suzani.activity.states import SubjectState
from suzani.kernel import Recent

_MOST_SUBJECTS: Final = 25_000
"""About 5 KB each."""


class Kept(NamedTuple):
    """What the last batch left of a subject; `version` is that of the subject itself."""

    state: SubjectState
    segments: frozenset[str]
    version: int


class Warm:
    """Subjects that had events lately, by the rules of that time.

    A state holds as long as the database has its version, which the reader compares, and nothing happened to
    the subject itself. To be cleared when what was put here was not committed.
    """

    def __init__(self) -> None:
        self._rules: Rules | None = None
        self._kept = Recent[int, Kept](_MOST_SUBJECTS)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def recall(self, rules: Rules, versions: Mapping[int, int]) -> dict[int, Kept]:
        """What is known of subjects, whose versions are given."""
        if rules is not self._rules:
            self._rules = rules
            self.clear()
        found = {subject: self._kept.get(subject) for subject in versions}
        return {
            subject: kept
            for subject, kept in found.items()
            if kept is not None and kept.version == versions[subject]
        }

    def keep(self, subject: int, kept: Kept) -> None:
        """Remember a subject."""
        self._kept.put(subject, kept)
