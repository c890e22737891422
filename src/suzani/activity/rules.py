"""The rules by which events take effect, from the installation's files, read again when these change."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from suzani import segments, stitching, traits
from suzani.activity.accepted import SEGMENTS, segment_messages
from suzani.infra.bus import Bus
from suzani.infra.platform import Platform
from suzani.kernel import SuzaniError, now

_LOOK_SECONDS: Final = 2.0
_FILES: Final = ("identifiers.yaml", "traits.yaml", "segments.yaml")

_log = logging.getLogger(__name__)


class Rules:
    """Which identifiers join, which traits are computed, who is in which segment."""

    def __init__(self, identifiers: stitching.Rules, plan: traits.Plan, rules: segments.Rules) -> None:
        self.identifiers: Final = identifiers
        self.traits: Final = plan
        self.segments: Final = rules
        self._watches: Final = lru_cache(4096)(self._watch_of)

    def next_change(self, state: traits.State, at: int, names: frozenset[str] | None = None) -> int | None:
        """When time alone next changes a trait, or one of some, in a way that matters to a segment; None when
        it never does. Microseconds."""
        watch = self._watches(names)
        return watch.next_change(state, at) if watch else None

    def soonest(self, at: int, names: frozenset[str]) -> int | None:
        """The same, because of an event of some traits in the present tick."""
        watch = self._watches(names)
        return watch.soonest(at) if watch else None

    def _watch_of(self, names: frozenset[str] | None) -> traits.Watching | None:
        thresholds = self.segments.thresholds
        watched = thresholds.keys() if names is None else thresholds.keys() & names
        return self.traits.watch({name: thresholds[name] for name in watched}) if watched else None

    @property
    def digest(self) -> str:
        """Tells rules apart by which something else would be kept of the same events."""
        found = blake2b(self.traits.digest.encode(), digest_size=16)
        for segment in self.segments.segments:
            found.update(segment.name.encode() + segment.digest)
        return found.hexdigest()


def load_rules(data_dir: Path) -> Rules:
    """The rules in force. Raises InvalidInput with file, place, and what to do."""
    plan = traits.load_plan(data_dir)
    return Rules(stitching.load_identifiers(data_dir), plan, segments.load_rules(data_dir, plan))


class RulesFiles:
    """The rules that the files of a data directory tell now. Of a file that has become unusable the log
    tells, and the rules before it stay."""

    def __init__(self, data_dir: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._data_dir = data_dir
        self._clock = clock
        self._stamps = self._seen()
        self._rules = load_rules(data_dir)
        self._looked_at = clock()

    def __call__(self) -> Rules:
        """The rules; files are looked at every two seconds at most."""
        if self._clock() - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = self._clock()
            stamps = self._seen()
            if stamps != self._stamps:
                self._stamps = stamps
                self._read()
        return self._rules

    def look_again(self) -> None:
        """Have the files looked at the next time, however short ago they were."""
        self._looked_at = float("-inf")

    def _read(self) -> None:
        try:
            self._rules = load_rules(self._data_dir)
        except SuzaniError as error:
            _log.error("the rules before stay in force: %s", error)

    def _seen(self) -> list[tuple[int, int] | None]:
        """What tells that a file has changed: its time and size; None without it."""
        found: list[tuple[int, int] | None] = []
        for name in _FILES:
            try:
                stat = (self._data_dir / name).stat()
            except OSError:
                found.append(None)
            else:
                found.append((stat.st_mtime_ns, stat.st_size))
        return found


class RulesInForce:
    """The rules by which events take effect: those of the files, once the database knows their segments."""

    def __init__(self, platform: Platform, bus: Bus) -> None:
        self._db, self._bus = platform.db, bus
        self._files = RulesFiles(platform.data_dir)
        self._rules: Rules | None = None

    def __call__(self) -> Rules:
        """The rules in force; `refresh` must have been awaited once."""
        if self._rules is None:
            raise RuntimeError("no rules are in force yet")
        return self._rules

    def look_again(self) -> None:
        """Have the files looked at the next time, however short ago they were."""
        self._files.look_again()

    async def refresh(self) -> int:
        """Put the rules of the files in force if they are others; returns how many subjects left a segment by
        that."""
        rules = self._files()
        if rules is self._rules:
            return 0
        at = now()
        async with self._db.transaction() as tx:
            _, left = await segments.put_in_force(tx, rules.segments, at)
            await self._bus.append(tx, SEGMENTS, segment_messages(left))
        self._rules = rules
        return len(left)
