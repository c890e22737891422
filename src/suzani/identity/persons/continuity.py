"""Which person keeps which id when records are resolved again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels import keeping

Ints = npt.NDArray[np.int64]


def keep_ids(cluster: Ints, *claims: Ints) -> Ints:
    """The person of every record, 0 where its cluster needs a new id.

    `cluster`: 0-based cluster of every record. Each of `claims` says which person every record speaks for, 0
    for none: its person so far, say; earlier claims go first, and later ones settle what these left open. In
    one claim, a cluster and a person go together when each is the other's largest overlap; ties go to the
    older person and to the lower cluster. An id goes to one cluster at most. Pure.
    """
    person = np.zeros_like(cluster)
    for claim in claims:
        person = keeping.settle(cluster, claim, person)
    return person
