"""Identifiers held by too many different people to tell any of them: an agent's phone, a made-up number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from suzani.identity.dictionary import Codes, recode
from suzani.identity.names import phonetic_keys

SHARED_BY = 12
"""An identifier held under this many family names is a placeholder or an agent's, not evidence."""


def shared_values(
    values: Sequence[str], codes: Codes, families: Sequence[str], family: npt.NDArray[np.int32]
) -> tuple[str, ...]:
    """The values held under more than 12 family names that sound different, sorted.

    `codes` (rows × alternatives) point into `values`, `family` (per row) into `families`; -1 is missing.
    """
    shared: set[int] = set()
    for column in codes.T:
        held = np.bincount(column[column >= 0], minlength=len(values))
        often = np.append(held > SHARED_BY, False)
        rows = np.flatnonzero(often[column] & (family >= 0))
        used, at = np.unique(family[rows], return_inverse=True)
        sounds = recode(phonetic_keys([families[code] for code in used.tolist()]), at.astype(np.int32)).codes
        rows, sounds = rows[sounds >= 0], sounds[sounds >= 0]
        pairs = np.unique(column[rows].astype(np.int64) << 32 | sounds)
        people = np.bincount(pairs >> 32, minlength=len(values))
        shared.update(np.flatnonzero(people > SHARED_BY).tolist())
    return tuple(sorted(values[code] for code in shared))
