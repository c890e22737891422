"""Work of this capability that a worker does."""

from __future__ import annotations

from typing import Any

from suzani.infra import jobs
from suzani.infra.platform import Platform
from suzani.kernel import now
from suzani.profiles.rebuilding import rebuild_all
from suzani.profiles.survivorship import load_survivorship

REBUILD = "profiles.rebuild"


async def rebuild_profiles(platform: Platform, **event: Any) -> int:
    """Build every golden record anew; what `event` says changed is part of everything."""
    survivorship = load_survivorship(platform.data_dir)
    async with platform.db.transaction() as tx:
        return await rebuild_all(tx, survivorship, now())


def register() -> None:
    """Make the job known and run it whenever identities change."""
    jobs.register(REBUILD, rebuild_profiles, waits_once=True)
    jobs.subscribe("identity.changed", REBUILD)
