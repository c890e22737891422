"""Weights and odds against a plain computation from the model."""

from __future__ import annotations

from dataclasses import replace
from math import log2

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.kernels.weights import scores_of
from suzani.identity.models.calibration import Calibration
from suzani.identity.models.comparisons import level_count
from suzani.identity.models.interactions import Interaction
from suzani.identity.models.model import SHARED_BY_HOUSEHOLD, FieldModel, Model, most_by_chance
from suzani.identity.pairs.matching import Pairs, score
from suzani.identity.pairs.packing import Packed, pack
from suzani.identity.pairs.scoring import rarity_bits, weight_bits, weights_of
from suzani.identity.standardising.fields import Field
from suzani.kernel import Kind
from tests.identity.packs import all_pairs, fields_of_town, model_of_town


def model_of(*fields: FieldModel, prior: float = 0.01, household: float = 0.0) -> Model:
    return Model(fields, prior, household, 100)


def learned(kind: Kind, m: float, u: float, h: float | None = None, *, rare: bool = False) -> FieldModel:
    """A field whose highest level has the given probabilities, the rest shared by the other levels."""
    others = level_count(kind) - 2

    def table(share: float) -> list[float]:
        return [*[(1 - share) / others] * others, share]

    return FieldModel(kind.value, kind.value, table(m), table(u), table(u if h is None else h), rare)


def field_of(kind: Kind, codes: list[int], values: int) -> Field:
    return Field(kind.value, kind, [f"v{n}" for n in range(values)], np.array(codes, dtype=np.int32)[:, None])


SEX, BORN = learned(Kind.SEX, 0.98, 0.5), learned(Kind.BIRTH_DATE, 0.9, 0.001)
PEOPLE = [field_of(Kind.SEX, [0, 0], 1), field_of(Kind.BIRTH_DATE, [0, 0], 1)]


def scored(
    model: Model, fields: list[Field], levels: list[list[int]], left: list[int], right: list[int]
) -> Pairs:
    """Pairs of given levels (pairs × fields)."""
    records = pack(fields, fields[0].rows)
    matrix = np.array(levels, dtype=np.uint8).reshape(len(left), len(fields))
    a, b = np.array(left, dtype=np.int64), np.array(right, dtype=np.int64)
    odds = scores_of(weights_of(model, records), records.layout, matrix, records.codes, a, b)
    return Pairs(a, b, odds, matrix)


def test_the_odds_are_those_of_random_pairs_and_the_log_ratios_of_all_fields() -> None:
    model = model_of(SEX, BORN)
    pairs = scored(model, PEOPLE, [[2, 6]], [0], [1])
    weight = log2(0.98 / 0.5) + log2(0.9 / 0.001)
    odds = weight + log2(0.01 / 0.99)
    assert pairs.odds_bits[0] == pytest.approx(odds, abs=1e-9)
    assert weight_bits(pairs.odds_bits, model)[0] == pytest.approx(weight, abs=1e-9)
    assert pairs.probability[0] == pytest.approx(2**odds / (1 + 2**odds), abs=1e-9)


def test_a_missing_value_says_nothing() -> None:
    model = model_of(SEX, BORN)
    nothing, sex = weight_bits(scored(model, PEOPLE, [[0, 0], [2, 0]], [0, 0], [1, 1]).odds_bits, model)
    assert nothing == pytest.approx(0, abs=1e-9)
    assert sex == pytest.approx(log2(0.98 / 0.5), abs=1e-9)


def test_the_household_class_takes_away_what_families_share() -> None:
    address = learned(Kind.ADDRESS, 0.8, 0.0001, h=0.8)
    given = learned(Kind.GIVEN_NAME, 0.9, 0.01)
    fields = [field_of(Kind.GIVEN_NAME, [0, 1], 2), field_of(Kind.ADDRESS, [0, 0], 1)]
    alone = scored(model_of(given, address), fields, [[1, 6]], [0], [1])
    aware = scored(model_of(given, address, household=0.02), fields, [[1, 6]], [0], [1])
    assert aware.odds_bits[0] < alone.odds_bits[0] - 5
    assert aware.probability[0] < 0.5


def test_agreeing_on_a_rare_value_weighs_more_than_on_a_common_one() -> None:
    town = learned(Kind.CITY, 0.9, 0.01, rare=True)
    codes = [0] * 50 + [1, 1, *range(2, 50)]
    levels = [[4], [4], [1], [0]]
    model = model_of(town)
    odds = scored(model, [field_of(Kind.CITY, codes, 50)], levels, [0, 50, 0, 0], [1, 51, 50, 2]).odds_bits
    common, rare, different, missing = weight_bits(odds, model).tolist()
    assert rare > common > different
    assert missing == pytest.approx(0, abs=1e-9)
    assert rare - common == pytest.approx(log2(50 / 2), abs=1.1)


@pytest.mark.parametrize("kind", [Kind.BIRTH_DATE, Kind.FAMILY_NAME, Kind.CITY])
def test_rarity_is_bounded_both_ways(kind: Kind) -> None:
    held = np.array([1, 2, 10, 5_000])
    bits = rarity_bits(held, 5_000, 0.5, 1e-4, kind)
    assert np.all(np.diff(bits) <= 0)
    assert bits[0] == pytest.approx(6.0)
    assert rarity_bits(np.array([5_000]), 5_000, 1e-6, 1e-4, kind)[0] == pytest.approx(-6.0)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), min_size=1, max_size=20),
    st.floats(1e-6, 0.4),
    st.floats(0, 0.3),
)
def test_probability_rises_with_weight_and_stays_between_0_and_1(
    drawn: list[tuple[int, int]], prior: float, household: float
) -> None:
    model = model_of(SEX, BORN, prior=prior, household=household)
    here = [0] * len(drawn)
    pairs = scored(model, PEOPLE, [list(levels) for levels in drawn], here, [1] * len(drawn))
    assert np.all((pairs.probability >= 0) & (pairs.probability <= 1))
    order = np.argsort(weight_bits(pairs.odds_bits, model))
    assert np.all(np.diff(pairs.probability[order]) >= -1e-9)


def test_calibration_stretches_and_shifts_the_odds() -> None:
    plain = model_of(SEX, BORN)
    levels = [[2, 6], [1, 1], [0, 3]]
    raw = scored(plain, PEOPLE, levels, [0] * 3, [1] * 3).odds_bits
    model = replace(plain, calibration=Calibration(0.5, 1.25, 10, 0.1))
    assert scored(model, PEOPLE, levels, [0] * 3, [1] * 3).odds_bits == pytest.approx(1.25 + 0.5 * raw)


def test_an_interaction_counts_from_both_its_levels_on() -> None:
    plain = model_of(SEX, BORN)
    model = replace(plain, interactions=(Interaction("sex", "birth_date", 2, 5, 0.5, 2.0),))
    levels = [[2, 6], [2, 5], [2, 4], [1, 6], [0, 6], [2, 0]]
    pairs = [0] * 6, [1] * 6
    added = scored(model, PEOPLE, levels, *pairs).odds_bits - scored(plain, PEOPLE, levels, *pairs).odds_bits
    assert added == pytest.approx([-1.5, -1.5, 0, 0, 0, 0])


def expected_odds(
    model: Model, records: Packed, fields: list[Field], pairs: Pairs
) -> npt.NDArray[np.float64]:
    """Odds by the book: Bayes' rule over persons, households and strangers, one pair at a time."""
    position = {field.name: f for f, field in enumerate(fields)}
    held = [np.bincount(f.codes[f.codes >= 0], minlength=len(f.values)) for f in fields]
    result = []
    for a, b, levels in zip(pairs.left, pairs.right, pairs.levels.tolist(), strict=True):
        same = home = 1.0
        for f, (field, part, level) in enumerate(zip(fields, model.fields, levels, strict=True)):
            if level == 0:
                continue
            rare = 1.0
            value = field.codes[a, 0]
            exact = level == level_count(field.kind) - 1 and value >= 0 and value == field.codes[b, 0]
            if part.weighs_frequency and exact:
                filled = (field.codes >= 0).any(axis=1).sum()
                others = max(held[f][value] / (1 + model.prior * filled), 1.0) / filled
                chance = min(others, most_by_chance(field.kind))
                rare = float(np.clip(part.u[-1] / chance, 2.0**-6, 2.0**6))
            same *= part.m[level - 1] / part.u[level - 1] * rare
            home *= part.h[level - 1] / part.u[level - 1]
            home *= rare if field.kind in SHARED_BY_HOUSEHOLD else 1.0
        for item in model.interactions:
            one, other = position[item.first], position[item.second]
            if levels[one] >= item.first_level and levels[other] >= item.second_level:
                same *= 2.0 ** (item.m_bits - item.u_bits)
                both = {fields[one].kind, fields[other].kind} <= SHARED_BY_HOUSEHOLD
                home *= 2.0**-item.u_bits if both else 1.0
        strangers = 1 - model.prior - model.household
        result.append(log2(model.prior * same / (strangers + model.household * home)))
    line = model.calibration
    raw = np.array(result)
    return raw if line is None else line.intercept_bits + line.slope * raw


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "interactions and calibration"])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_odds_of_a_town_are_those_of_the_model_by_the_book(seed: int, plain: bool) -> None:
    fields, truth = fields_of_town(40, seed, 0.3, True)
    model = model_of_town()
    if plain:
        model = replace(model, interactions=(), calibration=None)
    assert model.household > 0
    assert any(part.weighs_frequency for part in model.fields)
    records = pack(fields, len(truth))
    pairs = score(records, weights_of(model, records), *all_pairs(len(truth)))
    assert np.allclose(pairs.odds_bits, expected_odds(model, records, fields, pairs), atol=1e-4)


def test_the_frequencies_of_a_population_may_be_given() -> None:
    town = learned(Kind.CITY, 0.9, 0.01, rare=True)
    records = pack([field_of(Kind.CITY, [0, 0], 1)], 2)
    levels, left, right = np.array([[4]], dtype=np.uint8), np.array([0]), np.array([1])

    def odds(held: int, among: float) -> float:
        weights = weights_of(model_of(town), records, [np.array([held])], np.array([among]))
        return float(scores_of(weights, records.layout, levels, records.codes, left, right)[0])

    assert odds(2, 1_000) > odds(200, 1_000) > odds(900, 1_000)


def test_no_pairs_have_no_odds() -> None:
    none = np.empty(0, dtype=np.int64)
    records = pack([], 3)
    weights = weights_of(model_of(), records)
    assert len(score(records, weights, none, none)) == 0
    alone = score(records, weights, np.array([0]), np.array([1]))
    assert alone.odds_bits == pytest.approx([log2(0.01 / 0.99)])
