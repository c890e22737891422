from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.continuity import Continuity, keep_ids


def kept(cluster: list[int], before: list[int]) -> Continuity:
    return keep_ids(np.array(cluster, dtype=np.int64), np.array(before, dtype=np.int64))


def retired(result: Continuity) -> dict[int, int]:
    """The cluster that took over, by retired person."""
    return dict(zip(result.retired.tolist(), result.merged_into_cluster.tolist(), strict=True))


def test_unchanged_clusters_keep_their_ids() -> None:
    result = kept([0, 0, 1, 2, 2], [70, 70, 12, 55, 55])
    assert result.person_id.tolist() == [70, 70, 12, 55, 55]
    assert not retired(result)


def test_new_records_join_the_person_they_belong_to() -> None:
    assert kept([0, 0, 1], [7, 0, 0]).person_id.tolist() == [7, 7, 0]


def test_in_a_merge_the_person_with_most_records_stays() -> None:
    result = kept([0, 0, 0], [5, 9, 9])
    assert result.person_id.tolist() == [9, 9, 9]
    assert retired(result) == {5: 0}


def test_in_a_merge_of_equals_the_older_person_stays() -> None:
    result = kept([0, 0], [9, 5])
    assert result.person_id.tolist() == [5, 5]
    assert retired(result) == {9: 0}


def test_after_a_split_the_larger_part_keeps_the_id() -> None:
    result = kept([0, 1, 1], [5, 5, 5])
    assert result.person_id.tolist() == [0, 5, 5]
    assert not retired(result)


def test_after_a_split_in_halves_the_first_cluster_keeps_the_id() -> None:
    assert kept([0, 0, 1, 1], [5, 5, 5, 5]).person_id.tolist() == [5, 5, 0, 0]


def test_a_record_that_moves_takes_no_id_along() -> None:
    result = kept([0, 0, 1, 1, 1], [5, 5, 5, 8, 8])
    assert result.person_id.tolist() == [5, 5, 8, 8, 8]
    assert not retired(result)


def test_only_new_records_need_only_new_ids() -> None:
    result = kept([0, 1, 1], [0, 0, 0])
    assert result.person_id.tolist() == [0, 0, 0]
    assert not retired(result)


def test_no_records_change_nothing() -> None:
    result = kept([], [])
    assert len(result.person_id) == len(result.retired) == 0


HISTORY = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20).map(
    lambda rows: [(sorted({c for c, _ in rows}).index(c), b) for c, b in rows]
)


@given(HISTORY)
def test_every_person_is_one_cluster_or_retired_and_never_both(history: list[tuple[int, int]]) -> None:
    cluster, before = [c for c, _ in history], [b for _, b in history]
    result = kept(cluster, before)
    of_cluster: dict[int, set[int]] = {}
    for c, person in zip(cluster, result.person_id.tolist(), strict=True):
        of_cluster.setdefault(c, set()).add(person)
    assert all(len(persons) == 1 for persons in of_cluster.values())
    used = Counter(person for persons in of_cluster.values() for person in persons if person)
    assert all(count == 1 for count in used.values())
    assert set(used) | set(retired(result)) == {person for person in before if person}
    assert not set(used) & set(retired(result))
    assert len(retired(result)) == len(result.retired)


@given(HISTORY)
def test_ids_stay_or_come_from_records_of_the_cluster(history: list[tuple[int, int]]) -> None:
    cluster, before = [c for c, _ in history], [b for _, b in history]
    result = kept(cluster, before)
    for c, person in zip(cluster, result.person_id.tolist(), strict=True):
        assert person == 0 or (c, person) in history
    for person, c in retired(result).items():
        assert (c, person) in history


@given(st.lists(st.integers(0, 6), min_size=1, max_size=15))
def test_keeping_ids_of_the_same_clusters_changes_nothing(clusters: list[int]) -> None:
    cluster = [sorted(set(clusters)).index(c) for c in clusters]
    before = [100 + c for c in cluster]
    result = kept(cluster, before)
    assert result.person_id.tolist() == before
    assert not retired(result)
