"""What customers do: events take effect on profiles, and are read back as a timeline."""

from suzani.activity.timeline import facets, subject_of, timeline, version
from suzani.activity.types import Cursor, Facet, TimelineEntry, TimelineFilter, TimelinePage

__all__ = [
    "Cursor",
    "Facet",
    "TimelineEntry",
    "TimelineFilter",
    "TimelinePage",
    "facets",
    "subject_of",
    "timeline",
    "version",
]
