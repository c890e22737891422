"""Work of this capability that a worker does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from suzani.identity import affected_persons, mark_read, prune_feed
from suzani.infra import jobs
from suzani.infra.platform import Platform
from suzani.kernel import now
from suzani.profiles.rebuilding import BATCH_PERSONS, rebuild, rebuild_all
from suzani.profiles.survivorship import load_survivorship

REBUILD: Final = "profiles.rebuild"
CONSUMER: Final = "profiles"
"""The name under which profiles read the feed of affected persons."""


async def rebuild_profiles(platform: Platform, **event: Any) -> int:
    """Build the golden records of the persons that changed since the last time; returns how many.

    The feed is read first and marked with the new profiles in one transaction: whatever stops it in between
    is done again, and what changes meanwhile is left for the next time. What all have read is dropped from
    the feed when it is old enough.
    """
    survivorship = load_survivorship(platform.data_dir)
    async with platform.db.transaction() as tx:
        affected = await affected_persons(tx, CONSUMER)
    async with platform.db.transaction() as tx:
        if affected.persons is None or len(affected.persons) > BATCH_PERSONS:
            built = await rebuild_all(tx, survivorship, now())
        else:
            built = await rebuild(tx, affected.persons, survivorship, now())
        await mark_read(tx, CONSUMER, affected.up_to)
        await jobs.publish(tx, "profiles.changed")
        await prune_feed(tx, now() - timedelta(days=platform.settings.feed_days))
    return built


def register() -> None:
    """Make the job known and run it whenever identities change."""
    jobs.register(REBUILD, rebuild_profiles, waits_once=True)
    jobs.subscribe("identity.changed", REBUILD)
