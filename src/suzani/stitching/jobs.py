"""Work of stitching that a worker does."""

from __future__ import annotations

from typing import Any, Final

from suzani.infra import jobs
from suzani.infra.platform import Platform
from suzani.kernel import now
from suzani.stitching.following import Followed, follow
from suzani.stitching.rules import load_identifiers
from suzani.stitching.service import SHARED
from suzani.stitching.stewarding import block_shared
from suzani.stitching.store import NewChange
from suzani.stitching.types import Cause

FOLLOW: Final = "stitching.follow"
BLOCK: Final = "stitching.block"


async def follow_persons(platform: Platform, **event: Any) -> Followed:
    """Let subjects follow their persons."""
    return await follow(platform)


async def block_identifiers(platform: Platform, identifiers: list[int]) -> None:
    """Block identifiers that are shared by too many."""
    rules = load_identifiers(platform.data_dir)
    async with platform.db.transaction() as tx:
        await block_shared(tx, rules, identifiers, NewChange(Cause.SHARING, now()))


def register() -> None:
    """Make the jobs known. Subjects follow once the profiles have: by these it is told whose a phone is."""
    jobs.register(FOLLOW, follow_persons, waits_once=True)
    jobs.register(BLOCK, block_identifiers)
    jobs.subscribe("profiles.changed", FOLLOW)
    jobs.subscribe(SHARED, BLOCK)
