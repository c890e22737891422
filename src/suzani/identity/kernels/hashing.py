"""Hashes of values, of parts of values, and of whole records."""

from __future__ import annotations

import numpy as np

from suzani.identity.kernels.arrays import Bools, Bytes, Codes, Hashes32, Hashes64, Ints
from suzani.identity.kernels.compiling import inlined, inner, kernel

_START = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_AGAIN = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)
_LED = np.uint64(16)
_LEADING = np.uint64(0xFFFF << 48)
_HALF = np.uint64(32)
_SPACE = 32
_LINE_BREAK = 10
_FEWEST_SLOTS = 1 << 8
STRETCH = 4096
"""Records that are looked at column by column: they stay in the cache, and so do the values of a column."""


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
    return _something(x)


@inner
def _something(x: np.uint64) -> np.uint64:
    """The hash of what is there: neither half of it is 0."""
    x = _finished(x)
    return x if x >> _HALF and x & np.uint64(0xFFFFFFFF) else x | _SPREAD


@inlined
def _four_bytes(text: Bytes, start: int) -> np.uint64:
    # Written out, and by unsigned places, this is compiled to one load; so is what follows.
    at, one = np.uint64(start), np.uint64(1)
    low = np.uint64(text[at]) | np.uint64(text[at + one]) << np.uint64(8)
    at += np.uint64(2)
    return low | np.uint64(text[at]) << np.uint64(16) | np.uint64(text[at + one]) << np.uint64(24)


@inlined
def _eight_bytes(text: Bytes, start: int) -> np.uint64:
    return _four_bytes(text, start) | _four_bytes(text, start + 4) << _HALF


@inlined
def _stirred(x: np.uint64, word: np.uint64) -> np.uint64:
    x = (x ^ word) * _SPREAD
    return x ^ (x >> _HALF)


@inner
def quick_hash(text: Bytes, start: int, end: int) -> np.uint64:
    """64-bit hash of a stretch of bytes, a word at a time; 0 for an empty one and for no other.

    For what is never kept: half the time that `hash_bytes` takes or less, a fifth from a dozen bytes on.
    """
    size = end - start
    if size <= 0:
        return np.uint64(0)
    x = np.uint64(size) * _AGAIN
    if size >= 8:
        for at in range(start, end - 8, 8):
            x = _stirred(x, _eight_bytes(text, at))
        word = _eight_bytes(text, end - 8)
    elif size >= 4:
        word = _four_bytes(text, start) | _four_bytes(text, end - 4) << _HALF
    else:
        middle, last = np.uint64(text[start + (size >> 1)]), np.uint64(text[end - 1])
        word = np.uint64(text[start]) | middle << np.uint64(8) | last << np.uint64(16)
    x = _finished(_stirred(x, word))
    return x if x else _SPREAD


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


@inner
def _hash_letters(text: Bytes, start: int, end: int) -> np.uint64:
    """The hash of a stretch of bytes without its blanks."""
    x, any_ = _START, False
    for i in range(start, end):
        if text[i] != _SPACE:
            x = (x ^ np.uint64(text[i])) * _PRIME
            any_ = True
    return _something(x) if any_ else np.uint64(0)


@inner
def _end_of_line(text: Bytes, start: int) -> int:
    end = start
    while text[end] != _LINE_BREAK:
        end += 1
    return end


@kernel
def name_forms(folded: Bytes, sounds: Bytes, names: int) -> tuple[Hashes32, Hashes64]:
    """The forms of names (names × 4, the last 0), and a 64-bit hash of each as it is folded.

    Names, folded and as they sound, come as lines. Sounds too short to tell names apart keep their letters as
    keys.
    """
    forms = np.zeros((names, 4), dtype=np.uint32)
    hashes = np.empty(names, dtype=np.uint64)
    i = j = 0
    for name in range(names):
        end, ends = _end_of_line(folded, i), _end_of_line(sounds, j)
        hashes[name] = hash_bytes(folded, i, end)
        sound = half(hash_bytes(sounds, j, ends))
        forms[name, 0], forms[name, 1] = sound, half(_hash_letters(folded, i, end))
        forms[name, 2] = sound if ends - j > 2 else half(hashes[name])
        i, j = end + 1, ends + 1
    return forms, hashes


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


@inner
def slot_of(slots: Codes, hashes: Hashes64, hash_: np.uint64) -> int:
    """Where the number of a hash stands, or has to be put; there are a power of two slots, not all taken."""
    slot = hash_ & np.uint64(len(slots) - 1)
    while slots[slot] >= 0 and hashes[slots[slot]] != hash_:
        slot = (slot + np.uint64(1)) & np.uint64(len(slots) - 1)
    return int(slot)


@inner
def _number(
    text: Bytes, start: Ints, slots: Codes, numbers: Codes, begins: Ints, hashes: Hashes64, digits: Bools,
    v: int, seen: int, distinct: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Number the words of values from v on until the slots are half full: the next value, and how many words
    were seen and how many are distinct."""
    while v < len(start) - 1 and 2 * distinct + start[v + 1] - start[v] < len(slots):
        i = start[v]
        while i < start[v + 1]:
            j = i
            whole = True
            while j < start[v + 1] and text[j] != _SPACE:
                whole &= 48 <= text[j] <= 57
                j += 1
            hash_ = hash_bytes(text, i, j)
            slot = slot_of(slots, hashes, hash_)
            if slots[slot] < 0:
                slots[slot] = distinct
                hashes[distinct], digits[distinct] = hash_, whole
                distinct += 1
            numbers[seen] = slots[slot]
            seen += 1
            i = j + 1
        v += 1
        begins[v] = seen
    return v, seen, distinct


@kernel
def number_words(text: Bytes, start: Ints) -> tuple[Codes, Ints, Hashes64, Bools]:
    """The words of all values by number: the numbers, where each value's begin (one more at the end), and of
    each distinct word its 64-bit hash and whether it is all digits."""
    most = len(start)
    for i in range(start[0], start[-1]):
        most += text[i] == _SPACE
    numbers, begins = np.empty(most, dtype=np.int32), np.zeros(len(start), dtype=np.int64)
    hashes, digits = np.empty(most, dtype=np.uint64), np.empty(most, dtype=np.bool_)
    size, v, seen, distinct = _FEWEST_SLOTS, 0, 0, 0
    while v < len(start) - 1:
        slots = np.full(size, -1, dtype=np.int32)
        for word in range(distinct):
            slots[slot_of(slots, hashes, hashes[word])] = word
        v, seen, distinct = _number(text, start, slots, numbers, begins, hashes, digits, v, seen, distinct)
        size *= 4
    return numbers[:seen], begins, hashes[:distinct].copy(), digits[:distinct].copy()


@kernel
def bag_forms(numbers: Codes, begins: Ints, hashes: Hashes64, digits: Bools, counts: Ints) -> Hashes32:
    """What tells texts apart, as 32-bit hashes (values × 4, 0: none): their numbers in their order, and their
    three rarest words two by two.

    Words as `number_words` gives them; `counts` says how often each was seen, 0 for as rare as can be.
    """
    result = np.zeros((len(begins) - 1, 4), dtype=np.uint32)
    best = np.empty(3, dtype=np.int32)
    for v in range(len(begins) - 1):
        n = 0
        said = np.uint64(0)
        for w in range(begins[v], begins[v + 1]):
            word = numbers[w]
            if digits[word]:
                said = _finished((said + hashes[word]) * _PRIME)
            k = n
            while k > 0 and _is_rarer(word, best[k - 1], hashes, counts):
                if k < 3:
                    best[k] = best[k - 1]
                k -= 1
            if k < 3:
                best[k] = word
                n = min(n + 1, 3)
        result[v, 0] = half(said)
        if n >= 2:
            result[v, 1] = _pair(hashes[best[0]], hashes[best[1]])
        if n == 3:
            result[v, 2] = _pair(hashes[best[0]], hashes[best[2]])
            result[v, 3] = _pair(hashes[best[1]], hashes[best[2]])
    return result


@inner
def _is_rarer(a: int, b: int, hashes: Hashes64, counts: Ints) -> bool:
    return bool(counts[a] < counts[b] or (counts[a] == counts[b] and hashes[a] < hashes[b]))


@inner
def _pair(a: np.uint64, b: np.uint64) -> np.uint32:
    return half(_finished(min(a, b) * _PRIME + max(a, b))) | np.uint32(1)


@kernel
def hash_records(codes: Codes, values: Hashes64, leading: int) -> Hashes64:
    """64-bit hash of what each record says: of the values (by their hashes) in all its columns. It begins
    with 16 bits of the hash of the `leading` column (-1: none), where that is filled."""
    result = np.empty(len(codes), dtype=np.uint64)
    for row in range(len(codes)):
        x = _START
        for column in range(codes.shape[1]):
            code = codes[row, column]
            x = (x ^ (x >> _SHIFT)) * _PRIME + (values[code] if code >= 0 else np.uint64(1))
        result[row] = _finished(x)
        if leading >= 0 and codes[row, leading] >= 0:
            result[row] = values[codes[row, leading]] & _LEADING | result[row] >> _LED
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
    for begin in range(0, len(codes), STRETCH):
        for column in range(len(table)):
            _add_keys(column, table, codes[begin : begin + STRETCH], hashes, forms, result[begin:])
    return result


@inner
def _add_keys(
    column: int, table: Ints, codes: Codes, hashes: Hashes64, forms: Hashes32, result: Hashes32
) -> None:
    """Write one column of the keys of some records."""
    of, form, first = table[column]
    for row in range(len(codes)):
        value = codes[row, of]
        if value >= 0:
            key = half(hashes[value]) if form == WHOLE else forms[value, form]
            for earlier in range(first, column):
                if result[row, earlier] == key:
                    key = np.uint32(0)
            result[row, column] = key
