from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suzani.identity.kernels.linkage import FORBIDDEN, _under_constraints, components
from suzani.identity.learning.engine import Options
from suzani.identity.pairs.partition import average_linkage
from suzani.identity.reasons.assembly import Apart, Joined, JoinStep, Odds, Pair, Restraints, replay
from suzani.identity.reasons.nearest import gaps, prevented

OPTIONS = Options()
BITS = st.floats(-20, 40).map(lambda bits: round(bits, 2))


@st.composite
def people(draw: st.DrawFn) -> tuple[list[int], dict[Pair, float]]:
    """Records and odds of some of their pairs."""
    records = sorted(draw(st.sets(st.integers(1, 500), min_size=1, max_size=9)))
    pairs = draw(st.lists(st.sampled_from(list(combinations(records, 2)) or [(0, 0)]), unique=True))
    odds = {pair: draw(BITS) for pair in pairs if pair[0]}
    return records, odds


def groups_after(steps: tuple[JoinStep, ...], records: list[int]) -> set[tuple[int, ...]]:
    """The groups that the steps leave, each step being checked to join two that were there."""
    groups = {(record,) for record in records}
    for step in steps:
        if step.because is Joined.COPIES:
            parts = {step.left, *((leaf,) for leaf in step.right)}
        else:
            parts = {step.left, step.right}
        assert parts <= groups
        groups = groups - parts | {tuple(sorted(step.left + step.right))}
    return groups


@given(people())
def test_the_steps_make_one_person_of_all_records(case: tuple[list[int], dict[Pair, float]]) -> None:
    records, odds = case
    steps = replay(records, odds, (), OPTIONS)
    assert groups_after(steps, records) == {tuple(records)}
    assert [step.order for step in steps] == list(range(1, len(steps) + 1))


@given(people(), st.randoms())
def test_the_order_of_records_and_edges_does_not_matter(
    case: tuple[list[int], dict[Pair, float]], random: np.random.Generator
) -> None:
    records, odds = case
    mixed, pairs = list(records), list(odds.items())
    random.shuffle(mixed)
    random.shuffle(pairs)
    assert replay(mixed, dict(pairs), (), OPTIONS) == replay(records, odds, (), OPTIONS)


@given(people())
def test_steps_by_evidence_come_strongest_first(case: tuple[list[int], dict[Pair, float]]) -> None:
    steps = replay(*case, (), OPTIONS)
    averages = [step.average_bits for step in steps if step.because is Joined.EVIDENCE]
    assert all(later <= earlier + 0.011 for earlier, later in pairwise(averages))


@given(people())
def test_a_step_tells_its_strongest_and_weakest_pair(case: tuple[list[int], dict[Pair, float]]) -> None:
    records, odds = case
    for step in replay(records, odds, (), OPTIONS):
        known = [
            odds[min(a, b), max(a, b)]
            for a in step.left
            for b in step.right
            if (min(a, b), max(a, b)) in odds
        ]
        assert step.strongest.odds_bits == max(known, default=None)
        assert step.weakest.odds_bits == min(known, default=None)


@given(people(), st.integers(0, 10**6))
def test_the_replay_joins_what_linkage_joined(case: tuple[list[int], dict[Pair, float]], seed: int) -> None:
    """Evidence joins within each cluster of linkage, and none of it was held from before (without ties)."""
    records, pairs = case
    drawn = np.random.default_rng(seed).uniform(-14.5, 14.5, len(pairs))
    odds = dict(zip(pairs, drawn.tolist(), strict=True))
    places = {record: place for place, record in enumerate(records)}
    left = np.array([places[a] for a, _ in odds], np.int64)
    right = np.array([places[b] for _, b in odds], np.int64)
    clipped = np.clip(np.array(list(odds.values()), np.float64), -15, 15)
    label = average_linkage(
        len(records), left, right, clipped, cut_bits=0.0, unscored_bits=OPTIONS.unscored_bits
    )
    for cluster in np.unique(label):
        own = [record for record in records if label[places[record]] == cluster]
        assert {step.because for step in replay(own, odds, (), OPTIONS)} <= {Joined.EVIDENCE}


@st.composite
def restrained(draw: st.DrawFn) -> tuple[np.ndarray, list[Pair], list[Pair]]:
    """Odds between a few records with many ties, also among what is clipped; must-links; and cannot-links
    that do not contradict them."""
    count = draw(st.integers(2, 7))
    odds = np.zeros((count, count))
    pairs = list(combinations(range(count), 2))
    for a, b in pairs:
        # No average of these lies so near to the cut that rounding could decide.
        odds[a, b] = draw(st.sampled_from((-30, -9, -4, -2, 1, 2, 4, 16, 20))) + 0.27
    must = draw(st.lists(st.sampled_from(pairs), max_size=2, unique=True))
    together = together_of(count, must)
    apart = [pair for pair in pairs if together[pair[0]] < 0 or together[pair[0]] != together[pair[1]]]
    cannot = draw(st.lists(st.sampled_from(apart), max_size=3, unique=True)) if apart else []
    return odds, must, cannot


def together_of(count: int, must: list[Pair]) -> np.ndarray:
    """Numbers of the groups of must-linked records, -1 for the others."""
    left, right = (np.array([pair[side] for pair in must], np.int64) for side in (0, 1))
    group, together = components(count, left, right), np.full(count, -1)
    for side in (left, right):
        together[side] = group[side]
    return together


@settings(max_examples=1_000)
@given(restrained())
def test_the_replay_explains_what_the_engine_joined_under_constraints(
    case: tuple[np.ndarray, list[Pair], list[Pair]],
) -> None:
    odds, must, cannot = case
    count = len(odds)
    forbidden = np.clip(odds, -OPTIONS.clip_bits, OPTIONS.clip_bits)
    for a, b in cannot:
        forbidden[a, b] = FORBIDDEN
    packed = np.sort(np.array([a << 32 | b for a, b in cannot], np.int64))
    label = _under_constraints(
        forbidden, np.arange(count), together_of(count, must), packed, OPTIONS.cut_bits
    )
    for cluster in np.unique(label):
        own = np.flatnonzero(label == cluster).tolist()
        known = {pair: float(odds[pair]) for pair in combinations(own, 2)}
        steps = replay(own, known, [pair for pair in must if set(pair) <= set(own)], OPTIONS)
        assert Joined.EARLIER not in {step.because for step in steps}


def test_equal_averages_fall_as_in_the_engine_where_the_most_evidence_explains_nothing() -> None:
    """With all clipped to 15 bits, 1 joins 2 first; were it 2 and 3, the rest would stay apart."""
    odds = {(1, 2): 16.0, (1, 3): -30.0, (1, 4): 16.0, (2, 3): 20.0, (2, 4): -9.0, (3, 4): 2.0}
    assert {step.because for step in replay([1, 2, 3, 4], odds, (), OPTIONS)} == {Joined.EVIDENCE}


def test_must_links_come_first_where_only_that_explains_the_person() -> None:
    """The engine joined so because stewards told others apart."""
    odds = {(1, 2): 16.3, (1, 3): 4.3, (1, 4): 16.3, (2, 3): 4.3, (2, 4): -29.7, (3, 4): -1.7}
    steps = replay([1, 2, 3, 4], odds, [(2, 3)], OPTIONS)
    assert [step.because for step in steps] == [Joined.MUST_LINK, Joined.EVIDENCE, Joined.EVIDENCE]


def test_a_must_link_is_a_step_where_evidence_would_stop() -> None:
    odds = {(1, 2): 30.0, (1, 3): -12.0, (3, 4): -20.0, (2, 4): 40.0, (1, 4): 40.0}
    steps = replay([1, 2, 3, 4], odds, [(1, 2), (2, 3)], OPTIONS)
    assert [step.because for step in steps] == [Joined.EVIDENCE, Joined.EVIDENCE, Joined.MUST_LINK]
    assert (steps[2].left, steps[2].right, steps[2].average_bits) == ((1, 2, 4), (3,), -11.0)


def test_evidence_goes_on_after_a_must_link() -> None:
    odds = {(1, 2): -10.0, (1, 3): 7.0, (2, 3): -4.0}
    steps = replay([1, 2, 3], {**odds, (1, 3): -4.0, (2, 3): 3.0}, [(1, 2)], OPTIONS)
    assert [(step.because, step.left, step.right) for step in steps] == [
        (Joined.EVIDENCE, (2,), (3,)),
        (Joined.MUST_LINK, (1,), (2, 3)),
    ]


def test_what_evidence_no_longer_explains_is_said_to_be_held_from_before() -> None:
    assert [step.because for step in replay([1, 2, 3], {(1, 2): 8.0}, (), OPTIONS)] == [
        Joined.EVIDENCE,
        Joined.EARLIER,
    ]


def test_many_copies_of_a_record_are_one_step() -> None:
    odds: dict[Pair, float] = {(1, copy): 40.0 for copy in range(2, 27)}
    odds[1, 100] = 5.0
    copies, other = replay([*range(1, 27), 100], odds, (), OPTIONS)
    assert (copies.because, copies.left, len(copies.right)) == (Joined.COPIES, (1,), 25)
    assert (other.because, other.average_bits, other.right) == (Joined.EVIDENCE, 5.0, (100,))


NEAR: Odds = {(1, 5): 4.0, (2, 5): -9.0, (1, 7): -1.0}


def test_neighbours_come_nearest_first_with_what_keeps_them_apart() -> None:
    found = gaps([1, 2], {7: [7], 5: [5], 9: [9]}, NEAR, Restraints(), OPTIONS)
    assert [gap.person_id for gap in found] == [5, 7, 9]
    assert (found[0].best.odds_bits, found[0].average_bits, found[0].because) == (4.0, -2.5, Apart.EVIDENCE)
    assert found[2].best.odds_bits is None
    assert [gap.person_id for gap in prevented(found, OPTIONS)] == [5]


@pytest.mark.parametrize(
    ("restraints", "because", "pair"),
    [
        (Restraints(cannot=frozenset({(2, 5)})), Apart.CANNOT_LINK, (2, 5)),
        (Restraints(clashes=frozenset({(1, 5)})), Apart.DIFFERENT_IDS, (1, 5)),
        (Restraints(clashes=frozenset({(1, 7)})), Apart.EVIDENCE, None),
    ],
)
def test_what_stewards_and_valid_ids_forbid_comes_before_evidence(
    restraints: Restraints, because: Apart, pair: Pair | None
) -> None:
    [gap] = gaps([1, 2], {5: [5]}, NEAR, restraints, OPTIONS)
    assert (gap.because, gap.decided_by) == (because, pair)
