from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.activity.selection import selected, selection
from suzani.kernel import InvalidInput, NotFound, SuzaniError

PARTS = ("profile", "traits", "segments")


@pytest.mark.parametrize("text", [None, "", " , "])
def test_nothing_selected_is_everything(text: str | None) -> None:
    assert selection(text, PARTS) == dict.fromkeys(PARTS)


def test_single_values_are_selected_by_dots() -> None:
    assert selection("traits.spent, traits.visits,segments", PARTS) == {
        "traits": frozenset({"spent", "visits"}),
        "segments": None,
    }


@pytest.mark.parametrize("text", ["traits,traits.spent", "traits.spent,traits"])
def test_a_part_that_is_named_whole_is_given_whole(text: str) -> None:
    assert selection(text, PARTS) == {"traits": None}


def test_an_unknown_part_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(NotFound, match="Did you mean 'traits'"):
        selection("trait.spent", PARTS)


def test_too_many_names_are_refused() -> None:
    with pytest.raises(InvalidInput, match="201 names"):
        selection(",".join(f"traits.t{i}" for i in range(201)), PARTS)


@given(st.text())
def test_any_text_is_a_selection_or_a_clear_refusal(text: str) -> None:
    with suppress(SuzaniError):
        assert set(selection(text, PARTS)) <= set(PARTS)


def test_what_a_part_does_not_have_is_left_out() -> None:
    assert selected({"a": 1, "b": 2}, frozenset({"a", "c"})) == {"a": 1}
    assert selected({"a": 1}, None) == {"a": 1}
