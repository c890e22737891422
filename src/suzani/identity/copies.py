"""Records that are copies of one another, field for field.

A few copies are ordinary duplicates and go through matching like any others. A great many (a test record,
a default filled in by a form) would make blocks of millions of pairs that all say the same, so one record
stands for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.fields import Field

Rows = npt.NDArray[np.int64]

MANY = 20
"""From this many copies on, one record stands for all."""


@dataclass(frozen=True)
class Copies:
    """`originals`: rows to be matched; `copies`: all other rows, in groups in the order of their originals;
    `counted`: how many copies each original stands for."""

    originals: Rows
    copies: Rows
    counted: Rows


def find_copies(fields: Sequence[Field], rows: int) -> Copies:
    """Group the copies among rows in canonical order, where equal rows are neighbours."""
    is_new = np.ones(rows, dtype=bool)
    if fields and rows:
        is_new[1:] = False
        for field in fields:
            is_new[1:] |= (field.codes[1:] != field.codes[:-1]).any(axis=1)
    starts = np.flatnonzero(is_new)
    sizes = np.diff(np.append(starts, rows))
    many = sizes >= MANY
    is_copy = np.repeat(many, sizes) & ~is_new
    originals = np.flatnonzero(~is_copy)
    counted = np.zeros(len(originals), dtype=np.int64)
    counted[np.searchsorted(originals, starts[many])] = sizes[many] - 1
    return Copies(originals, np.flatnonzero(is_copy), counted)
