"""Which cluster of records goes on as which person."""

from __future__ import annotations

import numpy as np

from suzani.identity.kernels.arrays import Ints
from suzani.identity.kernels.compiling import kernel


@kernel
def _open_claims(cluster: Ints, claim: Ints, kept: Ints) -> tuple[Ints, Ints]:
    """Clusters and persons of the claims that may still be settled: neither goes with another yet."""
    taken = np.sort(kept[kept > 0])
    clusters, persons = np.empty_like(cluster), np.empty_like(claim)
    n = 0
    for row in range(len(cluster)):
        if claim[row] <= 0 or kept[cluster[row]]:
            continue
        at = np.searchsorted(taken, claim[row]) if len(taken) else 0
        if at == len(taken) or taken[at] != claim[row]:
            clusters[n], persons[n] = cluster[row], claim[row]
            n += 1
    return clusters[:n], persons[:n]


@kernel
def settle(cluster: Ints, claim: Ints, kept: Ints) -> None:
    """Let clusters keep the persons that claims (one per record, 0: none) give them; `kept`: the person of
    each cluster, 0 where that is open, which is filled in.

    A cluster and a person go together when each is the other's largest overlap; ties go to the older person
    and to the lower cluster.
    """
    clusters, claimed = _open_claims(cluster, claim, kept)
    if not len(clusters):
        return
    persons = np.unique(claimed)
    pairs = np.sort(clusters * len(persons) + np.searchsorted(persons, claimed))
    most_of_cluster, most_of_person = np.zeros_like(kept), np.zeros_like(persons)
    best_person, best_cluster = np.empty_like(kept), np.empty_like(persons)
    first = 0
    for end in range(1, len(pairs) + 1):
        if end < len(pairs) and pairs[end] == pairs[first]:
            continue
        # In the order of clusters and, of each, of persons: what comes later must have more.
        own, person = pairs[first] // len(persons), pairs[first] % len(persons)
        if end - first > most_of_cluster[own]:
            most_of_cluster[own], best_person[own] = end - first, person
        if end - first > most_of_person[person]:
            most_of_person[person], best_cluster[person] = end - first, own
        first = end
    for person in range(len(persons)):
        own = best_cluster[person]
        if best_person[own] == person:
            kept[own] = persons[person]
