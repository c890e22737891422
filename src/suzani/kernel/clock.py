"""The one place that reads the wall clock; everything below an edge is given its time."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The current moment, aware and in UTC."""
    return datetime.now(UTC)
