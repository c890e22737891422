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
def settle(cluster: Ints, claim: Ints, person: Ints) -> Ints:
    """The person of every record, 0 where its cluster keeps none, once claims (one per record, 0: none) have
    settled what is open in `person`; `cluster`: numbers from 0 on.

    A cluster and a person go together when each is the other's largest overlap; ties go to the older person
    and to the lower cluster.
    """
    kept = np.zeros(cluster.max() + 1 if len(cluster) else 0, dtype=np.int64)
    kept[cluster] = person
    clusters, claimed = _open_claims(cluster, claim, kept)
    persons = np.unique(claimed)
    pairs = np.sort(clusters * len(persons) + np.searchsorted(persons, claimed))
    most_of_cluster, most_of_person = np.zeros_like(kept), np.zeros_like(persons)
    best_person, best_cluster = np.empty_like(kept), np.empty_like(persons)
    first = 0
    for end in range(1, len(pairs) + 1):
        if end < len(pairs) and pairs[end] == pairs[first]:
            continue
        # In the order of clusters and, of each, of persons: what comes later must have more.
        own, one = pairs[first] // len(persons), pairs[first] % len(persons)
        if end - first > most_of_cluster[own]:
            most_of_cluster[own], best_person[own] = end - first, one
        if end - first > most_of_person[one]:
            most_of_person[one], best_cluster[one] = end - first, own
        first = end
    for one in range(len(persons)):
        own = best_cluster[one]
        if best_person[own] == one:
            kept[own] = persons[one]
    return kept[cluster]


@kernel
def ranks(labels: Ints) -> Ints:
    """The place of each label among all that there are: 0 for the lowest."""
    found = np.empty_like(labels)
    order = np.argsort(labels, kind="mergesort")
    rank = 0
    for i in range(len(order)):
        rank += i > 0 and labels[order[i]] != labels[order[i - 1]]
        found[order[i]] = rank
    return found


@kernel
def number_new(cluster: Ints, person: Ints) -> Ints:
    """The person of every record, -1, -2, ... where there is none yet: one for each cluster in order."""
    numbers = np.zeros(cluster.max() + 1 if len(cluster) else 0, dtype=np.int64)
    for row in range(len(cluster)):
        if person[row] == 0:
            numbers[cluster[row]] = 1
    numbers = -np.cumsum(numbers)
    numbered = person.copy()
    for row in range(len(cluster)):
        if person[row] == 0:
            numbered[row] = numbers[cluster[row]]
    return numbered
