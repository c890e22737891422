"""Work of identity that a worker does."""

from __future__ import annotations

from typing import Any

from suzani.identity.resolving.service import resolve_if_changed
from suzani.infra import jobs
from suzani.infra.platform import Platform

RESOLVE = "identity.resolve"


async def resolve_records(platform: Platform, **event: Any) -> None:
    """Resolve all live records, unless that was done by hand since `event`."""
    await resolve_if_changed(platform)


def register() -> None:
    """Make the job known and run it whenever source records change."""
    jobs.register(RESOLVE, resolve_records, waits_once=True)
    jobs.subscribe("sources.changed", RESOLVE)
