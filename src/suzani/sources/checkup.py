"""What `suzani doctor` sees of the quarantine of rows."""

from __future__ import annotations

from collections import Counter

from suzani.infra.doctor import Findings
from suzani.infra.platform import Platform
from suzani.sources import quarantine_store


async def look(platform: Platform) -> Findings:
    """How many rows are in quarantine, by state."""
    rows = Counter[str]()
    async with platform.db.transaction() as tx:
        for count in await quarantine_store.counts(tx):
            rows[count["state"]] += count["rows"]
    return Findings({"quarantine": dict(rows)})
