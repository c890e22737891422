from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suzani.identity.kernels.levels import FIRST
from suzani.identity.kernels.linkage import FORBIDDEN, components, link
from suzani.identity.kernels.weights import Weights
from suzani.identity.pairs import matching
from suzani.identity.pairs.matching import Pairs
from suzani.identity.pairs.packing import Packed, pack
from suzani.identity.pairs.partition import Constraints, Options, Partition, conflicts, partition
from suzani.identity.pairs.scoring import weights_of
from suzani.identity.pairs.sparse import average_linkage
from suzani.identity.standardising.fields import Field, build_fields
from suzani.kernel import Kind
from tests.identity.packs import NOTHING, Ints, all_pairs, groups, model_of_town, packed_town, table_from
from tests.identity.people import KINDS, household, twin, typed

Pair = tuple[int, int]
OPTIONS = Options()
SPARSE = replace(OPTIONS, largest=2)
"""Components of three records and more are linked by the pairs they have."""


def ends(pairs: list[Pair]) -> tuple[Ints, Ints]:
    both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0].copy(), both[:, 1].copy()


def constrained(must: list[Pair] | None = None, cannot: list[Pair] | None = None) -> Constraints:
    return Constraints(ends(must or []), ends(cannot or []))


@cache
def twins() -> Packed:
    """Records of people and of others who differ from them by a valid national id alone; some lack it."""
    source = Random(6)
    rows = []
    for _ in range(25):
        person = household(source)[0]
        for someone in (person, twin(person), person, twin(person)):
            rows.append(typed(source, someone, 0.1))
            if source.random() < 0.3:
                rows[-1]["national_id"] = None
    return pack(build_fields(table_from(rows), KINDS), len(rows))


RECORDS = {"town": packed_town, "twins": twins}


def weights_for(records: Packed) -> Weights:
    return weights_of(model_of_town(), records)


@cache
def scored(name: str) -> Pairs:
    """Every pair of a town's records."""
    records = RECORDS[name]()
    return matching.score(records, weights_for(records), *all_pairs(records.rows))


def parted(name: str, constraints: Constraints | None = None, options: Options = OPTIONS) -> Partition:
    """Persons of a town when every pair above the loose bound is a candidate."""
    records, every = RECORDS[name](), scored(name)
    loose = every.where(every.odds_bits > options.loose_bits)
    return partition(records, weights_for(records), loose, constraints or Constraints.none(), options)


def is_together(person: Ints, pairs: list[Pair]) -> list[bool]:
    return [bool(person[a] == person[b]) for a, b in pairs]


def clashing(name: str) -> set[Pair]:
    """Pairs of two valid national ids that are no slip apart."""
    every = scored(name)
    mask = conflicts(RECORDS[name](), every)
    return set(zip(every.left[mask].tolist(), every.right[mask].tolist(), strict=True))


@given(st.integers(1, 12), st.data())
def test_components_agree_with_a_slow_search(rows: int, data: st.DataObject) -> None:
    numbers = st.integers(0, rows - 1)
    pairs = data.draw(st.lists(st.tuples(numbers, numbers), max_size=15))
    label = list(range(rows))
    for _ in range(rows):
        for a, b in pairs:
            label[a] = label[b] = min(label[a], label[b])
    assert components(rows, *ends(pairs)).tolist() == label


def test_a_long_chain_is_one_component() -> None:
    order = np.random.default_rng(1).permutation(5_000)
    assert set(components(5_000, order[:-1], order[1:]).tolist()) == {0}


Matrix = npt.NDArray[np.float64]


def slow_link(odds: Matrix, together: list[int], cut: float) -> list[int]:
    """One join at a time, the best first, everything computed anew; the first of equals."""
    clusters = [[row] for row in range(len(odds))]
    for a, b in combinations(range(len(odds)), 2):
        if together[a] == together[b] >= 0:
            one, other = (next(c for c in clusters if row in c) for row in (a, b))
            if one is not other:
                one += other
                clusters.remove(other)
    while True:
        clusters.sort(key=min)
        ranked = [
            (-float(np.mean([odds[min(a, b), max(a, b)] for a in one for b in other])), i, j)
            for (i, one), (j, other) in combinations(enumerate(clusters), 2)
        ]
        if not ranked or -min(ranked)[0] <= cut:
            break
        _, i, j = min(ranked)
        clusters[i] += clusters.pop(j)
    return [min(next(c for c in clusters if row in c)) for row in range(len(odds))]


@st.composite
def matrices(draw: st.DrawFn) -> Matrix:
    """Odds of all pairs, of random records (no two averages are the same) with forbidden ones among them."""
    rows = draw(st.integers(1, 9))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    odds = random.normal(draw(st.sampled_from([-2.0, 0.0, 3.0])), 6.0, (rows, rows))
    odds[random.random((rows, rows)) < draw(st.sampled_from([0.0, 0.2]))] = FORBIDDEN
    return np.triu(odds, 1)


@given(matrices())
def test_linkage_agrees_with_one_join_at_a_time(odds: Matrix) -> None:
    free = np.full(len(odds), -1)
    assert link(odds, free, 0.0).tolist() == slow_link(odds, free.tolist(), 0.0)


@given(matrices(), st.data())
def test_linkage_starts_from_what_must_be_together(odds: Matrix, data: st.DataObject) -> None:
    sides = st.lists(st.integers(-1, 2), min_size=len(odds), max_size=len(odds))
    together = data.draw(sides)
    label = link(odds, np.array(together), 0.0).tolist()
    assert label == slow_link(odds, together, 0.0)
    assert all(label[together.index(t)] == label[row] for row, t in enumerate(together) if t >= 0)


@given(matrices())
def test_linkage_agrees_with_the_sparse_one_where_all_pairs_are_scored(odds: Matrix) -> None:
    left, right = all_pairs(len(odds))
    sparse = average_linkage(len(odds), left, right, odds[left, right], cut_bits=0.0, unscored_bits=-6.0)
    assert link(odds, np.full(len(odds), -1), 0.0).tolist() == sparse.tolist()


def test_a_town_parts_like_the_sparse_linkage_of_all_its_pairs() -> None:
    records, every = packed_town(), scored("town")
    odds = np.clip(every.odds_bits, -OPTIONS.clip_bits, OPTIONS.clip_bits)
    odds[conflicts(records, every)] = FORBIDDEN
    expected = average_linkage(records.rows, every.left, every.right, odds, cut_bits=0.0, unscored_bits=-6.0)
    assert groups(parted("town").person) == groups(expected)


@pytest.mark.parametrize("name", RECORDS)
def test_large_components_part_alike_when_all_their_likely_pairs_are_known(name: str) -> None:
    every = {frozenset(group) for group in groups(parted(name).person)}
    sparse = {frozenset(group) for group in groups(parted(name, options=SPARSE).person)}
    assert len(every & sparse) > 0.95 * len(every)


@pytest.mark.parametrize("options", [OPTIONS, SPARSE], ids=["all pairs", "known pairs"])
@settings(max_examples=5)
@given(shuffler=st.randoms())
def test_the_order_of_the_candidates_does_not_matter(options: Options, shuffler: Random) -> None:
    records, every = twins(), scored("twins")
    loose = np.flatnonzero(every.odds_bits > options.loose_bits).tolist()
    shuffler.shuffle(loose)
    person = partition(
        records, weights_for(records), every.where(np.array(loose)), Constraints.none(), options
    ).person
    assert groups(person) == groups(parted("twins", options=options).person)


def test_components_do_not_depend_on_what_else_is_linked_beside_them() -> None:
    records, every = packed_town(), scored("town")
    loose = every.where(every.odds_bits > OPTIONS.loose_bits)
    component = components(records.rows, loose.left, loose.right)
    whole = parted("town").person
    for first in np.unique(component).tolist():
        part = loose.where(component[loose.left] == first)
        alone = partition(records, weights_for(records), part, Constraints.none(), OPTIONS).person
        rows = component == first
        assert np.array_equal(alone[rows], whole[rows])


@pytest.mark.parametrize("name", RECORDS)
def test_edges_are_the_pairs_inside_persons_and_those_near_enough(name: str) -> None:
    every, found = scored(name), parted(name)
    shown = (found.person[every.left] == found.person[every.right]) | (every.odds_bits > OPTIONS.kept_bits)
    component = components(RECORDS[name]().rows, *ends(likely(every)))
    shown &= component[every.left] == component[every.right]
    edges = dict(zip(pairs_of(found.edges), found.edges.odds_bits.tolist(), strict=True))
    assert len(edges) == len(found.edges)
    expected = every.where(shown)
    # Pairs in components of two are among the edges if they are candidates.
    assert {pair for pair, odds in edges.items() if odds > OPTIONS.loose_bits} == {
        pair
        for pair, odds in zip(pairs_of(expected), expected.odds_bits, strict=True)
        if odds > OPTIONS.loose_bits
    }
    known = dict(zip(pairs_of(every), every.odds_bits.tolist(), strict=True))
    assert all(odds == pytest.approx(known[pair]) for pair, odds in edges.items())


def pairs_of(pairs: Pairs) -> list[Pair]:
    return list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))


def likely(every: Pairs) -> list[Pair]:
    return pairs_of(every.where(every.odds_bits > OPTIONS.loose_bits))


@pytest.mark.parametrize("options", [OPTIONS, SPARSE], ids=["all pairs", "known pairs"])
def test_two_valid_ids_are_never_one_person(options: Options) -> None:
    assert len(clashing("twins")) > 50
    assert not any(is_together(parted("twins", options=options).person, sorted(clashing("twins"))))


@pytest.mark.parametrize("options", [OPTIONS, SPARSE], ids=["all pairs", "known pairs"])
def test_a_record_without_an_id_does_not_bring_two_valid_ones_together(options: Options) -> None:
    records, every = twins(), scored("twins")
    names = records.fields.index(("national_id", Kind.NATIONAL_ID))
    has_id = records.codes[:, records.layout.table[names, FIRST]] >= 0
    # No candidates but those with records that lack the id: nothing says that the others differ.
    loose = every.where((every.odds_bits > 0) & ~(has_id[every.left] & has_id[every.right]))
    person = partition(records, weights_for(records), loose, Constraints.none(), options).person
    assert not any(is_together(person, sorted(clashing("twins"))))
    assert len(np.unique(person)) < len(person)


@pytest.mark.parametrize("options", [OPTIONS, SPARSE], ids=["all pairs", "known pairs"])
@pytest.mark.parametrize("name", RECORDS)
@settings(max_examples=25)
@given(data=st.data())
def test_what_stewards_said_always_holds(name: str, options: Options, data: st.DataObject) -> None:
    rows = RECORDS[name]().rows
    near = st.sampled_from(likely(scored(name)))
    any_pair = st.tuples(st.integers(0, rows - 1), st.integers(0, rows - 1)).filter(lambda p: p[0] != p[1])
    must = data.draw(st.lists(near | any_pair, max_size=6))
    joined = components(rows, *ends(must))
    apart = [
        pair
        for pair in data.draw(st.lists(near | any_pair, max_size=6))
        if joined[pair[0]] != joined[pair[1]]
    ]
    found = parted(name, constrained(must, apart), options)
    assert all(is_together(found.person, must))
    assert not any(is_together(found.person, apart))
    # Two valid ids are one person only where stewards joined records of theirs.
    told = {int(found.person[row]) for pair in must for row in pair}
    for a, b in clashing(name):
        assert found.person[a] != found.person[b] or int(found.person[a]) in told


@pytest.mark.parametrize("options", [OPTIONS, SPARSE], ids=["all pairs", "known pairs"])
def test_a_must_link_alone_joins_records_that_nothing_else_does(options: Options) -> None:
    person = parted("town", options=options).person
    sizes = {
        int(label): int(count) for label, count in zip(*np.unique(person, return_counts=True), strict=True)
    }
    alone = [label for label, count in sizes.items() if count == 1]
    crowd = [label for label, count in sizes.items() if count >= 3]
    must = [(alone[0], alone[1]), (alone[2], crowd[0])]
    joined = parted("town", constrained(must), options).person
    assert all(is_together(joined, must))
    assert joined[alone[0]] != joined[alone[2]]


@pytest.mark.parametrize("options", [OPTIONS, SPARSE], ids=["all pairs", "known pairs"])
def test_a_must_link_holds_against_two_valid_ids(options: Options) -> None:
    must = sorted(clashing("twins"))[:5]
    assert all(is_together(parted("twins", constrained(must), options).person, must))


@pytest.mark.parametrize("options", [OPTIONS, SPARSE], ids=["all pairs", "known pairs"])
def test_a_cannot_link_parts_an_otherwise_perfect_person(options: Options) -> None:
    person = parted("town", options=options).person
    crowd = next(sorted(group) for group in groups(person) if len(group) >= 3)
    a, b = crowd[0], crowd[-1]
    found = parted("town", constrained(cannot=[(b, a)]), options).person
    assert found[a] != found[b]
    # Everybody else of that person stays with the one or the other, nobody else is touched.
    others = [row for row in crowd if row not in (a, b)]
    assert all(found[row] in (found[a], found[b]) for row in others)
    rest = np.setdiff1d(np.arange(len(person)), crowd)
    assert groups(person) - {frozenset(crowd)} <= groups(found)
    assert not set(found[rest].tolist()) & set(found[crowd].tolist())


def test_two_records_parted_by_a_steward_stay_apart() -> None:
    person = parted("town").person
    a, b = next(sorted(group) for group in groups(person) if len(group) == 2)
    for pair in ((a, b), (b, a)):
        found = parted("town", constrained(cannot=[pair])).person
        assert found[a] != found[b]
        assert np.array_equal(np.delete(found, [a, b]), np.delete(person, [a, b]))


def test_constraints_follow_their_rows() -> None:
    constraints = constrained([(0, 1)], [(2, 0)])
    assert constraints.rows.tolist() == [0, 1, 2]
    moved = constraints.on(np.array([5, 6, 7]))
    assert (moved.must[0].tolist(), moved.must[1].tolist()) == ([5], [6])
    assert (moved.cannot[0].tolist(), moved.cannot[1].tolist()) == ([7], [5])
    assert len(Constraints.none().rows) == 0


def test_only_valid_ids_that_are_no_slip_apart_conflict() -> None:
    people = [person for seed in range(30) for person in household(Random(seed))][:10]
    numbers = [person.national_id for person in people]
    wrong = numbers[1][:-1] + str((int(numbers[1][-1]) + 1) % 10)
    rows = [{**dict.fromkeys(KINDS), "national_id": number} for number in [*numbers, wrong, None]]
    fields = [f for f in build_fields(table_from(rows), KINDS) if f.name == "national_id"]
    records = pack(fields, len(rows))
    left, right = np.array([0, 0, 0, 0]), np.array([1, 0, 10, 11])
    levels = matching.compare(records, left, right)
    assert conflicts(records, Pairs(left, right, np.zeros(4), levels)).tolist() == [True, False, False, False]


def test_no_candidates_leave_every_record_alone() -> None:
    records = pack([Field("sex", Kind.SEX, ["male"], np.zeros((3, 1), dtype=np.int32))], 3)
    sex = next(field for field in model_of_town().fields if field.name == "sex")
    model = replace(model_of_town(), fields=(sex,), interactions=())
    none = Pairs(NOTHING, NOTHING, np.empty(0), np.empty((0, 1), np.uint8))
    found = partition(records, weights_of(model, records), none, Constraints.none(), OPTIONS)
    assert (found.person.tolist(), len(found.edges)) == ([0, 1, 2], 0)
