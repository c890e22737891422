"""What marks tell of two values is what a look at the values tells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suzani.identity.kernels import strings
from suzani.identity.kernels.levels import Values, date_level, name_level
from suzani.identity.kernels.marks import (
    CODE,
    DATE,
    NAME,
    PHONE,
    TEXT,
    UNTOLD,
    mark_of,
    may_be_near,
    told_by_marks,
)
from suzani.identity.pairs.packing import pack
from suzani.identity.standardising.field import Field
from suzani.kernel import Kind

NEAR = 4
Look = Callable[[Values], int]


def packed(kind: Kind, *texts: str) -> Values:
    return pack([Field("any", kind, list(texts), np.zeros((1, 1), np.int32))], 1).values


def slices(values: Values) -> tuple[np.ndarray, int, int, int, int]:
    start = values.start
    return values.text, int(start[0]), int(start[1]), int(start[1]), int(start[2])


def marks(values: Values) -> tuple[np.uint64, np.uint64]:
    return np.uint64(mark_of(values.form, 0)), np.uint64(mark_of(values.form, 1))


def as_code(values: Values) -> int:
    return max(4 - strings.slips_up_to_two(*slices(values)), 1)


def as_phone(values: Values) -> int:
    same_end = values.form[0, 0] == values.form[1, 0]
    return 3 if same_end else 1 + strings.within_one_slip(*slices(values))


def as_text(values: Values) -> int:
    alike = strings.jaro_winkler(*slices(values))
    return 3 if alike >= 0.90 else 2 if alike >= 0.80 else 1


LOOKS: dict[Kind, tuple[int, Look]] = {
    Kind.GIVEN_NAME: (NAME, lambda values: name_level(values, 0, 1)),
    Kind.BIRTH_DATE: (DATE, lambda values: date_level(*slices(values))),
    Kind.DOCUMENT: (CODE, as_code),
    Kind.PHONE: (PHONE, as_phone),
    Kind.CITY: (TEXT, as_text),
}
LETTERS = {
    Kind.GIVEN_NAME: "abdeiklmnorstuxz ", Kind.BIRTH_DATE: "0123456789", Kind.DOCUMENT: "ab0123456789",
    Kind.PHONE: "0123456789", Kind.CITY: "abdeiklmnorstu ",
}  # fmt: skip
LENGTHS = {Kind.BIRTH_DATE: (8, 8)}


@st.composite
def two_values(draw: st.DrawFn, kind: Kind) -> tuple[str, str]:
    """Two different values, the second often a few slips away from the first."""
    least, most = LENGTHS.get(kind, (1, 20))
    word = st.text(LETTERS[kind], min_size=least, max_size=most).filter(lambda text: text.strip() == text)
    first = draw(word)
    second = draw(word)
    if draw(st.booleans()):
        kept = list(first)
        for _ in range(draw(st.integers(1, 4))):
            at = draw(st.integers(0, len(kept) - 1))
            if draw(st.booleans()) and at:
                kept[at - 1], kept[at] = kept[at], kept[at - 1]
            else:
                kept[at] = draw(st.sampled_from(LETTERS[kind].strip()))
        if kind not in LENGTHS and draw(st.booleans()):
            kept.insert(draw(st.integers(0, len(kept))), draw(st.sampled_from(LETTERS[kind].strip())))
        second = "".join(kept).strip() or second
    return first, second


@pytest.mark.parametrize("kind", LOOKS)
def test_what_marks_tell_a_look_at_the_values_tells(kind: Kind) -> None:
    way, look = LOOKS[kind]
    told = 0

    @settings(max_examples=300, deadline=None)
    @given(two_values(kind))
    def agree(texts: tuple[str, str]) -> None:
        nonlocal told
        if texts[0] == texts[1]:
            return
        values = packed(kind, *texts)
        level = told_by_marks(way, *marks(values))
        if level != UNTOLD:
            told += 1
            assert level == look(values)

    agree()
    assert told > 30, "marks that tell nothing save nothing"


@settings(max_examples=300, deadline=None)
@given(two_values(Kind.GIVEN_NAME))
def test_names_that_are_near_may_be_near_by_their_marks(texts: tuple[str, str]) -> None:
    values = packed(Kind.GIVEN_NAME, *texts)
    if texts[0] == texts[1] or name_level(values, 0, 1) >= NEAR:
        assert may_be_near(*marks(values))


@pytest.mark.parametrize(
    ("one", "other"), [("aano3149529", "aa3149529"), ("ab1234567", "a1234567"), ("ab1234567", "ba1234657")]
)
def test_ids_two_slips_apart_are_left_to_a_closer_look(one: str, other: str) -> None:
    for texts in ((one, other), (other, one)):
        values = packed(Kind.DOCUMENT, *texts)
        assert told_by_marks(CODE, *marks(values)) == UNTOLD


def test_values_too_long_for_a_mark_are_left_to_a_closer_look() -> None:
    values = packed(Kind.DOCUMENT, "1" * 17, "2" * 17)
    assert told_by_marks(CODE, *marks(values)) == UNTOLD
    values = packed(Kind.GIVEN_NAME, "a" * 70, "b" * 70)
    assert told_by_marks(NAME, *marks(values)) == UNTOLD
