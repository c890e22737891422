"""Texts by the hundred thousand, as Arrow keeps them: the bytes of all values and where each starts.

A value that a kernel cannot settle by looking at its ASCII bytes is marked *odd* and left to Python.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels.compiling import inner, kernel

Bytes: TypeAlias = npt.NDArray[np.uint8]
Starts: TypeAlias = npt.NDArray[np.int32]
Wide: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

_START = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_NATIONAL_DIGITS = 9
_FEWEST_DIGITS = 6
_SHORTEST_DOCUMENT = 3


@inner
def _is_digit(byte: int) -> bool:
    return 48 <= byte <= 57


@inner
def _is_letter(byte: int) -> bool:
    return 97 <= byte <= 122


@inner
def _lower(byte: int) -> int:
    return byte + 32 if 65 <= byte <= 90 else byte


@inner
def _belongs_to_word(byte: int) -> bool:
    """Letters, digits, apostrophes (which fall away inside words) and all that is not ASCII."""
    return byte >= 128 or _is_digit(byte) or _is_letter(_lower(byte)) or byte == 39 or byte == 96


@kernel
def phone_digits(text: Bytes, start: Starts) -> tuple[Bytes, Starts, Bools]:
    """The last nine digits of each value, nothing for fewer than six: bytes, starts and which are odd.

    Odd are values beyond ASCII and digits that look like counting or like one digit repeated.
    """
    count = len(start) - 1
    out = np.empty(_NATIONAL_DIGITS * count, dtype=np.uint8)
    at = np.zeros(count + 1, dtype=np.int32)
    odd = np.zeros(count, dtype=np.bool_)
    for v in range(count):
        left = at[v] + _NATIONAL_DIGITS
        low = left
        same = True
        i = start[v + 1] - 1
        while i >= start[v]:
            byte = text[i]
            odd[v] |= byte >= 128
            if _is_digit(byte) and low > at[v]:
                low -= 1
                out[low] = byte
                same &= left - low > 5 or byte == out[left - 1]
            i -= 1
        digits = left - low
        end = at[v]
        if digits >= _FEWEST_DIGITS and not odd[v]:
            first = out[low]
            up = out[low + 1] == first + 1 and out[low + 2] == first + 2 and out[low + 3] == first + 3
            down = out[low + 1] == first - 1 and out[low + 2] == first - 2 and out[low + 3] == first - 3
            odd[v] = same or up or down
            for k in range(digits):
                out[end] = out[low + k]
                end += 1
        at[v + 1] = at[v] if odd[v] else end
    return out[: at[count]], at, odd


@kernel
def document_characters(text: Bytes, start: Starts) -> tuple[Bytes, Starts, Bools]:
    """The letters, lower-case, and digits of each value, nothing for fewer than three; as `phone_digits`.

    Odd are values beyond ASCII and those that look like zeros, like counting or like one character repeated.
    """
    count = len(start) - 1
    out = np.empty(len(text) + 4, dtype=np.uint8)
    at = np.zeros(count + 1, dtype=np.int32)
    odd = np.zeros(count, dtype=np.bool_)
    for v in range(count):
        end = at[v]
        for i in range(start[v], start[v + 1]):
            byte = _lower(text[i])
            odd[v] |= byte >= 128
            if _is_digit(byte) or _is_letter(byte):
                out[end] = byte
                end += 1
        length = end - at[v]
        if length < _SHORTEST_DOCUMENT:
            end = at[v]
        elif not odd[v]:
            last, before = out[end - 1], out[end - 2]
            odd[v] = last == before and last == out[end - 3]
            odd[v] |= last == 48 and (before == 48 or _is_letter(before))
            for k in range(at[v], min(at[v] + 3, end - 3)):
                odd[v] |= out[k] == 49 and out[k + 1] == 50 and out[k + 2] == 51 and out[k + 3] == 52
        at[v + 1] = at[v] if odd[v] else end
    return out[: at[count]], at, odd


@inner
def _hash(text: Bytes, low: int, high: int) -> np.uint64:
    x = _START
    for i in range(low, high):
        x = (x ^ np.uint64(text[i])) * _PRIME
    x = (x ^ (x >> _HALF)) * _SPREAD
    return x ^ (x >> _HALF)


@inner
def _equal(text: Bytes, a: int, b: int, length: int) -> bool:
    k = 0
    while k < length and text[a + k] == text[b + k]:
        k += 1
    return k == length


@inner
def _count_words(text: Bytes, start: Starts) -> int:
    words = 0
    for v in range(len(start) - 1):
        inside = False
        for i in range(start[v], start[v + 1]):
            belongs = _belongs_to_word(text[i])
            words += belongs and not inside
            inside = belongs
    return words


@inner
def _fill(table: Starts, hashes: npt.NDArray[np.uint64], count: int) -> None:
    """Enter the words numbered so far into empty slots."""
    mask = np.uint64(len(table) - 1)
    for word in range(count):
        slot = hashes[word] & mask
        while table[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        table[slot] = word


@inner
def _number(
    text: Bytes, start: Starts, table: Starts, ids: Starts, begins: Wide, low: Starts, high: Starts,
    hashes: npt.NDArray[np.uint64], v: int, seen: int, distinct: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Number the words of values from v on until the table is half full: the next value, and how many words
    were seen and how many are distinct."""
    mask = np.uint64(len(table) - 1)
    while v < len(start) - 1 and 2 * distinct + start[v + 1] - start[v] < len(table):
        i, end = start[v], start[v + 1]
        while i < end:
            if not _belongs_to_word(text[i]):
                i += 1
                continue
            first = i
            while i < end and _belongs_to_word(text[i]):
                i += 1
            hash_ = _hash(text, first, i)
            slot = hash_ & mask
            while table[slot] >= 0:
                word = table[slot]
                known = hashes[word] == hash_ and high[word] - low[word] == i - first
                if known and _equal(text, low[word], first, i - first):
                    break
                slot = (slot + np.uint64(1)) & mask
            if table[slot] < 0:
                table[slot] = distinct
                low[distinct], high[distinct], hashes[distinct] = first, i, hash_
                distinct += 1
            ids[seen] = table[slot]
            seen += 1
        v += 1
        begins[v] = seen
    return v, seen, distinct


@kernel
def split_words(text: Bytes, start: Starts) -> tuple[Starts, Wide, Starts, Starts]:
    """The words of each value by number: the numbers, where each value's begin, and where each distinct word
    begins and ends in the text. Words end at ASCII characters that are neither letter, digit nor apostrophe.
    """
    total = _count_words(text, start)
    ids = np.empty(total, dtype=np.int32)
    begins = np.zeros(len(start), dtype=np.int64)
    low, high = np.empty(total, dtype=np.int32), np.empty(total, dtype=np.int32)
    hashes = np.empty(total, dtype=np.uint64)
    size, v, seen, distinct = 1 << 12, 0, 0, 0
    while v < len(start) - 1:
        table = np.full(size, -1, dtype=np.int32)
        _fill(table, hashes, distinct)
        v, seen, distinct = _number(text, start, table, ids, begins, low, high, hashes, v, seen, distinct)
        size *= 4
    return ids, begins, low[:distinct], high[:distinct]


@kernel
def gather(text: Bytes, low: Starts, high: Starts) -> tuple[Bytes, Starts]:
    """The stretches of a text as values of their own: bytes and starts."""
    at = np.zeros(len(low) + 1, dtype=np.int32)
    for v in range(len(low)):
        at[v + 1] = at[v] + high[v] - low[v]
    out = np.empty(at[-1], dtype=np.uint8)
    for v in range(len(low)):
        for k in range(high[v] - low[v]):
            out[at[v] + k] = text[low[v] + k]
    return out, at


@inner
def _room(ids: Starts, meant_start: Wide, meant: Starts, word_start: Starts) -> tuple[int, int]:
    """Upper bounds of the bytes that `join_sorted` writes, and of the words of its values together."""
    size = words = 0
    for id_ in ids:
        for m in range(meant_start[id_], meant_start[id_ + 1]):
            size += word_start[meant[m] + 1] - word_start[meant[m]] + 1
            words += 1
    return size, words


@kernel
def join_sorted(
    ids: Starts, begins: Wide, meant_start: Wide, meant: Starts, words: Bytes, word_start: Starts
) -> tuple[Bytes, Starts]:
    """Each value as its distinct words, sorted and parted by spaces: bytes and starts.

    Word i as typed means the standard words meant[meant_start[i]:meant_start[i + 1]], numbers in order of
    the alphabet into `words`.
    """
    size, most = _room(ids, meant_start, meant, word_start)
    out = np.empty(size, dtype=np.uint8)
    at = np.zeros(len(begins), dtype=np.int32)
    held = np.empty(most, dtype=np.int32)
    for v in range(len(begins) - 1):
        count = 0
        for t in range(begins[v], begins[v + 1]):
            for m in range(meant_start[ids[t]], meant_start[ids[t] + 1]):
                held[count] = meant[m]
                count += 1
        held[:count].sort()
        end = at[v]
        for k in range(count):
            if k > 0 and held[k] == held[k - 1]:
                continue
            if k > 0:
                out[end] = 32
                end += 1
            for i in range(word_start[held[k]], word_start[held[k] + 1]):
                out[end] = words[i]
                end += 1
        at[v + 1] = end
    return out[: at[-1]], at


@kernel
def replace_words(
    text: Bytes, start: Starts, ids: Starts, forms: Bytes, form_start: Starts
) -> tuple[Bytes, Starts]:
    """Each value with its words, as `split_words` finds and numbers them, in other forms."""
    size = len(text)
    for id_ in ids:
        size += form_start[id_ + 1] - form_start[id_]
    out = np.empty(size, dtype=np.uint8)
    at = np.zeros(len(start), dtype=np.int32)
    seen = 0
    for v in range(len(start) - 1):
        end = at[v]
        inside = False
        for i in range(start[v], start[v + 1]):
            belongs = _belongs_to_word(text[i])
            if belongs and not inside:
                for k in range(form_start[ids[seen]], form_start[ids[seen] + 1]):
                    out[end] = forms[k]
                    end += 1
                seen += 1
            elif not belongs:
                out[end] = text[i]
                end += 1
            inside = belongs
        at[v + 1] = end
    return out[: at[-1]], at
