"""When something happened: timestamps as senders write them, corrected for the sender's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

Sent = str | int | float | None
"""A timestamp as sent: ISO 8601 text, or a number since 1970 in seconds, milli-, micro- or nanoseconds."""

SECOND_US: Final = 1_000_000
EARLY_US: Final = 946_684_800 * SECOND_US
"""2000-01-01: what is dated before is taken for a clock that was never set."""

AHEAD_US: Final = 300 * SECOND_US
"""How far ahead of the receipt a time may lie; clocks differ by that much."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = ((1e11, 1_000_000.0), (1e14, 1_000.0), (1e17, 1.0), (1e20, 0.001))


def microseconds(sent: Any) -> int | None:
    """Microseconds since 1970 in UTC of a timestamp as sent; None where it cannot be read.

    The unit of a number follows from its size, so that any of them means the same years.
    """
    if type(sent) is str:
        try:
            moment = datetime.fromisoformat(sent)
        except ValueError:
            return _of_text(sent)
        try:
            return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * SECOND_US)
        except OverflowError:
            return None
    return _of_number(sent) if type(sent) in (int, float) else None


def _of_text(text: str) -> int | None:
    """What is no ISO 8601 as it stands: padded, or a number in quotes."""
    stripped = text.strip()
    if stripped != text:
        return microseconds(stripped)
    try:
        return _of_number(float(stripped)) if stripped[:1].isdigit() else None
    except ValueError:
        return None


def _of_number(number: float) -> int | None:
    for below, scale in _UNITS:
        if 0 <= number < below:
            return int(number * scale) if scale != SECOND_US else round(number * scale)
    return None


def happened_at(sent: Any, received_at: int, skew: int | None) -> tuple[int, str]:
    """When an event happened, and what is wrong with its own timestamp: '', unreadable, future or old.

    `skew`: receipt minus the sender's clock at sending (microseconds), None if unknown. It is what Segment
    does: timestamp = receivedAt - (sentAt - originalTimestamp). What cannot be believed is the receipt.
    """
    if sent is None:
        return received_at, ""
    at = microseconds(sent)
    if at is None:
        return received_at, "unreadable"
    if skew is not None:
        at += skew
    if at > received_at + AHEAD_US:
        return received_at, "future"
    return (at, "") if at >= EARLY_US else (received_at, "old")


def moment_of(microseconds: int) -> datetime:
    """A moment counted in microseconds since 1970."""
    return _EPOCH + timedelta(seconds=microseconds // SECOND_US, microseconds=microseconds % SECOND_US)


def microseconds_of(moment: datetime) -> int:
    """Microseconds since 1970 of a moment."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
