from __future__ import annotations

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.comparisons import level_count
from suzani.identity.fields import Field
from suzani.identity.model import FieldModel, Model
from suzani.identity.scoring import Scorer
from suzani.kernel import Kind


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


def test_a_weight_is_the_sum_of_the_log_ratios_of_all_fields() -> None:
    scores = Scorer(model_of(SEX, BORN), PEOPLE).score(
        np.array([[2], [6]], dtype=np.uint8), np.array([0]), np.array([1])
    )
    weight = log2(0.98 / 0.5) + log2(0.9 / 0.001)
    odds = weight + log2(0.01 / 0.99)
    assert scores.weight_bits[0] == pytest.approx(weight, abs=1e-4)
    assert scores.odds_bits[0] == pytest.approx(odds, abs=1e-4)
    assert scores.probability[0] == pytest.approx(2**odds / (1 + 2**odds), abs=1e-5)


def test_a_missing_value_says_nothing() -> None:
    scores = Scorer(model_of(SEX, BORN), PEOPLE).score(
        np.array([[0, 2], [0, 0]], dtype=np.uint8), np.array([0, 0]), np.array([1, 1])
    )
    assert scores.weight_bits[0] == pytest.approx(0, abs=1e-5)
    assert scores.weight_bits[1] == pytest.approx(log2(0.98 / 0.5), abs=1e-4)


def test_the_household_class_takes_away_what_families_share() -> None:
    address = learned(Kind.ADDRESS, 0.8, 0.0001, h=0.8)
    given = learned(Kind.GIVEN_NAME, 0.9, 0.01)
    fields = [field_of(Kind.GIVEN_NAME, [0, 1], 2), field_of(Kind.ADDRESS, [0, 0], 1)]
    levels = np.array([[1], [6]], dtype=np.uint8)
    alone = Scorer(model_of(given, address), fields).score(levels, np.array([0]), np.array([1]))
    aware = Scorer(model_of(given, address, household=0.02), fields).score(
        levels, np.array([0]), np.array([1])
    )
    assert aware.weight_bits[0] < alone.weight_bits[0] - 5
    assert aware.probability[0] < 0.5


def test_agreeing_on_a_rare_value_weighs_more_than_on_a_common_one() -> None:
    town = learned(Kind.CITY, 0.9, 0.01, rare=True)
    codes = [0] * 50 + [1, 1] + list(range(2, 50))
    scorer = Scorer(model_of(town), [field_of(Kind.CITY, codes, 50)])
    levels = np.array([[4, 4, 1, 0]], dtype=np.uint8)
    scores = scorer.score(levels, np.array([0, 50, 0, 0]), np.array([1, 51, 50, 2]))
    common, rare, different, missing = scores.weight_bits.tolist()
    assert rare > common > different
    assert missing == pytest.approx(0, abs=1e-5)
    assert rare - common == pytest.approx(log2(50 / 2), abs=1.1)


def test_rarity_is_bounded() -> None:
    born = learned(Kind.BIRTH_DATE, 0.9, 0.5, rare=True)
    field = field_of(Kind.BIRTH_DATE, list(range(5_000)), 5_000)
    bits = Scorer(model_of(born), [field]).rarity_bits(
        0, np.array([6], dtype=np.uint8), np.array([7]), np.array([7])
    )
    assert np.max(bits) == pytest.approx(6.0)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), min_size=1, max_size=20),
    st.floats(1e-6, 0.4),
    st.floats(0, 0.3),
)
def test_probability_rises_with_weight_and_stays_between_0_and_1(
    drawn: list[tuple[int, int]], prior: float, household: float
) -> None:
    scorer = Scorer(model_of(SEX, BORN, prior=prior, household=household), PEOPLE)
    here = np.zeros(len(drawn), dtype=np.int64)
    scores = scorer.score(np.array(drawn, dtype=np.uint8).T, here, here + 1)
    assert np.all((scores.probability >= 0) & (scores.probability <= 1))
    order = np.argsort(scores.weight_bits)
    assert np.all(np.diff(scores.probability[order]) >= -1e-6)
    assert np.allclose(scores.odds_bits - scores.weight_bits, log2(prior / (1 - prior)), atol=1e-3)
