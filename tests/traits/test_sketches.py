from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suzani.traits.sketches import (
    add_hash,
    add_value,
    count_distinct,
    hashed,
    merge_hashes,
    merge_tallies,
    most_frequent,
)

LIMIT = 4
values = st.lists(st.tuples(st.sampled_from("abcdefghij"), st.integers(0, 2**24 - 1)), max_size=30)


def hashes(texts: Sequence[str], limit: int = LIMIT) -> Any:
    kept = None
    for text in texts:
        kept = add_hash(kept, hashed(text), limit)
    return kept or []


def tally(events: Sequence[tuple[str, int]], limit: int = LIMIT) -> Any:
    kept = None
    for text, rank in events:
        kept = add_value(kept, text, rank, limit)
    return kept or {}


@settings(max_examples=300)
@given(values, st.randoms(use_true_random=False), st.integers(0, 30))
def test_sketches_do_not_depend_on_order_or_batches(
    events: list[tuple[str, int]], chance: random.Random, cut: int
) -> None:
    shuffled = chance.sample(events, len(events))
    texts = [text for text, _ in shuffled]
    assert hashes(texts) == hashes([text for text, _ in events])
    assert merge_hashes(hashes(texts[:cut]), hashes(texts[cut:]), LIMIT) == hashes(texts)
    assert tally(shuffled) == tally(events)
    assert merge_tallies(tally(shuffled[:cut]), tally(shuffled[cut:]), LIMIT) == tally(events)


@given(values)
def test_up_to_the_limit_sketches_are_exact(events: list[tuple[str, int]]) -> None:
    counts = Counter(text for text, _ in events)
    pieces = [hashes([text for text, _ in events], 10), hashes("ab", 10)]
    assert count_distinct(pieces, 10) == len({*counts, "a", "b"})
    expected = min(counts, key=lambda text: (-counts[text], text)) if counts else None
    assert most_frequent([tally(events, 10)], 10) == expected


def test_many_different_values_are_estimated() -> None:
    pieces = [hashes([f"{n}" for n in range(start, start + 3000)], 256) for start in (0, 2000, 4000)]
    assert count_distinct(pieces, 256) == pytest.approx(7000, rel=0.12)
    assert max(map(len, pieces)) == 257


@pytest.mark.parametrize("merged", [False, True])
def test_the_usual_value_is_found_among_very_many(merged: bool) -> None:
    chance = random.Random(5)
    events = [(f"rare {n}", chance.getrandbits(24)) for n in range(20_000)]
    events += [("usual", chance.getrandbits(24)) for _ in range(3_000)]
    chance.shuffle(events)
    parts: list[Any] = [tally(events[:9000], 32), tally(events[9000:], 32)]
    whole = [merge_tallies(parts[0], parts[1], 32)] if merged else parts
    assert most_frequent(whole, 32) == "usual"
    assert all(len(candidates) <= 32 for candidates, _ in whole)


def test_pieces_with_few_and_with_many_values_are_put_together() -> None:
    many = tally([(f"{n}", n) for n in range(40)], 32)
    assert most_frequent([many, tally([("x", 1)] * 30, 32)], 32) == "x"
    assert most_frequent([], 32) is None


@pytest.mark.parametrize("summary", [count_distinct, most_frequent])
def test_nothing_has_no_values(summary: Callable[[Sequence[Any], int], object]) -> None:
    assert not summary([], 8)
