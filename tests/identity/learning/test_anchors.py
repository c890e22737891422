from __future__ import annotations

import numpy as np
import pytest

from suzani.identity.learning.anchors import find_anchors, learn_from, told_labels, without_ids
from suzani.identity.models.model import Labels, Patterns, train
from suzani.kernel import Kind
from tests.identity.models.test_model import KINDS, planted

ID, NAME = Kind.NATIONAL_ID, Kind.GIVEN_NAME


def columns(*levels: tuple[int, ...]) -> np.ndarray:
    return np.array(levels, dtype=np.uint8).T


def test_equal_valid_ids_say_same_and_very_different_ones_say_different() -> None:
    levels = columns((4, 6), (1, 6), (3, 6), (4, 6), (0, 6))
    valid = np.array([True, True, True, False, False])
    found = find_anchors((ID, NAME), levels, (valid, None), np.array([2, 1, 1, 2, 1]))
    assert found.same.tolist() == [True, False, False, False, False]
    assert found.different.tolist() == [False, True, False, False, False]


def test_what_only_the_id_brought_up_teaches_no_calibration() -> None:
    valid = np.ones(2, dtype=bool)
    found = find_anchors((ID, NAME), columns((4, 1), (4, 6)), (valid, None), np.array([1, 2]))
    assert found.only_by_id.tolist() == [True, False]
    assert found.telling.tolist() == [False, True]


def test_ids_that_contradict_each_other_leave_a_pair_open() -> None:
    valid = np.ones(1, dtype=bool)
    found = find_anchors((ID, ID), columns((4, 1)), (valid, valid), np.array([1]))
    assert not found.same.any()
    assert not found.different.any()


def test_without_ids_every_id_is_missing_and_nothing_else() -> None:
    assert without_ids((ID, NAME, ID), columns((4, 5, 1))).tolist() == [[0], [5], [0]]


def test_without_any_id_there_is_no_calibration() -> None:
    found = find_anchors((NAME,), columns((6,), (1,)), (None,), np.array([1, 1]))
    assert learn_from(found, np.zeros(2)) is None


def test_a_stewards_word_weighs_as_much_as_ten_pairs() -> None:
    patterns = Patterns.of(columns((6,), (6,), (1,)), (NAME,))
    labels = told_labels(patterns, np.array([True, False, False]), np.array([False, False, True]))
    assert labels.same.sum() == labels.different.sum() == 1
    assert labels.same_weight.sum() == labels.different_weight.sum() == 10


def test_labels_of_two_kinds_add_up() -> None:
    patterns = Patterns.of(columns((6,), (1,)), (NAME,))
    one = Labels.of(patterns, np.array([True, False]), np.zeros(2, dtype=bool))
    two = Labels.of(patterns, np.zeros(2, dtype=bool), np.array([False, True]), 10.0)
    both = one.joined(two)
    assert both.same.sum() == both.different.sum() == both.same_weight.sum() == 1
    assert both.different_weight.sum() == 10


def test_labels_pull_training_towards_the_truth() -> None:
    levels, truth, evidence = planted(300, 500, 6_000)
    patterns = Patterns.of(levels, KINDS)
    known = np.random.default_rng(1).random(len(truth)) < 0.5
    labels = Labels.of(patterns, known & (truth == 0), known & (truth != 0))
    with_labels, without = train(patterns, evidence, labels), train(patterns, evidence)
    for model in (with_labels, without):
        assert model.prior == pytest.approx(300 / evidence.pairs, rel=0.15)
    given = with_labels.fields[0]
    assert given.m[-1] == pytest.approx(0.9, abs=0.05)


def test_what_stewards_teach_shows_in_the_weights() -> None:
    levels, truth, evidence = planted(300, 500, 6_000)
    patterns = Patterns.of(levels, KINDS)
    strange = (levels[0] == 1) & (levels[1] == 6)
    told = told_labels(patterns, strange, np.zeros(len(truth), dtype=bool))
    taught, untaught = train(patterns, evidence, told), train(patterns, evidence)
    assert taught.fields[0].m[0] > 2 * untaught.fields[0].m[0]


def test_pairs_found_only_by_their_id_do_not_praise_the_id() -> None:
    kinds = (Kind.NATIONAL_ID, Kind.GIVEN_NAME, Kind.BIRTH_DATE)
    generator = np.random.default_rng(2)
    levels = np.where(generator.random((3, 400)) < 0.8, [[4], [6], [6]], 1).astype(np.uint8)
    patterns = Patterns.of(levels, kinds)
    from suzani.identity.models.model import Evidence, starting_m

    shares = tuple(np.full(len(starting_m(kind)), 1.0) for kind in kinds)
    shares = tuple(np.append(share[:-1] * 0.999 / (len(share) - 1), 0.001) for share in shares)
    evidence = Evidence(kinds, ("id", "name", "date"), shares, (1.0,) * 3, 1e6, 1_400)
    same, none = levels[0] == 4, np.zeros(400, dtype=bool)
    plain = train(patterns, evidence, Labels.of(patterns, same, none))
    careful = train(patterns, evidence, Labels.of(patterns, same, none, circular=same & (levels[1] == 1)))
    assert careful.fields[0].m[-1] < plain.fields[0].m[-1]
    assert careful.fields[1].m == pytest.approx(plain.fields[1].m, abs=0.02)
