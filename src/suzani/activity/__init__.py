"""What customers do: events take effect on profiles, and are read back as a timeline."""

from suzani.activity.accepted import ACCEPTED, SEGMENTS, Accepted, accepted_of
from suzani.activity.processing import PROCESSOR
from suzani.activity.reading import every_subject
from suzani.activity.rules import Rules, RulesFiles, RulesInForce, load_rules
from suzani.activity.selection import selection
from suzani.activity.service import work
from suzani.activity.timeline import facets, subject_of, timeline, version
from suzani.activity.types import Cursor, Facet, TimelineEntry, TimelineFilter, TimelinePage
from suzani.activity.view import PARTS, Asked, find_subject, profile_views

__all__ = [
    "ACCEPTED",
    "PARTS",
    "PROCESSOR",
    "SEGMENTS",
    "Accepted",
    "Asked",
    "Cursor",
    "Facet",
    "Rules",
    "RulesFiles",
    "RulesInForce",
    "TimelineEntry",
    "TimelineFilter",
    "TimelinePage",
    "accepted_of",
    "every_subject",
    "facets",
    "find_subject",
    "load_rules",
    "profile_views",
    "selection",
    "subject_of",
    "timeline",
    "version",
    "work",
]
