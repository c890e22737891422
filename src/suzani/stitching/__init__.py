"""Stitching: which person, or which visitor not known yet, an event belongs to."""

from suzani.stitching.rules import Kind, Rules, load_identifiers
from suzani.stitching.service import stitch
from suzani.stitching.store import take_affected
from suzani.stitching.types import (
    Affected,
    Cause,
    Change,
    Identifier,
    Link,
    Moved,
    Name,
    Stitched,
    Subject,
    Verdict,
)

__all__ = [
    "Affected",
    "Cause",
    "Change",
    "Identifier",
    "Kind",
    "Link",
    "Moved",
    "Name",
    "Rules",
    "Stitched",
    "Subject",
    "Verdict",
    "load_identifiers",
    "stitch",
    "take_affected",
]
