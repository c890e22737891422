"""Similarity of short byte strings that lie in one array; `a`, `b` are slices of it.

Jaro 1989, Winkler 1990; bit-parallel longest common subsequence: Hyyrö 2004; optimal string alignment.
"""

from __future__ import annotations

import numpy as np

from suzani.identity.kernels.arrays import Bytes, Hashes64
from suzani.identity.kernels.compiling import inner, kernel

WORDS = 4
"""64-bit words per character mask: strings are compared by their first 256 bytes."""
_LONGEST = 64 * WORDS
_JARO_LONGEST = 64


@kernel
def scratch() -> Hashes64:
    """Working memory for one thread: a mask per byte value and the state of the bit vectors."""
    return np.zeros((257, WORDS), dtype=np.uint64)


@inner
def same(text: Bytes, a0: int, a1: int, b0: int, b1: int) -> bool:
    """Whether two strings are equal."""
    if a1 - a0 != b1 - b0:
        return False
    for i in range(a1 - a0):
        if text[a0 + i] != text[b0 + i]:
            return False
    return True


@inner
def _letters(text: Bytes, start: int, end: int) -> np.uint32:
    """A set of 32 classes of bytes that occur."""
    found = np.uint32(0)
    for i in range(start, end):
        found |= np.uint32(1) << np.uint32(text[i] & 31)
    return found


@inner
def ones(x: np.uint32) -> int:
    """How many bits are set."""
    x -= (x >> np.uint32(1)) & np.uint32(0x55555555)
    x = (x & np.uint32(0x33333333)) + ((x >> np.uint32(2)) & np.uint32(0x33333333))
    x = (x + (x >> np.uint32(4))) & np.uint32(0x0F0F0F0F)
    return int(np.uint32(x * np.uint32(0x01010101)) >> np.uint32(24))


@inner
def jaro_winkler(text: Bytes, a0: int, a1: int, b0: int, b1: int, least: float = 0.0) -> float:
    """Jaro–Winkler similarity, 0 to 1, of the first 64 bytes of each string; prefix weight 0.1.

    0 where it is sure to be below `least`, as most different strings are by the letters they lack.
    """
    la, lb = min(a1 - a0, _JARO_LONGEST), min(b1 - b0, _JARO_LONGEST)
    if la == 0 or lb == 0:
        return 0.0
    prefix = 0
    while prefix < min(la, lb, 4) and text[a0 + prefix] == text[b0 + prefix]:
        prefix += 1
    in_a, in_b = _letters(text, a0, a0 + la), _letters(text, b0, b0 + lb)
    common = min(la - ones(in_a & ~in_b), lb - ones(in_b & ~in_a))
    if common <= 0 or _with_prefix((common / la + common / lb + 1.0) / 3.0, prefix) < least - 1e-9:
        return 0.0
    return _with_prefix(_jaro(text, a0, la, b0, lb), prefix)


@inner
def _with_prefix(jaro: float, prefix: int) -> float:
    return jaro if jaro <= 0.7 else jaro + prefix * 0.1 * (1.0 - jaro)


@inner
def _jaro(text: Bytes, a0: int, la: int, b0: int, lb: int) -> float:
    """Jaro similarity of strings of la and lb bytes, 64 at the most."""
    reach = max(max(la, lb) // 2 - 1, 0)
    taken_a = np.uint64(0)
    taken_b = np.uint64(0)
    one = np.uint64(1)
    common = 0
    for i in range(la):
        char = text[a0 + i]
        for j in range(max(0, i - reach), min(lb, i + reach + 1)):
            if text[b0 + j] == char and not (taken_b >> np.uint64(j)) & one:
                taken_a |= one << np.uint64(i)
                taken_b |= one << np.uint64(j)
                common += 1
                break
    if common == 0:
        return 0.0
    swapped = 0
    j = 0
    for i in range(la):
        if (taken_a >> np.uint64(i)) & one:
            while not (taken_b >> np.uint64(j)) & one:
                j += 1
            swapped += text[a0 + i] != text[b0 + j]
            j += 1
    return (common / la + common / lb + (common - swapped // 2) / common) / 3.0


@inner
def within_one_slip(text: Bytes, a0: int, a1: int, b0: int, b1: int) -> bool:
    """Whether at most one byte was mistyped, added or left out, or two neighbours swapped."""
    while a0 < a1 and b0 < b1 and text[a0] == text[b0]:
        a0 += 1
        b0 += 1
    while a0 < a1 and b0 < b1 and text[a1 - 1] == text[b1 - 1]:
        a1 -= 1
        b1 -= 1
    la, lb = a1 - a0, b1 - b0
    if la <= 1 and lb <= 1:
        return True
    return la == 2 and lb == 2 and text[a0] == text[b0 + 1] and text[a0 + 1] == text[b0]


@inner
def slips_up_to_two(text: Bytes, a0: int, a1: int, b0: int, b1: int) -> int:
    """Optimal string alignment distance: 0, 1, 2, or 3 for any more."""
    if abs((a1 - a0) - (b1 - b0)) > 2:
        return 3
    while a0 < a1 and b0 < b1 and text[a0] == text[b0]:
        a0 += 1
        b0 += 1
    if a0 == a1 or b0 == b1:
        return min((a1 - a0) + (b1 - b0), 3)
    if within_one_slip(text, a0, a1, b0, b1):
        return 1
    # The first difference must be a slip; what follows may hold one more.
    if within_one_slip(text, a0 + 1, a1, b0 + 1, b1):
        return 2
    if within_one_slip(text, a0 + 1, a1, b0, b1) or within_one_slip(text, a0, a1, b0 + 1, b1):
        return 2
    if a1 - a0 >= 2 and b1 - b0 >= 2 and text[a0] == text[b0 + 1] and text[a0 + 1] == text[b0]:
        if within_one_slip(text, a0 + 2, a1, b0 + 2, b1):
            return 2
    return 3


@inner
def common_subsequence(text: Bytes, a0: int, a1: int, b0: int, b1: int, masks: Hashes64) -> int:
    """Length of the longest common subsequence of the first 256 bytes of each; `masks` from `scratch`."""
    la, lb = min(a1 - a0, _LONGEST), min(b1 - b0, _LONGEST)
    if la > lb:
        a0, b0, la, lb = b0, a0, lb, la
    if la <= 64:
        return _short_subsequence(text, a0, la, b0, lb, masks)
    return _long_subsequence(text, a0, la, b0, lb, masks)


@inner
def _short_subsequence(text: Bytes, a0: int, la: int, b0: int, lb: int, masks: Hashes64) -> int:
    """The same where the first string fits one word."""
    one = np.uint64(1)
    for i in range(la):
        masks[text[a0 + i], 0] |= one << np.uint64(i)
    state = ~np.uint64(0)
    for j in range(lb):
        matched = state & masks[text[b0 + j], 0]
        state = (state + matched) | (state - matched)
    for i in range(la):
        masks[text[a0 + i], 0] = np.uint64(0)
    # The zeros among the la lowest bits are the letters in common.
    left = ~state
    if la < 64:
        left &= (one << np.uint64(la)) - one
    return ones(np.uint32(left & np.uint64(0xFFFFFFFF))) + ones(np.uint32(left >> np.uint64(32)))


@inner
def _long_subsequence(text: Bytes, a0: int, la: int, b0: int, lb: int, masks: Hashes64) -> int:
    words = (la + 63) // 64
    one, none = np.uint64(1), np.uint64(0)
    for i in range(la):
        masks[text[a0 + i], i >> 6] |= one << np.uint64(i & 63)
    state = masks[256]
    for w in range(words):
        state[w] = ~none
    for j in range(lb):
        char = text[b0 + j]
        carry = none
        for w in range(words):
            before = state[w]
            matched = before & masks[char, w]
            total = before + matched
            over = total < before
            total += carry
            carry = one if over or (total < carry) else none
            state[w] = total | (before - matched)
    length = 0
    for w in range(words):
        left = ~state[w]
        if w == words - 1 and la & 63:
            left &= (one << np.uint64(la & 63)) - one
        length += ones(np.uint32(left & np.uint64(0xFFFFFFFF))) + ones(np.uint32(left >> np.uint64(32)))
    for i in range(la):
        masks[text[a0 + i], i >> 6] = none
    return length


@inner
def ratio(text: Bytes, a0: int, a1: int, b0: int, b1: int, masks: Hashes64) -> float:
    """Share of the letters of both strings that stand in a common subsequence, 0 to 1."""
    total = min(a1 - a0, _LONGEST) + min(b1 - b0, _LONGEST)
    if total == 0:
        return 1.0
    return 2.0 * common_subsequence(text, a0, a1, b0, b1, masks) / total


@inner
def _word_end(text: Bytes, start: int, end: int) -> int:
    while start < end and text[start] != 32:
        start += 1
    return start


@inner
def longest_common_word(text: Bytes, a0: int, a1: int, b0: int, b1: int) -> int:
    """Length of the longest word, between blanks, that both strings have."""
    longest = 0
    i = a0
    while i < a1:
        i_end = _word_end(text, i, a1)
        j = b0
        while j < b1:
            j_end = _word_end(text, j, b1)
            if i_end - i > longest and same(text, i, i_end, j, j_end):
                longest = i_end - i
            j = j_end + 1
        i = i_end + 1
    return longest


@inner
def _compare_words(text: Bytes, i: int, i_end: int, j: int, j_end: int) -> int:
    """-1, 0, 1 as the first word sorts before, with or after the second."""
    for k in range(min(i_end - i, j_end - j)):
        if text[i + k] != text[j + k]:
            return -1 if text[i + k] < text[j + k] else 1
    if i_end - i == j_end - j:
        return 0
    return -1 if i_end - i < j_end - j else 1


@inner
def contains(text: Bytes, a0: int, a1: int, b0: int, b1: int) -> bool:
    """Whether one bag of sorted words holds all, or 95 in 100 letters, of the other."""
    both = only_a = only_b = 0
    i, j = a0, b0
    while i < a1 or j < b1:
        i_end = _word_end(text, i, a1)
        j_end = _word_end(text, j, b1)
        order = 1 if i >= a1 else (-1 if j >= b1 else _compare_words(text, i, i_end, j, j_end))
        if order == 0:
            both += i_end - i + 1
        elif order < 0:
            only_a += i_end - i + 1
        else:
            only_b += j_end - j + 1
        if order <= 0:
            i = i_end + 1
        if order >= 0:
            j = j_end + 1
    if both == 0:
        return False
    return min(only_a, only_b) == 0 or 2.0 * both / (2.0 * both + min(only_a, only_b)) >= 0.95
