from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.models.comparisons import LABELS, level_count
from suzani.identity.models.model import Evidence, Model, Patterns, starting_m, train
from suzani.kernel import InvalidInput, Kind

Floats = npt.NDArray[np.float64]
KINDS = (Kind.GIVEN_NAME, Kind.FAMILY_NAME, Kind.BIRTH_DATE, Kind.PHONE, Kind.ADDRESS)
PAIRS = 40_000_000.0
RECORDS = 9_000


def spread(kind: Kind, exact: float) -> Floats:
    """Levels of a kind: `exact` agree wholly, a tenth of the rest nearly, and the others differ."""
    shares = np.zeros(level_count(kind) - 1)
    shares[0], shares[-2], shares[-1] = 0.9 * (1 - exact), shares[-2] + 0.1 * (1 - exact), exact
    return shares


def drawn(generator: np.random.Generator, count: int, exact: tuple[float, ...]) -> npt.NDArray[np.uint8]:
    """Levels (fields × pairs) of one class; one value in ten is missing."""
    rows = [
        1 + generator.choice(level_count(kind) - 1, count, p=spread(kind, share))
        for kind, share in zip(KINDS, exact, strict=True)
    ]
    levels = np.array(rows, dtype=np.uint8)
    levels[generator.random(levels.shape) < 0.1] = 0
    return levels


SAME, HOME, OTHER = (0.9, 0.9, 0.9, 0.8, 0.8), (0.02, 0.9, 0.001, 0.7, 0.8), (0.02, 0.01, 0.001, 0.001, 0.001)


def planted(
    same: int, home: int, other: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], Evidence]:
    """Levels of pairs of three classes, the class of each (0 same, 1 home, 2 other), and the evidence."""
    generator = np.random.default_rng(7)
    levels = np.concatenate(
        [drawn(generator, same, SAME), drawn(generator, home, HOME), drawn(generator, other, OTHER)], axis=1
    )
    random = tuple(np.maximum(spread(kind, share), 1e-4) for kind, share in zip(KINDS, OTHER, strict=True))
    random = tuple(shares / shares.sum() for shares in random)
    names = tuple(kind.value for kind in KINDS)
    evidence = Evidence(KINDS, names, random, (0.81,) * len(KINDS), PAIRS, RECORDS)
    return levels, np.repeat([0, 1, 2], [same, home, other]), evidence


def posterior(model: Model, levels: npt.NDArray[np.uint8]) -> Floats:
    """Probability of being one person, straight from the definition."""
    parts = [np.log(share) for share in (model.prior, model.household, 1 - model.prior - model.household)]
    total = [np.full(levels.shape[1], part) for part in parts]
    for field, row in zip(model.fields, levels, strict=True):
        for index, table in enumerate((field.m, field.h, field.u)):
            total[index] = total[index] + np.append(0.0, np.log(table))[row]
    weights = np.exp(np.array(total) - np.max(total, axis=0))
    return np.asarray(weights[0] / weights.sum(axis=0))


@pytest.fixture(scope="module")
def trained() -> tuple[Model, npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    levels, truth, evidence = planted(4_000, 6_000, 60_000)
    return train(Patterns.of(levels, KINDS), evidence), levels, truth


Trained = tuple[Model, npt.NDArray[np.uint8], npt.NDArray[np.int64]]


def test_training_separates_planted_persons_from_all_others(trained: Trained) -> None:
    model, levels, truth = trained
    taken = posterior(model, levels) > 0.5
    assert (taken & (truth == 0)).sum() / (truth == 0).sum() > 0.9
    assert (taken & (truth == 0)).sum() / taken.sum() > 0.95
    assert not (taken & (truth == 2)).any()


def test_families_are_not_taken_for_persons(trained: Trained) -> None:
    model, levels, truth = trained
    assert (posterior(model, levels)[truth == 1] > 0.5).mean() < 0.02


def test_fathers_and_sons_do_not_teach_that_a_suffix_differs_within_a_person() -> None:
    kinds = (*KINDS, Kind.GENERATION)
    levels, truth, evidence = planted(4_000, 6_000, 60_000)
    # All pairs of one household are of a father and a son: in their own suffixes alone they differ.
    suffix = np.where(truth == 1, 1, 2).astype(np.uint8)
    evidence = replace(
        evidence,
        kinds=kinds,
        names=(*evidence.names, "generation"),
        random=(*evidence.random, np.array([0.5, 0.5])),
        both_present=(*evidence.both_present, 1.0),
    )
    model = train(Patterns.of(np.vstack([levels, suffix]), kinds), evidence)
    assert model.fields[-1].m == pytest.approx([0.001, 0.999])


def test_training_finds_the_shares_that_were_planted(trained: Trained) -> None:
    model, _, _ = trained
    assert model.prior == pytest.approx(4_000 / PAIRS, rel=0.1)
    assert model.household == pytest.approx(6_000 / PAIRS, rel=0.4)
    for field, m, u in zip(model.fields, SAME, OTHER, strict=True):
        assert field.m[-1] == pytest.approx(m, abs=0.04)
        assert field.u[-1] == pytest.approx(u, rel=0.25)
        assert (field.h[-1] > 0.6) is (field.name in ("family_name", "phone", "address"))


def test_every_table_of_a_trained_model_holds_probabilities(trained: Trained) -> None:
    model, _, _ = trained
    for field in model.fields:
        for shares in (field.m, field.u, field.h):
            assert sum(shares) == pytest.approx(1)
            assert all(0 < share < 1 for share in shares)


def test_what_only_a_person_has_says_the_same_of_families_and_strangers(trained: Trained) -> None:
    model, _, _ = trained
    for field in model.fields:
        assert (field.h == field.u) is (field.name == "given_name")


def test_training_twice_gives_the_same_model(trained: Trained) -> None:
    levels, _, evidence = planted(4_000, 6_000, 60_000)
    assert train(Patterns.of(levels, KINDS), evidence) == trained[0]


def test_without_anything_personal_there_is_no_household_class() -> None:
    evidence = Evidence((Kind.PHONE,), ("phone",), (np.array([0.9, 0.05, 0.04, 0.01]),), (1.0,), 100.0, 15)
    model = train(Patterns.of(np.array([[4, 1, 1, 1]], dtype=np.uint8), (Kind.PHONE,)), evidence)
    assert model.household == 0


def test_no_pairs_leave_the_starting_values() -> None:
    evidence = Evidence((Kind.CITY,), ("city",), (np.full(4, 0.25),), (1.0,), 1.0, 1)
    model = train(Patterns.of(np.empty((1, 0), dtype=np.uint8), (Kind.CITY,)), evidence)
    assert model.fields[0].m == pytest.approx(starting_m(Kind.CITY).tolist())


@pytest.mark.parametrize("kind", LABELS)
def test_before_learning_higher_levels_are_likelier(kind: Kind) -> None:
    start = starting_m(kind)
    assert len(start) == level_count(kind) - 1
    assert start.sum() == pytest.approx(1)
    assert start.argmax() == len(start) - 1
    assert np.all(np.diff(start[:-1]) > 0)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 6)), max_size=40))
def test_patterns_count_every_pair_once(pairs: list[tuple[int, int, int]]) -> None:
    levels = np.array(pairs, dtype=np.uint8).reshape(-1, 3).T
    patterns = Patterns.of(levels, (Kind.SEX, Kind.PHONE, Kind.GIVEN_NAME))
    assert patterns.counts.sum() == len(pairs)
    assert len(patterns.counts) == len(set(pairs))
    for pair, at in zip(pairs, patterns.of_pair.tolist(), strict=True):
        assert tuple(patterns.levels[at].tolist()) == pair


def test_a_model_survives_json_without_loss(trained: Trained) -> None:
    assert Model.from_json(trained[0].to_json()) == trained[0]


def document(**changes: Any) -> dict[str, Any]:
    """A sound model of one field as JSON data, with changes."""
    field = {"name": "sex", "kind": "sex", "m": [0.1, 0.9], "u": [0.5, 0.5], "h": [0.5, 0.5],
             "weighs_frequency": False}  # fmt: skip
    sound = {"format": "suzani-identity-model", "version": 1, "fields": [field], "prior": 0.01,
             "household": 0.02, "records": 9, "interactions": [], "calibration": None}  # fmt: skip
    own = {key: value for key, value in changes.items() if key in sound}
    parts = {key: value for key, value in changes.items() if key not in sound}
    return sound | {"fields": [field | parts]} | own


def test_the_sound_model_of_these_tests_is_sound() -> None:
    assert Model.from_json(json.dumps(document())).records == 9


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nonsense",
        "[]",
        "3",
        "null",
        '"text"',
        "{}",
        '{"format": "other"}',
        "[" * 100_000,
        "\ufeff{}",
    ],
)
def test_a_file_that_holds_no_model_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"broken\.json"):
        Model.from_json(text, "broken.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 3},
        {"version": None},
        {"fields": None},
        {"fields": 5},
        {"fields": ["sex"]},
        {"fields": [{}]},
        {"fields": {"sex": 1}},
        {"prior": 0},
        {"prior": 1},
        {"prior": -0.1},
        {"prior": "x"},
        {"prior": None},
        {"prior": float("nan")},
        {"prior": float("inf")},
        {"prior": 10**400},
        {"household": 1},
        {"household": -1},
        {"prior": 0.6, "household": 0.6},
        {"records": "many"},
        {"records": float("inf")},
        {"records": [9]},
        {"kind": "colour"},
        {"kind": "ignore"},
        {"kind": 5},
        {"kind": ["sex"]},
        {"name": 5},
        {"name": None},
        {"m": [0.5]},
        {"m": [0.2, 0.3, 0.5]},
        {"m": [0, 1]},
        {"m": [-0.5, 1.5]},
        {"m": "ab"},
        {"m": {"0": 0.5, "1": 0.5}},
        {"u": [0.5, "x"]},
        {"u": [0.5, float("nan")]},
        {"h": None},
        {"h": [None, 0.5]},
        {"weighs_frequency": "yes"},
        {"surprise": 1},
        {"fields": [{"name": "sex", "kind": "sex", "m": [0.1, 0.9], "u": [0.5, 0.5], "h": [0.5, 0.5]}] * 2},
        {"interactions": 5},
        {"interactions": [5]},
        {"interactions": [{}]},
        {
            "interactions": [
                {
                    "first": "sex",
                    "second": "sex",
                    "first_level": 1,
                    "second_level": 1,
                    "m_bits": 0,
                    "u_bits": 1,
                }
            ]
        },
        {
            "interactions": [
                {"first": ["sex"], "second": 1, "first_level": 1, "second_level": 1, "m_bits": 0, "u_bits": 1}
            ]
        },
        {"calibration": 5},
        {"calibration": {"slope": 1}},
        {"calibration": {"slope": 0, "intercept_bits": 0, "anchors": 9, "error_bits": 0}},
        {"calibration": {"slope": "x", "intercept_bits": 0, "anchors": 9, "error_bits": 0}},
    ],
    ids=str,
)
def test_every_misstated_part_is_refused_by_name(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"broken\.json"):
        Model.from_json(json.dumps(document(**changes)), "broken.json")


@pytest.mark.parametrize("part", ["format", "version", "fields", "prior", "household", "records"])
def test_a_missing_part_is_refused(part: str) -> None:
    data = document()
    del data[part]
    with pytest.raises(InvalidInput):
        Model.from_json(json.dumps(data))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PARTS = [
    "version",
    "fields",
    "prior",
    "household",
    "records",
    "name",
    "kind",
    "m",
    "u",
    "h",
    "weighs_frequency",
    "interactions",
    "calibration",
]


@given(st.sampled_from(PARTS), JSON)
def test_any_json_in_any_place_is_refused_or_makes_a_usable_model(part: str, value: object) -> None:
    try:
        model = Model.from_json(json.dumps(document(**{part: value})), "it")
    except InvalidInput:
        return
    assert Model.from_json(model.to_json()) == model
    assert 0 < model.prior < 1 - model.household


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Model.from_json(text)


@given(st.data())
def test_a_damaged_file_is_refused_or_still_a_model(data: st.DataObject) -> None:
    text = json.dumps(document())
    at = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:at] + data.draw(st.text(max_size=3)) + text[at + data.draw(st.integers(0, 3)) :]
    with suppress(InvalidInput):
        assert 0 < Model.from_json(damaged).prior < 1
