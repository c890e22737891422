"""Arrow arrays of strings as bytes and starts, which compiled kernels read and write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.identity.kernels.hashing import hash_values
from suzani.identity.kernels.texts import gather, split_words

Bytes = npt.NDArray[np.uint8]
Starts = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Wide = npt.NDArray[np.int64]

Texts: TypeAlias = Sequence[str] | pa.StringArray
"""Values as a list, or as an Arrow array where there are many."""

MANY = 5_000
"""From so many values on, what can be compiled is worth its start."""


def as_array(values: Texts) -> pa.StringArray:
    """Values as an Arrow array."""
    return values if isinstance(values, pa.Array) else pa.array(values, pa.string())


def as_list(values: Texts) -> list[str]:
    """Values as a list."""
    return list(values.to_pylist() if isinstance(values, pa.Array) else values)


def bytes_of(texts: pa.StringArray) -> tuple[Bytes, Starts]:
    """The bytes of an array, and where each value starts; one more start ends the last."""
    _, starts, data = texts.buffers()
    if len(texts) == 0 or starts is None:
        return np.empty(0, dtype=np.uint8), np.zeros(1, dtype=np.int32)
    begins = np.frombuffer(starts, dtype=np.int32, count=len(texts) + 1, offset=4 * texts.offset)
    whole = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, dtype=np.uint8)
    return whole, begins


def words_in(texts: pa.StringArray) -> tuple[Starts, Wide, list[str]]:
    """The words of each text by number: the numbers, where each text's begin, and the distinct words."""
    data, starts = bytes_of(texts)
    ids, begins, low, high = split_words(data, starts)
    return ids, begins, texts_of(*gather(data, low, high)).to_pylist()


def sampled(texts: pa.StringArray, most: int) -> list[str]:
    """About so many of the values, or all of fewer; the same ones whatever order they come in."""
    step = len(texts) // most + 1
    if step > 1:
        data, starts = bytes_of(texts)
        hashes = hash_values(data, starts.astype(np.int64))
        texts = texts.filter(pa.array(hashes % np.uint64(step) == 0))
    return as_list(texts)


def texts_of(data: Bytes, starts: Starts) -> pa.StringArray:
    """The inverse of `bytes_of`; the bytes must be UTF-8."""
    buffers = [None, pa.py_buffer(np.ascontiguousarray(starts)), pa.py_buffer(np.ascontiguousarray(data))]
    return pa.StringArray.from_buffers(len(starts) - 1, buffers[1], buffers[2])


def settled(
    texts: pa.StringArray,
    kernel: Callable[[Bytes, Starts], tuple[Bytes, Starts, Bools]],
    rest: Callable[[Sequence[str]], Sequence[str]],
) -> pa.StringArray:
    """What a kernel makes of each text, and `rest` of those that the kernel calls odd."""
    data, starts, odd = kernel(*bytes_of(texts))
    result = texts_of(data, starts)
    left = np.flatnonzero(odd)
    if len(left) == 0:
        return result
    done = pa.array(rest(texts.take(pa.array(left)).to_pylist()), pa.string())
    order = np.arange(len(texts))
    order[left] = np.arange(len(left)) + len(texts)
    return pa.concat_arrays([result, done]).take(pa.array(order))
