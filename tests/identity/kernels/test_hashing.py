from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.kernels import hashing
from suzani.identity.pairs.packing import texts_of

HALF = np.uint64(32)
VALUES = st.lists(st.text(max_size=12), max_size=20)


NAMES = st.lists(st.tuples(*2 * [st.text(alphabet="abJ ", max_size=6)]), max_size=12)


def lines(values: list[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer("".join(f"{value}\n" for value in values).encode() or b"\n", np.uint8)


@given(NAMES)
def test_names_have_hashes_of_their_sound_their_letters_and_a_key(names: list[tuple[str, str]]) -> None:
    folded, sounds = [one for one, _ in names], [other for _, other in names]
    forms, whole = hashing.name_forms(lines(folded), lines(sounds), len(names))
    assert whole.tolist() == hashes(folded)
    assert forms[:, 0].tolist() == halves(sounds)
    assert forms[:, 1].tolist() == halves([name.replace(" ", "") for name in folded])
    assert forms[:, 2].tolist() == halves([sound if len(sound) > 2 else name for name, sound in names])
    assert not forms[:, 3].any()


def hashes(values: list[str]) -> list[int]:
    numbers: list[int] = hashing.hash_values(*texts_of(values)).tolist()
    return numbers


def halves(values: list[str]) -> list[int]:
    return [number >> 32 for number in hashes(values)]


def parts(values: list[str], first: int, last: int) -> list[int]:
    numbers: list[int] = hashing.hash_parts(*texts_of(values), first, last).tolist()
    return numbers


@given(VALUES)
def test_equal_values_have_equal_hashes_and_others_do_not(values: list[str]) -> None:
    found = hashes(values)
    assert len(set(zip(values, found, strict=True))) == len(set(values)) == len(set(found))


@given(VALUES)
def test_only_an_empty_value_has_the_hash_0(values: list[str]) -> None:
    for value, whole, half in zip(values, hashes(values), halves(values), strict=True):
        assert (whole == 0) is (half == 0) is (whole & 0xFFFFFFFF == 0) is (value == "")


@given(VALUES)
def test_a_hash_does_not_depend_on_the_values_around(values: list[str]) -> None:
    assert hashes(values) == [hashes([value])[0] for value in values]
    assert hashes(values[::-1]) == hashes(values)[::-1]


def test_many_values_have_no_hash_in_common() -> None:
    found = hashing.hash_values(*texts_of([f"9{number:08}" for number in range(50_000)]))
    assert len(np.unique(found)) == 50_000
    # The upper half is a hash of its own: about n² / 2³³ of them meet by chance.
    assert len(np.unique(found >> HALF)) > 49_990


@given(st.lists(st.text("0123456789abc", max_size=12), min_size=1, max_size=8))
def test_a_part_of_a_value_has_the_hash_of_that_part(values: list[str]) -> None:
    assert parts(values, 0, 4) == halves([value[:4] for value in values])
    assert parts(values, 4, 8) == halves([value[4:8] for value in values])
    assert parts(values, -7, 0) == halves([value[-7:] for value in values])
    until = hashing.hash_until(*texts_of(values), ord("a")).tolist()
    assert until == halves([value.split("a")[0] for value in values])


def test_a_mailbox_ends_at_its_sign() -> None:
    values = ["ann@mail.uz", "ann@post.uz", "ann", "@mail.uz"]
    found = hashing.hash_until(*texts_of(values), ord("@")).tolist()
    assert found[0] == found[1] == found[2] != 0
    assert found[3] == 0


def test_stretches_hash_like_values() -> None:
    text, _ = texts_of(["navoi", "navoi"])
    begins, ends = np.array([0, 5, 0, 3]), np.array([5, 10, 4, 3])
    found = hashing.hash_stretches(text, begins, ends).tolist()
    assert found == halves(["navoi", "navoi", "navo", ""])


def test_the_numbers_of_an_address_count_in_their_order() -> None:
    values = ["12 5 navoi", "furkat 12 5", "5 12 navoi", "navoi", "12a navoi", "12 5", ""]
    found = forms_of(values, [])[:, 0].tolist()
    assert found[0] == found[1] == found[5] != 0
    assert found[2] not in (0, found[0])
    assert found[3] == found[4] == found[6] == 0


@given(st.lists(st.lists(st.text("abc1", min_size=1, max_size=3), max_size=5), max_size=6))
def test_words_are_hashed_one_by_one(bags: list[list[str]]) -> None:
    numbers, begins, found, digits = hashing.number_words(*texts_of([" ".join(bag) for bag in bags]))
    words = [word for bag in bags for word in bag]
    assert begins.tolist() == np.cumsum([0, *map(len, bags)]).tolist()
    assert found[numbers].tolist() == hashes(words)
    assert len(found) == len(set(words))
    assert digits[numbers].tolist() == [word.isdigit() for word in words]


def test_very_many_words_are_numbered_too() -> None:
    words = [f"a{number}" for number in range(30_000)]
    numbers, _, found, _ = hashing.number_words(*texts_of([*words, *words]))
    assert numbers.tolist() == 2 * list(range(30_000))
    assert found.tolist() == hashes(words)


def forms_of(values: list[str], repeated: list[str]) -> npt.NDArray[np.uint32]:
    """The forms of texts, where some words are known to have been seen: each as often as it stands there."""
    numbers, begins, words, digits = hashing.number_words(*texts_of(values))
    seen = Counter(hashes(repeated))
    counts = np.array([seen[word] if seen[word] > 1 else 0 for word in words.tolist()], dtype=np.int64)
    return np.asarray(hashing.bag_forms(numbers, begins, words, digits, counts))


def pairs_of(bags: list[list[str]], known: list[list[str]]) -> list[list[int]]:
    words = [word for bag in known for word in bag]
    pairs: list[list[int]] = forms_of([" ".join(bag) for bag in bags], words)[:, 1:].tolist()
    return pairs


BAGS = st.lists(
    st.lists(st.sampled_from("navoi furkat oybek 1 2 3 uy kocha a b".split()), unique=True, max_size=6),
    min_size=1,
    max_size=8,
)


@given(BAGS)
def test_the_rarest_words_of_a_value_pair_up(bags: list[list[str]]) -> None:
    counts = Counter(word for bag in bags for word in bag)
    number = {word: hashes([word])[0] for word in counts}
    for bag, pairs in zip(bags, pairs_of(bags, bags), strict=True):
        # A word that was seen once is as rare as one never seen.
        rank = {word: (counts[word] if counts[word] > 1 else 0, number[word]) for word in bag}
        rarest = sorted(bag, key=rank.__getitem__)[:3]
        expected = {
            pairs_of([list(two)], [])[0][0] for two in combinations(rarest, 2)
        }  # fmt: skip
        assert {pair for pair in pairs if pair} == expected
        assert len([pair for pair in pairs if pair]) == len(expected)


@given(BAGS)
def test_pairs_of_rare_words_do_not_depend_on_the_order_of_words(bags: list[list[str]]) -> None:
    turned = [bag[::-1] for bag in bags]
    assert list(map(set, pairs_of(bags, bags))) == list(map(set, pairs_of(turned, bags)))


@pytest.mark.parametrize(("bag", "pairs"), [([], 0), (["a"], 0), (["a", "b"], 1), (["a", "b", "c", "d"], 3)])
def test_a_value_has_as_many_pairs_as_its_words_allow(bag: list[str], pairs: int) -> None:
    found = pairs_of([bag], [])[0]
    assert len([pair for pair in found if pair]) == len({pair for pair in found if pair}) == pairs


@given(st.lists(st.lists(st.integers(-1, 3), min_size=3, max_size=3), min_size=1, max_size=12))
def test_records_have_one_hash_where_they_say_the_same(rows: list[list[int]]) -> None:
    values = hashing.hash_values(*texts_of(["navoi", "furkat", "oybek", "beruni"]))
    found = hashing.hash_records(np.array(rows, dtype=np.int32), values, -1).tolist()
    assert len(set(found)) == len(set(map(tuple, rows)))
    assert len(set(zip(map(tuple, rows), found, strict=True))) == len(set(found))


def test_what_a_record_says_does_not_depend_on_how_its_values_are_numbered() -> None:
    one = hashing.hash_records(
        np.array([[0, 1]], dtype=np.int32), hashing.hash_values(*texts_of(["navoi", "furkat"])), -1
    )
    other = hashing.hash_records(
        np.array([[2, 0]], dtype=np.int32), hashing.hash_values(*texts_of(["furkat", "oybek", "navoi"])), -1
    )
    assert one.tolist() == other.tolist()


def test_the_hash_of_what_a_record_says_begins_as_that_of_its_leading_value() -> None:
    values = hashing.hash_values(*texts_of(["navoi", "furkat", "oybek"]))
    codes = np.array([[0, 1], [2, 1], [0, -1]], dtype=np.int32)
    first, second, without = hashing.hash_records(codes, values, 1).tolist()
    assert first != second
    assert first >> 48 == second >> 48 == int(values[1]) >> 48
    assert [without] == hashing.hash_records(codes[2:], values, -1).tolist()
