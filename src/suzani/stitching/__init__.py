"""Stitching: which person, or which visitor not known yet, an event belongs to."""

from suzani.stitching.finding import (
    current_subject,
    find,
    identifiers,
    links,
    lock_subjects,
    subject_of_person,
)
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
    "current_subject",
    "find",
    "identifiers",
    "links",
    "load_identifiers",
    "lock_subjects",
    "stitch",
    "subject_of_person",
    "take_affected",
]
