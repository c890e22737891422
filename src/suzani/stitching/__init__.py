"""Stitching: which person, or which visitor not known yet, an event belongs to."""

from suzani.stitching.finding import (
    BY_IDENTIFIER,
    BY_PERSON,
    BY_SUBJECT,
    IDENTIFIERS_OF,
    current_subject,
    find,
    history,
    identifiers,
    links,
    lock_subjects,
    subject_of_person,
)
from suzani.stitching.following import Followed, ensure_subjects, follow
from suzani.stitching.knowing import tell
from suzani.stitching.remembering import Memory
from suzani.stitching.rules import Kind, Rules, load_identifiers
from suzani.stitching.service import CHANGED, stitch
from suzani.stitching.stewarding import separate, undo
from suzani.stitching.store import NewChange, take_affected
from suzani.stitching.types import (
    Affected,
    Cause,
    Change,
    Identifier,
    Link,
    Moved,
    Name,
    Step,
    Stitched,
    Subject,
    Verdict,
    What,
)

__all__ = [
    "BY_IDENTIFIER",
    "BY_PERSON",
    "BY_SUBJECT",
    "CHANGED",
    "IDENTIFIERS_OF",
    "Affected",
    "Cause",
    "Change",
    "Followed",
    "Identifier",
    "Kind",
    "Link",
    "Memory",
    "Moved",
    "Name",
    "NewChange",
    "Rules",
    "Step",
    "Stitched",
    "Subject",
    "Verdict",
    "What",
    "current_subject",
    "ensure_subjects",
    "find",
    "follow",
    "history",
    "identifiers",
    "links",
    "load_identifiers",
    "lock_subjects",
    "separate",
    "stitch",
    "subject_of_person",
    "take_affected",
    "tell",
    "undo",
]
