"""Identifiers held by too many different people to tell any of them: an agent's phone, a made-up number."""

from __future__ import annotations

import numpy as np

from suzani.identity.standardising.field import Field
from suzani.identity.values.dictionary import compact, recode
from suzani.identity.values.names import phonetic_keys

SHARED_BY = 12
"""An identifier held under this many family names is a placeholder or an agent's, not evidence."""


def shared_values(field: Field, family: Field) -> tuple[str, ...]:
    """The values of a field held under more than 12 family names that sound different, sorted."""
    size = len(field.texts)
    shared = np.zeros(size, dtype=bool)
    for column in field.codes.T:
        often = np.append(np.bincount(column[column >= 0], minlength=size) > SHARED_BY, False)
        rows = np.flatnonzero(often[column] & (family.codes[:, 0] >= 0))
        used, at = compact(family.codes[rows, 0], len(family.texts))
        sounds = recode(phonetic_keys(family.said(used)), at).codes
        rows, sounds = rows[sounds >= 0], sounds[sounds >= 0]
        pairs = np.unique(column[rows].astype(np.int64) << 32 | sounds)
        shared |= np.bincount(pairs >> 32, minlength=size) > SHARED_BY
    return tuple(sorted(field.said(np.flatnonzero(shared))))
