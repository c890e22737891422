"""What every capability shares: errors, time, the attributes of a person, and what was used lately."""

from suzani.kernel.attributes import ATTRIBUTES, Attribute, Kind
from suzani.kernel.clock import now
from suzani.kernel.errors import (
    Busy,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    SuzaniError,
    TooMany,
    Unauthorised,
    Unavailable,
)
from suzani.kernel.recent import Recent

__all__ = [
    "ATTRIBUTES",
    "Attribute",
    "Busy",
    "Conflict",
    "Forbidden",
    "InvalidInput",
    "Kind",
    "NotFound",
    "Recent",
    "SuzaniError",
    "TooMany",
    "Unauthorised",
    "Unavailable",
    "now",
]
