"""The levels of likeness: how alike two values of a field are, as a small integer.

Level 0 means that one side is missing (no evidence), 1 that the values differ, and the highest level of a
kind that they are the same. How a level is told is in `kernels.levels`; what it is worth is for the model to
learn.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from suzani.kernel import Kind

Levels = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]

MISSING, DIFFERENT = 0, 1
_NAME = ("missing", "different", "initial", "similar", "near", "same form", "exact")

LABELS: Mapping[Kind, tuple[str, ...]] = {
    Kind.GIVEN_NAME: _NAME,
    Kind.FAMILY_NAME: _NAME,
    Kind.PATRONYMIC: _NAME,
    Kind.SEX: ("missing", "different", "exact"),
    Kind.GENERATION: ("missing", "different", "exact"),
    Kind.BIRTH_DATE: (
        "missing",
        "different",
        "same month and day",
        "same year",
        "two slips",
        "one slip",
        "exact",
    ),
    Kind.NATIONAL_ID: ("missing", "different", "two slips", "one slip", "exact"),
    Kind.DOCUMENT: ("missing", "different", "two slips", "one slip", "exact"),
    Kind.PHONE: ("missing", "different", "one slip", "same ending", "exact"),
    Kind.EMAIL: ("missing", "different", "similar", "same mailbox name", "near", "exact"),
    Kind.POSTCODE: ("missing", "different", "same area", "one slip", "exact"),
    Kind.ADDRESS: ("missing", "different", "weak", "similar", "near", "contained", "exact"),
    Kind.ORGANISATION: ("missing", "different", "weak", "similar", "near", "contained", "exact"),
    Kind.CITY: ("missing", "different", "similar", "near", "exact"),
    Kind.REGION: ("missing", "different", "similar", "near", "exact"),
    Kind.COUNTRY: ("missing", "different", "similar", "near", "exact"),
    Kind.OCCUPATION: ("missing", "different", "similar", "near", "exact"),
    Kind.TEXT: ("missing", "different", "weak", "similar", "near", "contained", "exact"),
}
"""The names of each kind's levels, by level."""


def level_count(kind: Kind) -> int:
    """Number of levels of a kind, missing included."""
    return len(LABELS[kind])
