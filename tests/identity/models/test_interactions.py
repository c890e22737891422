from __future__ import annotations

import numpy as np
import pytest

from suzani.identity.models.comparisons import LABELS
from suzani.identity.models.interactions import (
    _FROM,
    Expected,
    Interaction,
    learn_interactions,
)
from suzani.kernel import InvalidInput, Kind

KINDS = (Kind.CITY, Kind.REGION, Kind.GIVEN_NAME)
NAMES = ("city", "region", "given_name")


def population(rows: int, tied: bool) -> list[np.ndarray]:
    """Codes of city, region and given name; a region follows from the city only if they are tied."""
    generator = np.random.default_rng(5)
    city = generator.integers(0, 40, rows)
    region = city // 4 if tied else generator.integers(0, 10, rows)
    return [city, region, generator.integers(0, 50, rows)]


def expected(codes: list[np.ndarray], pairs: int, tops: tuple[int, ...] = (4, 4, 6)) -> Expected:
    """Candidates of which the first half are copies (one person), the others strangers."""
    generator = np.random.default_rng(6)
    left, right = generator.integers(0, len(codes[0]), (2, pairs))
    right[: pairs // 2] = left[: pairs // 2]
    levels = np.array(
        [np.where(c[left] == c[right], top, 1) for c, top in zip(codes, tops, strict=True)], dtype=np.uint8
    )
    same = (np.arange(pairs) < pairs // 2).astype(np.float64)
    return Expected(levels, left, right, same, np.zeros(pairs))


def test_fields_that_follow_from_each_other_are_found() -> None:
    codes = population(4_000, tied=True)
    found = learn_interactions(NAMES, KINDS, codes, expected(codes, 800))
    assert [(item.first, item.second) for item in found] == [("city", "region")]
    assert found[0].u_bits == pytest.approx(np.log2(10), abs=0.2)
    assert found[0].m_bits == pytest.approx(0, abs=0.1)
    assert found[0].weight_bits < -2.5


def test_independent_fields_have_no_interaction() -> None:
    codes = population(4_000, tied=False)
    assert learn_interactions(NAMES, KINDS, codes, expected(codes, 800)) == ()


def test_few_records_teach_nothing() -> None:
    codes = population(300, tied=True)
    assert learn_interactions(NAMES, KINDS, codes, expected(codes, 800)) == ()
    assert learn_interactions((), (), [], Expected(*[np.empty((0, 0))] * 5)) == ()  # type: ignore[arg-type]


def test_no_field_is_corrected_in_a_circle() -> None:
    codes = population(4_000, tied=True)
    codes[2] = codes[1]
    kinds = (Kind.CITY, Kind.REGION, Kind.POSTCODE)
    found = learn_interactions(("city", "region", "postcode"), kinds, codes, expected(codes, 800, (4, 4, 4)))
    assert len(found) == 2


@pytest.mark.parametrize(
    "item",
    [
        Interaction("a", "c", 1, 1, 0, 1),
        Interaction("a", "a", 1, 1, 0, 1),
        Interaction("a", "b", 9, 1, 0, 1),
        Interaction("a", "b", 0, 1, 0, 1),
        Interaction("a", "b", 1, 1, float("inf"), 1),
    ],
    ids=str,
)
def test_an_interaction_that_makes_no_sense_is_refused(item: Interaction) -> None:
    with pytest.raises(InvalidInput, match=r"m\.json"):
        item.check({"a": 4, "b": 4}, "m.json")


def test_it_is_said_of_every_kind_whether_it_interacts() -> None:
    apart = {Kind.NATIONAL_ID, Kind.DOCUMENT, Kind.PHONE, Kind.EMAIL, Kind.ADDRESS, Kind.ORGANISATION}
    apart |= {Kind.TEXT, Kind.GENERATION}
    assert _FROM.keys() | apart == LABELS.keys()
    assert not _FROM.keys() & apart
    assert all(level in LABELS[kind] for kind, level in _FROM.items())
