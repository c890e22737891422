"""Dictionary-encoded text: distinct values once, rows as integer codes into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.int32]
MISSING = -1

_NOTHING = pa.array(
    "|na|n/a|nan|null|none|nil|-|--|---|.|..|?|unknown|unk|not available|not known|not provided|n.a.|xxx|xx"
    "|test|нет|нету|неизвестно|не указано|не известно|отсутствует|yoq|yo'q|yoʻq|mavjud emas|йўқ|없음".split(
        "|"
    )
)
"""Words for no value, lower-case."""


@dataclass(frozen=True)
class Encoded:
    """A raw text column as codes into its distinct trimmed values; placeholders are missing (-1)."""

    values: list[str]
    codes: Codes


def encode(column: pa.ChunkedArray | pa.Array) -> Encoded:
    """Dictionary-encode a column of strings; empty strings and words for nothing become missing."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_string(array.type):
        array = pc.cast(array, pa.string())
    encoded = pc.dictionary_encode(array)
    codes = pc.fill_null(encoded.indices, MISSING).to_numpy(zero_copy_only=False).astype(np.int32)
    trimmed = pc.utf8_trim_whitespace(encoded.dictionary)
    nothing = pc.is_in(pc.utf8_lower(trimmed), value_set=_NOTHING).to_numpy(zero_copy_only=False)
    if nothing.any():
        codes = np.where(np.append(nothing, True)[codes], MISSING, codes).astype(np.int32)
    return Encoded(trimmed.to_pylist(), codes)


def restandardise(encoded: Encoded, standardise: Callable[[Sequence[str]], list[str]]) -> Encoded:
    """Codes into the distinct standard forms of an encoded column; "" becomes missing."""
    return recode(standardise(encoded.values), encoded.codes)


def recode(forms: Sequence[str], codes: Codes) -> Encoded:
    """Merge equal forms: `forms[i]` is the new value of old code i; "" becomes missing."""
    encoded = pc.dictionary_encode(pa.array(forms, pa.string()))
    target = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    values: list[str] = encoded.dictionary.to_pylist()
    if "" in values:
        empty = values.index("")
        target = np.where(target == empty, MISSING, target - (target > empty)).astype(np.int32)
        values.pop(empty)
    return Encoded(values, np.append(target, np.int32(MISSING))[codes].astype(np.int32))


def stack(columns: Sequence[Encoded]) -> tuple[list[str], Codes]:
    """Several encoded columns over one common list of values, alternatives side by side."""
    forms: list[str] = []
    stacked = []
    for column in columns:
        stacked.append(np.where(column.codes >= 0, column.codes + len(forms), MISSING))
        forms.extend(column.values)
    merged = recode(forms, np.stack(stacked, axis=1).astype(np.int32))
    return merged.values, merged.codes
