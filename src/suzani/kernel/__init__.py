"""What every capability shares: errors, time and the attributes of a person."""

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

__all__ = [
    "ATTRIBUTES",
    "Attribute",
    "Busy",
    "Conflict",
    "Forbidden",
    "InvalidInput",
    "Kind",
    "NotFound",
    "SuzaniError",
    "TooMany",
    "Unauthorised",
    "Unavailable",
    "now",
]
