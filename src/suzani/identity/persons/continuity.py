"""Which person keeps which id when records are resolved again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def keep_ids(cluster: Ints, *claims: Ints) -> Ints:
    """The person of every record, 0 where its cluster needs a new id.

    `cluster`: 0-based cluster of every record. Each of `claims` says which person every record speaks for, 0
    for none: its person so far, say; earlier claims go first, and later ones settle what these left open. In
    one claim, a cluster and a person go together when each is the other's largest overlap; ties go to the
    older person and to the lower cluster. An id goes to one cluster at most. Pure.
    """
    kept = np.zeros(int(cluster.max(initial=-1)) + 1, dtype=np.int64)
    for claim in claims:
        open_ = (claim > 0) & (kept[cluster] == 0)
        if kept.any():
            open_ &= ~np.isin(claim, kept)
        clusters, persons = _mutual(cluster[open_], claim[open_])
        kept[clusters] = persons
    return kept[cluster]


def _mutual(cluster: Ints, person: Ints) -> tuple[Ints, Ints]:
    """Clusters and persons that are each other's largest overlap."""
    known, code = np.unique(person, return_inverse=True)
    pairs, overlap = np.unique(cluster * max(len(known), 1) + code, return_counts=True)
    if not len(pairs):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    clusters, persons = pairs // len(known), known[pairs % len(known)]
    if len(pairs) == len(known) and (clusters[1:] != clusters[:-1]).all():
        return clusters, persons
    best_person = _best(clusters, np.lexsort((persons, -overlap, clusters)))
    best_cluster = _best(persons, np.lexsort((clusters, -overlap, persons)))
    mutual = np.intersect1d(best_person, best_cluster)
    return clusters[mutual], persons[mutual]


def _best(group: Ints, order: Ints) -> Ints:
    """For each group the first index of `order` that belongs to it."""
    ordered = group[order]
    return np.asarray(order[np.append(True, ordered[1:] != ordered[:-1])])
