from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.persons.constraints import (
    Groups,
    Link,
    among,
    apart,
    chain,
    find_contradiction,
    link,
    rows_of,
)
from suzani.identity.persons.settling import Evidence, settle
from suzani.identity.persons.types import Kind

LINKS = st.lists(
    st.builds(link, st.sampled_from(Kind), st.integers(0, 9), st.integers(0, 9)).filter(
        lambda item: item.a < item.b
    ),
    max_size=14,
)
NO_EVIDENCE = Evidence(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def settled(
    person: dict[int, int],
    links: list[Link],
    evidence: dict[tuple[int, int], float] | None = None,
) -> list[set[int]]:
    """Clusters of records, largest first."""
    record_id = np.array(sorted(person), dtype=np.int64)
    pairs = sorted(evidence or {})
    scored = Evidence(
        np.array([a for a, _ in pairs], dtype=np.int64),
        np.array([b for _, b in pairs], dtype=np.int64),
        np.array([(evidence or {})[pair] for pair in pairs]),
    )
    must, cannot = among(links, record_id)
    label = settle(record_id, np.array([person[r] for r in sorted(person)]), must, cannot, scored)
    clusters: dict[int, set[int]] = {}
    for record, cluster in zip(record_id.tolist(), label.tolist(), strict=True):
        clusters.setdefault(cluster, set()).add(record)
    assert all(cluster == min(members) for cluster, members in clusters.items())
    return sorted(clusters.values(), key=lambda members: (-len(members), min(members)))


def test_a_contradiction_names_the_shortest_way_between() -> None:
    links = [
        Link(Kind.MUST, 1, 2, 10),
        Link(Kind.MUST, 2, 3, 11),
        Link(Kind.MUST, 3, 4, 12),
        Link(Kind.MUST, 1, 3, 13),
        Link(Kind.CANNOT, 1, 4, 14),
    ]
    found = find_contradiction(links)
    assert found is not None
    assert found.cannot.constraint_id == 14
    assert [item.constraint_id for item in found.path] == [13, 12]


@given(LINKS)
def test_there_is_a_contradiction_exactly_when_a_group_has_a_cannot_link_inside(links: list[Link]) -> None:
    groups = Groups(links)
    broken = [item for item in links if item.kind is Kind.CANNOT and groups.of(item.a) == groups.of(item.b)]
    found = find_contradiction(links)
    assert (found is None) == (not broken)
    if found is not None:
        ends = [record for item in found.path for record in (item.a, item.b)]
        assert sorted(r for r in set(ends) if ends.count(r) % 2) == [found.cannot.a, found.cannot.b]
        assert {item.kind for item in found.path} == {Kind.MUST}


@given(LINKS, st.sets(st.integers(0, 9)))
def test_among_live_records_the_same_is_said(links: list[Link], live: set[int]) -> None:
    if find_contradiction(links) is not None:
        return
    must, cannot = among(links, np.array(sorted(live), dtype=np.int64))
    assert {record for pair in must + cannot for record in pair} <= live
    groups, reduced = Groups(links), Groups(link(Kind.MUST, a, b) for a, b in must)
    barred = {frozenset((groups.of(i.a), groups.of(i.b))) for i in links if i.kind is Kind.CANNOT}
    left = {frozenset((reduced.of(a), reduced.of(b))) for a, b in cannot}
    for a, b in combinations(sorted(live), 2):
        assert (groups.of(a) == groups.of(b)) == (reduced.of(a) == reduced.of(b))
        assert (frozenset((groups.of(a), groups.of(b))) in barred) == (
            frozenset((reduced.of(a), reduced.of(b))) in left
        )


def test_pairs_of_records_become_pairs_of_rows() -> None:
    left, right = rows_of(np.array([5, 7, 9]), [(5, 9), (7, 9)])
    assert (left.tolist(), right.tolist()) == ([0, 1], [2, 2])
    left, right = rows_of(np.array([5, 7, 9]), [])
    assert (left.tolist(), right.tolist()) == ([], [])


def test_a_chain_has_one_link_less_than_records() -> None:
    assert chain([3, 1, 2]) == [Link(Kind.MUST, 1, 2), Link(Kind.MUST, 2, 3)]
    assert chain([3]) == []
    assert apart([[1, 2], [3]]) == [Link(Kind.CANNOT, 1, 3), Link(Kind.CANNOT, 2, 3)]


def test_must_links_join_whole_persons() -> None:
    assert settled({1: 1, 2: 1, 3: 3, 4: 3, 5: 5}, [link(Kind.MUST, 2, 3)]) == [{1, 2, 3, 4}, {5}]


def test_the_rest_follows_the_nearer_side_and_what_is_near_to_it() -> None:
    near = {(1, 3): 9.0, (3, 4): 8.0, (2, 5): 7.0, (1, 5): -3.0}
    assert settled(dict.fromkeys(range(1, 6), 1), [link(Kind.CANNOT, 1, 2)], near) == [{1, 3, 4}, {2, 5}]


def test_without_evidence_the_rest_stays_with_the_larger_side() -> None:
    links = [link(Kind.MUST, 2, 3), link(Kind.CANNOT, 1, 2)]
    assert settled(dict.fromkeys(range(1, 6), 1), links) == [{2, 3, 4, 5}, {1}]


def test_named_records_that_nothing_keeps_apart_stay_together() -> None:
    links = apart([[1, 2], [3, 4]])
    assert settled(dict.fromkeys(range(1, 5), 1), links) == [{1, 2}, {3, 4}]


def test_three_that_all_differ_part_into_three() -> None:
    links = apart([[1], [2], [3]])
    assert settled(dict.fromkeys(range(1, 5), 1), links, {(3, 4): 1.0}) == [{3, 4}, {1}, {2}]


@given(LINKS, st.lists(st.integers(0, 3), min_size=10, max_size=10))
def test_what_is_settled_holds_and_touches_nothing_else(links: list[Link], person: list[int]) -> None:
    if find_contradiction(links) is not None:
        return
    clusters = settled(dict(enumerate(person)), links)
    cluster_of = {record: number for number, members in enumerate(clusters) for record in members}
    for item in links:
        assert (cluster_of[item.a] == cluster_of[item.b]) == (item.kind is Kind.MUST)
    named = {person[record] for item in links for record in (item.a, item.b)}
    for label in set(person) - named:
        assert {record for record in range(10) if person[record] == label} in clusters
