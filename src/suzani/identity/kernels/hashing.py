"""Hashes of values, of parts of values, and of whole records."""

from __future__ import annotations

import numpy as np

from suzani.identity.kernels.arrays import Bytes, Codes, Hashes32, Hashes64, Ints
from suzani.identity.kernels.compiling import inner, kernel

_START = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_AGAIN = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)
_HALF = np.uint64(32)


@inner
def _finished(x: np.uint64) -> np.uint64:
    x = (x ^ (x >> _SHIFT)) * _AGAIN
    x = (x ^ (x >> _SHIFT)) * _SPREAD
    return x ^ (x >> _SHIFT)


@inner
def hash_bytes(text: Bytes, start: int, end: int) -> np.uint64:
    """64-bit hash of a stretch of bytes; 0 for an empty one and for no other."""
    if start >= end:
        return np.uint64(0)
    x = _START
    for i in range(start, end):
        x = (x ^ np.uint64(text[i])) * _PRIME
    x = _finished(x)
    return x if x >> _HALF and x & np.uint64(0xFFFFFFFF) else x | _SPREAD


@inner
def half(hash_: np.uint64) -> np.uint32:
    """The upper 32 bits of a hash, which are a hash too."""
    return np.uint32(hash_ >> _HALF)


@kernel
def hash_values(text: Bytes, start: Ints) -> Hashes64:
    """64-bit hash of every value."""
    result = np.empty(len(start) - 1, dtype=np.uint64)
    for v in range(len(result)):
        result[v] = hash_bytes(text, start[v], start[v + 1])
    return result


@kernel
def hash_parts(text: Bytes, start: Ints, first: int, last: int) -> Hashes32:
    """32-bit hash of bytes first to last of every value; positions below 0 count from its end."""
    result = np.empty(len(start) - 1, dtype=np.uint32)
    for v in range(len(result)):
        a, b = start[v], start[v + 1]
        i = a + first if first >= 0 else max(b + first, a)
        j = min(a + last, b) if last > 0 else b + last
        result[v] = half(hash_bytes(text, i, j))
    return result


@kernel
def hash_until(text: Bytes, start: Ints, stop: int) -> Hashes32:
    """32-bit hash of every value up to a byte, or of all of it where the byte does not occur."""
    result = np.empty(len(start) - 1, dtype=np.uint32)
    for v in range(len(result)):
        i = start[v]
        while i < start[v + 1] and text[i] != stop:
            i += 1
        result[v] = half(hash_bytes(text, start[v], i))
    return result


@kernel
def hash_numbers(text: Bytes, start: Ints) -> Hashes32:
    """32-bit hash of the words of every value that are numbers, in their order; 0 where there are none."""
    result = np.zeros(len(start) - 1, dtype=np.uint32)
    for v in range(len(result)):
        x = np.uint64(0)
        i = start[v]
        while i < start[v + 1]:
            j = i
            digits = True
            while j < start[v + 1] and text[j] != 32:
                digits &= 48 <= text[j] <= 57
                j += 1
            if digits:
                x = _finished((x + hash_bytes(text, i, j)) * _PRIME)
            i = j + 1
        result[v] = half(x)
    return result


@kernel
def hash_words(text: Bytes, start: Ints) -> tuple[Hashes64, Ints]:
    """64-bit hashes of all words of all values, and where each value's begin (one more at the end)."""
    total = 0
    for i in range(start[0], start[-1]):
        total += text[i] == 32
    words = np.empty(total + len(start), dtype=np.uint64)
    begins = np.empty(len(start), dtype=np.int64)
    n = 0
    for v in range(len(start) - 1):
        begins[v] = n
        i = start[v]
        while i < start[v + 1]:
            j = i
            while j < start[v + 1] and text[j] != 32:
                j += 1
            words[n] = hash_bytes(text, i, j)
            n += 1
            i = j + 1
    begins[-1] = n
    return words[:n].copy(), begins


@kernel
def rare_pairs(words: Hashes64, begins: Ints, known: Hashes64, counts: Ints) -> Hashes32:
    """The three rarest words of each value two by two, as 32-bit hashes (values × 3, 0: none).

    `counts` belong to the sorted hashes `known`; a word that is not among them is as rare as can be.
    """
    result = np.zeros((len(begins) - 1, 3), dtype=np.uint32)
    best = np.empty(3, dtype=np.uint64)
    rank = np.empty(3, dtype=np.int64)
    for v in range(len(begins) - 1):
        n = 0
        for w in range(begins[v], begins[v + 1]):
            at = np.searchsorted(known, words[w])
            count = counts[at] if at < len(known) and known[at] == words[w] else np.int64(0)
            k = min(n, 3)
            while k > 0 and (count < rank[k - 1] or (count == rank[k - 1] and words[w] < best[k - 1])):
                if k < 3:
                    best[k], rank[k] = best[k - 1], rank[k - 1]
                k -= 1
            if k < 3:
                best[k], rank[k] = words[w], count
                n = min(n + 1, 3)
        if n >= 2:
            result[v, 0] = _pair(best[0], best[1])
        if n == 3:
            result[v, 1], result[v, 2] = _pair(best[0], best[2]), _pair(best[1], best[2])
    return result


@inner
def _pair(a: np.uint64, b: np.uint64) -> np.uint32:
    return half(_finished(min(a, b) * _PRIME + max(a, b))) | np.uint32(1)


@kernel
def hash_records(codes: Codes, values: Hashes64) -> Hashes64:
    """64-bit hash of what each record says: of the values (by their hashes) in all its columns."""
    result = np.empty(len(codes), dtype=np.uint64)
    for row in range(len(codes)):
        x = _START
        for column in range(codes.shape[1]):
            code = codes[row, column]
            x = (x ^ (x >> _SHIFT)) * _PRIME + (values[code] if code >= 0 else np.uint64(1))
        result[row] = _finished(x)
    return result


@kernel
def signatures(text: Bytes, start: Ints) -> Hashes32:
    """Sets of 32 bits for every value: of classes of its bytes, and, in two columns, of neighbouring two."""
    result = np.zeros((len(start) - 1, 3), dtype=np.uint32)
    for v in range(len(result)):
        letters, pairs = np.uint32(0), np.uint64(0)
        before = np.uint64(0)
        for i in range(start[v], start[v + 1]):
            char = np.uint64(text[i])
            letters |= np.uint32(1) << np.uint32(char & np.uint64(31))
            if i > start[v]:
                pairs |= np.uint64(1) << ((before << np.uint64(8) | char) * _SPREAD >> np.uint64(58))
            before = char
        result[v, 0] = letters
        result[v, 1], result[v, 2] = np.uint32(pairs & np.uint64(0xFFFFFFFF)), np.uint32(pairs >> _HALF)
    return result


@kernel
def hash_stretches(text: Bytes, begins: Ints, ends: Ints) -> Hashes32:
    """32-bit hash of many stretches of bytes."""
    result = np.empty(len(begins), dtype=np.uint32)
    for i in range(len(begins)):
        result[i] = half(hash_bytes(text, begins[i], ends[i]))
    return result


WHOLE = -1
"""In place of a form: the value itself."""


@kernel
def hash_keys(table: Ints, codes: Codes, hashes: Hashes64, forms: Hashes32) -> Hashes32:
    """The blocking keys of records (rows × columns, 0: none); see `keys.Keys` for the table.

    An alternative that repeats an earlier one of its source is left out.
    """
    result = np.zeros((len(codes), max(len(table), 1)), dtype=np.uint32)
    for row in range(len(codes)):
        for column in range(len(table)):
            value = codes[row, table[column, 0]]
            if value < 0:
                continue
            form = table[column, 1]
            key = half(hashes[value]) if form == WHOLE else forms[value, form]
            for earlier in range(table[column, 2], column):
                if result[row, earlier] == key:
                    key = np.uint32(0)
            result[row, column] = key
    return result
