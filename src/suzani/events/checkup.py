"""What `suzani doctor` sees of the quarantine of events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from suzani.events.store import quarantine_counts
from suzani.infra.doctor import Findings
from suzani.infra.platform import Platform

MANY: Final = 10_000
"""With more open ones than this, nobody is looking after them."""


async def look(platform: Platform) -> Findings:
    """How many events are in quarantine, by state; open ones wait for a person, however many they are."""
    by_state = Counter[str]()
    async with platform.db.transaction() as tx:
        for count in await quarantine_counts(tx):
            by_state[count.state] += count.events
    return judged(by_state)


def judged(by_state: Mapping[str, int]) -> Findings:
    """What there is to say of so many events in quarantine."""
    waiting = by_state.get("open", 0)
    complaint = (
        f"{waiting:,} events are in quarantine, and wait to be replayed or dismissed: "
        "see `suzani events quarantine list`"
    )
    return Findings({"quarantine": dict(by_state)}, [complaint] if waiting > MANY else [])
