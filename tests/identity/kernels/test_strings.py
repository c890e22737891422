"""The string kernels against rapidfuzz, whose C++ is the reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA, Indel, JaroWinkler, LCSseq

from suzani.identity.kernels import strings
from suzani.identity.pairs.packing import texts_of

JARO_LONGEST = 64
LONGEST = 256
MASKS = strings.scratch()


def sliced(a: str, b: str) -> tuple[np.ndarray, int, int, int, int]:
    """Two strings among others in one array of bytes: the array and where each begins and ends."""
    text, start = texts_of(["before", a, "between", b, "after"])
    return text, int(start[1]), int(start[2]), int(start[3]), int(start[4])


def jaro_winkler(a: str, b: str) -> float:
    return float(strings.jaro_winkler(*sliced(a, b)))


def common_subsequence(a: str, b: str) -> int:
    return int(strings.common_subsequence(*sliced(a, b), MASKS))


def ratio(a: str, b: str) -> float:
    return float(strings.ratio(*sliced(a, b), MASKS))


def slips(a: str, b: str) -> int:
    return int(strings.slips_up_to_two(*sliced(a, b)))


def within_one_slip(a: str, b: str) -> bool:
    return bool(strings.within_one_slip(*sliced(a, b)))


def words_in_common(a: str, b: str) -> int:
    return int(strings.longest_common_word(*sliced(a, b)))


def contains(a: str, b: str) -> bool:
    return bool(strings.contains(*sliced(a, b)))


FEW_LETTERS = st.text("abc ", max_size=12)
ASCII = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=20)


def long_texts(most: int) -> st.SearchStrategy[str]:
    """Texts around the ends of words of 64 bits, of few letters so that much is in common."""
    sizes = [n for n in (1, 5, 62, 63, 64, 65, 100, 127, 128, 129, 192, 193, 255, 256, 300, 600) if n <= most]
    return st.sampled_from(sizes).flatmap(lambda n: st.text("abcd", min_size=n, max_size=n))


@st.composite
def slipped(draw: st.DrawFn) -> tuple[str, str]:
    """A string, and itself after a few slips."""
    text = other = draw(st.text("abcx", min_size=1, max_size=20))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(other)))
        letter = draw(st.sampled_from("abcx"))
        kind = draw(st.sampled_from("wrong missing more swapped".split()))
        if kind == "wrong":
            other = other[:at] + letter + other[at + 1 :]
        elif kind == "missing":
            other = other[:at] + other[at + 1 :]
        elif kind == "more":
            other = other[:at] + letter + other[at:]
        else:
            other = other[:at] + other[at : at + 2][::-1] + other[at + 2 :]
    return text, other


@given(st.one_of(st.tuples(FEW_LETTERS, FEW_LETTERS), st.tuples(ASCII, ASCII), slipped()))
def test_jaro_winkler_is_that_of_rapidfuzz(pair: tuple[str, str]) -> None:
    a, b = pair
    if a and b:
        assert jaro_winkler(a, b) == pytest.approx(JaroWinkler.similarity(a, b), abs=1e-9)
    else:
        assert jaro_winkler(a, b) == 0.0


@given(long_texts(600), long_texts(600))
def test_jaro_winkler_reads_the_first_64_bytes(a: str, b: str) -> None:
    expected = JaroWinkler.similarity(a[:JARO_LONGEST], b[:JARO_LONGEST])
    assert jaro_winkler(a, b) == pytest.approx(expected, abs=1e-9)


@given(st.one_of(st.tuples(FEW_LETTERS, FEW_LETTERS), st.tuples(ASCII, ASCII), slipped()))
def test_slips_are_counted_up_to_two_by_optimal_alignment(pair: tuple[str, str]) -> None:
    a, b = pair
    assert slips(a, b) == min(OSA.distance(a, b), 3)


@given(st.one_of(st.tuples(FEW_LETTERS, FEW_LETTERS), st.tuples(ASCII, ASCII), slipped()))
def test_one_slip_is_an_alignment_of_one_step(pair: tuple[str, str]) -> None:
    a, b = pair
    assert within_one_slip(a, b) is (OSA.distance(a, b) <= 1)


@given(st.one_of(st.tuples(FEW_LETTERS, FEW_LETTERS), st.tuples(ASCII, ASCII), slipped()))
def test_the_ratio_is_that_of_insertions_and_deletions(pair: tuple[str, str]) -> None:
    a, b = pair
    assert common_subsequence(a, b) == LCSseq.similarity(a, b)
    assert ratio(a, b) == pytest.approx(Indel.normalized_similarity(a, b), abs=1e-9)


@given(long_texts(256), long_texts(256))
def test_the_ratio_holds_for_strings_of_several_machine_words(a: str, b: str) -> None:
    assert common_subsequence(a, b) == LCSseq.similarity(a, b)
    assert ratio(a, b) == pytest.approx(Indel.normalized_similarity(a, b), abs=1e-9)


@given(long_texts(600), long_texts(600))
def test_the_ratio_reads_the_first_256_bytes(a: str, b: str) -> None:
    a_read, b_read = a[:LONGEST], b[:LONGEST]
    assert common_subsequence(a, b) == LCSseq.similarity(a_read, b_read)
    assert ratio(a, b) == pytest.approx(Indel.normalized_similarity(a_read, b_read), abs=1e-9)


@given(st.lists(st.tuples(long_texts(300), long_texts(300)), min_size=1, max_size=4))
def test_working_memory_keeps_nothing_of_the_strings_before(pairs: list[tuple[str, str]]) -> None:
    fresh = [float(strings.ratio(*sliced(a, b), strings.scratch())) for a, b in pairs]
    assert [ratio(a, b) for a, b in pairs] == fresh


@given(st.text(max_size=10), st.text(max_size=10))
def test_letters_beyond_ascii_are_compared_byte_by_byte(a: str, b: str) -> None:
    a_bytes, b_bytes = a.encode(), b.encode()
    assert slips(a, b) == min(OSA.distance(a_bytes, b_bytes), 3)
    assert ratio(a, b) == pytest.approx(Indel.normalized_similarity(a_bytes, b_bytes), abs=1e-9)


@given(FEW_LETTERS, FEW_LETTERS)
def test_every_measure_is_symmetric(a: str, b: str) -> None:
    assert jaro_winkler(a, b) == pytest.approx(jaro_winkler(b, a), abs=1e-12)
    assert slips(a, b) == slips(b, a)
    assert within_one_slip(a, b) == within_one_slip(b, a)
    assert ratio(a, b) == ratio(b, a)
    assert words_in_common(a, b) == words_in_common(b, a)


@given(ASCII, ASCII)
def test_the_same_strings_are_told_from_others(a: str, b: str) -> None:
    assert bool(strings.same(*sliced(a, b))) is (a == b)
    assert strings.same(*sliced(a, a))


BAG = st.lists(st.text("abc1", min_size=1, max_size=5), min_size=1, max_size=6, unique=True).map(sorted)


@given(BAG, BAG)
def test_the_longest_common_word_is_a_whole_word_of_both(a: list[str], b: list[str]) -> None:
    expected = max((len(word) for word in set(a) & set(b)), default=0)
    assert words_in_common(" ".join(a), " ".join(b)) == expected


@given(BAG, BAG)
def test_one_bag_of_words_contains_another_by_its_letters(a: list[str], b: list[str]) -> None:
    both, only_a, only_b = (
        sum(len(word) + 1 for word in words) for words in (set(a) & set(b), set(a) - set(b), set(b) - set(a))
    )
    fewest = min(only_a, only_b)
    expected = both > 0 and (fewest == 0 or 2 * both / (2 * both + fewest) >= 0.95)
    assert contains(" ".join(a), " ".join(b)) is expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("12 navoi", "12 5 navoi", True),
        ("12 navoi", "12 navoi", True),
        ("12 5 navoi", "12 6 navoi", False),
        ("navoi", "navoiy", False),
        ("a", "b", False),
    ],
)
def test_containing_is_told_by_whole_words(a: str, b: str, expected: bool) -> None:
    assert contains(a, b) is expected
    assert contains(b, a) is expected
