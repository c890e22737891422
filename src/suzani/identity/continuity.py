"""Which person keeps which id when the records are resolved again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Continuity:
    """`person_id` per record, 0 where a new id is needed (`cluster` tells which records share one);
    `retired` persons, and the person that got most of each one's records (0 for none: all records went)."""

    person_id: Ints
    retired: Ints
    merged_into_cluster: Ints


def keep_ids(cluster: Ints, before: Ints) -> Continuity:
    """Match clusters with the persons their records belonged to.

    `cluster`: 0-based cluster of every record; `before`: its person so far, 0 for a new record. A cluster and
    a person go together when each is the other's largest overlap; ties go to the older person and to the
    lower cluster. Pure.
    """
    known = before > 0
    pairs, overlap = np.unique(np.stack([cluster[known], before[known]], axis=1), axis=0, return_counts=True)
    if not len(pairs):
        return Continuity(np.zeros(len(cluster), np.int64), np.empty(0, np.int64), np.empty(0, np.int64))
    clusters, persons = pairs[:, 0], pairs[:, 1]
    best_person = _best(clusters, np.lexsort((persons, -overlap, clusters)))
    best_cluster = _best(persons, np.lexsort((clusters, -overlap, persons)))
    mutual = np.intersect1d(best_person, best_cluster)
    kept = np.zeros(int(cluster.max()) + 1, dtype=np.int64)
    kept[clusters[mutual]] = persons[mutual]
    lost = np.setdiff1d(best_cluster, mutual)
    return Continuity(kept[cluster], persons[lost], clusters[lost])


def _best(group: Ints, order: Ints) -> Ints:
    """For each group the first index of `order` that belongs to it."""
    ordered = group[order]
    return np.asarray(order[np.append(True, ordered[1:] != ordered[:-1])])
