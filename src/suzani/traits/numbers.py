"""Numbers of events as whole millionths: added in any order, they give the same sum."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

MILLIONTHS: Final = 1_000_000
_LARGEST: Final = 10**15
_EXACT: Final = float(2**50)


def scaled(value: object) -> int | None:
    """A number in millionths; None for what is no number, or beyond 10^15 either way.

    A float stands for the shortest decimal that reads as it, which is what was written in the event, and is
    rounded to millionths.
    """
    if isinstance(value, float):
        large = value * 1e6
        if -_EXACT < large < _EXACT:
            return round(large)
        # Also refuses NaN, which compares as false.
        return round(Decimal(repr(value)) * MILLIONTHS) if -_LARGEST <= value <= _LARGEST else None
    if isinstance(value, int) and value.__class__ is not bool:
        return value * MILLIONTHS if -_LARGEST <= value <= _LARGEST else None
    return None


def unscaled(millionths: int) -> int | float:
    """A number of millionths as a number: whole where it is, else the nearest float."""
    whole, rest = divmod(millionths, MILLIONTHS)
    return millionths / MILLIONTHS if rest else whole
