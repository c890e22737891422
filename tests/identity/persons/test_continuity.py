from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.persons.continuity import keep_ids


def kept(cluster: list[int], *claims: list[int]) -> list[int]:
    arrays = [np.array(claim, dtype=np.int64) for claim in claims]
    return [int(person) for person in keep_ids(np.array(cluster, dtype=np.int64), *arrays)]


def test_unchanged_clusters_keep_their_ids() -> None:
    assert kept([0, 0, 1, 2, 2], [70, 70, 12, 55, 55]) == [70, 70, 12, 55, 55]


def test_new_records_join_the_person_they_belong_to() -> None:
    assert kept([0, 0, 1], [7, 0, 0]) == [7, 7, 0]


def test_in_a_merge_the_person_with_most_records_stays() -> None:
    assert kept([0, 0, 0], [5, 9, 9]) == [9, 9, 9]


def test_in_a_merge_of_equals_the_older_person_stays() -> None:
    assert kept([0, 0], [9, 5]) == [5, 5]


def test_after_a_split_the_larger_part_keeps_the_id() -> None:
    assert kept([0, 1, 1], [5, 5, 5]) == [0, 5, 5]


def test_after_a_split_in_halves_the_first_cluster_keeps_the_id() -> None:
    assert kept([0, 0, 1, 1], [5, 5, 5, 5]) == [5, 5, 0, 0]


def test_a_record_that_moves_takes_no_id_along() -> None:
    assert kept([0, 0, 1, 1, 1], [5, 5, 5, 8, 8]) == [5, 5, 8, 8, 8]


def test_only_new_records_need_only_new_ids() -> None:
    assert kept([0, 1, 1], [0, 0, 0]) == [0, 0, 0]


def test_no_records_change_nothing() -> None:
    assert kept([], []) == []


def test_an_earlier_claim_goes_before_a_larger_overlap() -> None:
    assert kept([0, 1, 1], [5, 0, 0], [5, 5, 5]) == [5, 0, 0]


def test_a_later_claim_settles_what_an_earlier_one_left_open() -> None:
    assert kept([0, 1, 1], [5, 5, 5], [3, 3, 3]) == [3, 5, 5]
    assert kept([0, 1, 1], [0, 7, 7], [7, 5, 5]) == [0, 7, 7]


HISTORY = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6)), max_size=20).map(
    lambda rows: [(sorted({c for c, _, _ in rows}).index(c), a, b) for c, a, b in rows]
)


@given(HISTORY)
def test_every_cluster_has_one_id_and_every_id_one_cluster(history: list[tuple[int, int, int]]) -> None:
    cluster = [c for c, _, _ in history]
    result = kept(cluster, [a for _, a, _ in history], [b for _, _, b in history])
    of_cluster: dict[int, set[int]] = {}
    for c, person in zip(cluster, result, strict=True):
        of_cluster.setdefault(c, set()).add(person)
    assert all(len(persons) == 1 for persons in of_cluster.values())
    used = Counter(person for persons in of_cluster.values() for person in persons if person)
    assert all(count == 1 for count in used.values())


@given(HISTORY)
def test_ids_come_from_records_of_the_cluster(history: list[tuple[int, int, int]]) -> None:
    cluster = [c for c, _, _ in history]
    result = kept(cluster, [a for _, a, _ in history], [b for _, _, b in history])
    claimed = {(c, person) for c, a, b in history for person in (a, b)}
    assert all(person == 0 or (c, person) in claimed for c, person in zip(cluster, result, strict=True))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=15))
def test_keeping_ids_of_the_same_clusters_changes_nothing(clusters: list[int]) -> None:
    cluster = [sorted(set(clusters)).index(c) for c in clusters]
    before = [100 + c for c in cluster]
    assert kept(cluster, before) == before
