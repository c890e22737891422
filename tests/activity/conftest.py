"""A stage for events."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from suzani.infra.platform import Platform
from tests.activity.stage import Stage, opened


@pytest.fixture
async def stage(platform: Platform) -> AsyncIterator[Stage]:
    """A platform without any records, through which events go a step at a time."""
    async with opened(platform) as found:
        yield found
