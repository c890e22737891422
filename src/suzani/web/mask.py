"""The one place that decides how much of a personal value a viewer sees."""

from __future__ import annotations


def mask(attribute: str, value: str) -> str:
    """The value of an attribute as it may be shown: in full, as pages are for this machine's own user."""
    return value
