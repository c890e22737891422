from __future__ import annotations

from itertools import combinations
from random import Random

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.kernels.linkage import FORBIDDEN
from suzani.identity.pairs.sparse import average_linkage, tie_rank

Ints = npt.NDArray[np.int64]
Graph = tuple[int, list[tuple[int, int]], list[float]]
UNSCORED = -6.0


@st.composite
def graphs(draw: st.DrawFn, *, forbidden: bool = False) -> Graph:
    """Rows, distinct pairs and their odds in bits.

    Odds are multiples of 1/64 with few ties, so that sums are exact whatever their order.
    """
    rows = draw(st.integers(1, 12))
    pairs = list(combinations(range(rows), 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    bits = st.integers(-640, 640).map(lambda value: value / 64)
    odds = st.one_of(bits, st.just(FORBIDDEN)) if forbidden else bits
    return rows, chosen, draw(st.lists(odds, min_size=len(chosen), max_size=len(chosen)))


def arrays(graph: Graph) -> tuple[int, Ints, Ints, npt.NDArray[np.float64]]:
    rows, pairs, odds = graph
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return rows, ends[:, 0], ends[:, 1], np.array(odds, dtype=np.float64)


def linked(graph: Graph) -> list[int]:
    rows, left, right, odds = arrays(graph)
    label: list[int] = average_linkage(rows, left, right, odds, cut_bits=0.0, unscored_bits=UNSCORED).tolist()
    return label


def tied(a: int, b: int) -> int:
    return int(tie_rank(np.array([a]), np.array([b]))[0])


def slow_average_linkage(graph: Graph) -> list[int]:
    """One join at a time, the best first, everything computed anew."""
    rows, pairs, odds = graph
    scored = dict(zip(pairs, odds, strict=True))
    clusters = [[row] for row in range(rows)]

    def average(one: list[int], other: list[int]) -> float:
        total = sum(scored.get((min(a, b), max(a, b)), UNSCORED) for a in one for b in other)
        return total / (len(one) * len(other))

    while True:
        ranked = sorted(
            (-average(one, other), tied(min(one), min(other)), i, j)
            for (i, one), (j, other) in combinations(enumerate(clusters), 2)
            if min(one) < min(other)
        )
        if not ranked or -ranked[0][0] <= 0.0:
            break
        _, _, i, j = ranked[0]
        clusters[i] += clusters.pop(j)
        clusters.sort(key=min)
    label = [0] * rows
    for cluster in clusters:
        for row in cluster:
            label[row] = min(cluster)
    return label


def test_no_pairs_leave_every_row_alone() -> None:
    nothing = np.empty(0, dtype=np.int64)
    label = average_linkage(3, nothing, nothing, np.empty(0), cut_bits=0, unscored_bits=-6)
    assert label.tolist() == [0, 1, 2]
    assert len(average_linkage(0, nothing, nothing, np.empty(0), cut_bits=0, unscored_bits=-6)) == 0


@given(graphs())
def test_linkage_in_rounds_agrees_with_one_join_at_a_time(graph: Graph) -> None:
    assert linked(graph) == slow_average_linkage(graph)


@given(graphs(forbidden=True))
def test_a_forbidden_pair_is_never_together(graph: Graph) -> None:
    label = linked(graph)
    for (a, b), odds in zip(graph[1], graph[2], strict=True):
        assert odds != FORBIDDEN or label[a] != label[b]


@given(graphs(forbidden=True), st.randoms())
def test_the_order_and_direction_of_the_edges_do_not_matter(graph: Graph, shuffler: Random) -> None:
    rows, pairs, odds = graph
    shuffled = list(zip(pairs, odds, strict=True))
    shuffler.shuffle(shuffled)
    turned = [((b, a) if (a + b) % 2 else (a, b), bits) for (a, b), bits in shuffled]
    assert linked((rows, [pair for pair, _ in turned], [bits for _, bits in turned])) == linked(graph)


@given(graphs(forbidden=True))
def test_a_label_is_the_smallest_row_of_its_cluster(graph: Graph) -> None:
    label = linked(graph)
    assert all(label[row] <= row and label[label[row]] == label[row] for row in range(graph[0]))


def test_a_wrong_edge_between_two_persons_is_outvoted() -> None:
    together = [(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5)]
    across = [(a, b) for a in (0, 1, 2) for b in (3, 4, 5)]
    odds = [8.0] * 6 + [3.0 if pair == (2, 3) else -8.0 for pair in across]
    assert linked((6, together + across, odds)) == [0, 0, 0, 3, 3, 3]


def test_a_forbidden_pair_parts_what_a_third_record_would_join() -> None:
    label = linked((3, [(0, 1), (1, 2), (0, 2)], [9.0, 8.0, FORBIDDEN]))
    assert label == [0, 0, 2]
