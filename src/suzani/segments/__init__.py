"""Segments: who is in a group of customers now, by rules over all that is known."""

from suzani.segments.membership import Rules, changes, load_rules
from suzani.segments.reading import Segment
from suzani.segments.service import (
    SEGMENTS_OF,
    apply_changes,
    counts,
    history,
    members,
    memberships,
    preview,
    put_in_force,
    segments_of,
    settle,
    unsettled,
)
from suzani.segments.types import (
    Change,
    Facts,
    FactsReader,
    InForce,
    Membership,
    Memberships,
    Preview,
    Reason,
)

__all__ = [
    "SEGMENTS_OF",
    "Change",
    "Facts",
    "FactsReader",
    "InForce",
    "Membership",
    "Memberships",
    "Preview",
    "Reason",
    "Rules",
    "Segment",
    "apply_changes",
    "changes",
    "counts",
    "history",
    "load_rules",
    "members",
    "memberships",
    "preview",
    "put_in_force",
    "segments_of",
    "settle",
    "unsettled",
]
