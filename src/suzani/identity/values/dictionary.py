"""Dictionary-encoded text: distinct values once, rows as integer codes into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity.kernels.numbering import number_values
from suzani.identity.values.texts import Texts, as_array, bytes_of

Codes = npt.NDArray[np.int32]
MISSING = -1
LONGEST = 256
"""Standard values are cut to this many characters."""

_NOTHING = frozenset(
    "|na|n/a|nan|null|none|nil|-|--|---|.|..|?|unknown|unk|not available|not known|not provided|n.a.|xxx|xx"
    "|test|нет|нету|неизвестно|не указано|не известно|отсутствует|yoq|yo'q|yoʻq|mavjud emas|йўқ|없음".split(
        "|"
    )
)
"""Words for no value, lower-case."""
_LONGEST_NOTHING = max(map(len, _NOTHING))
_NOTHING_TEXTS = pa.array(sorted(_NOTHING))


@dataclass(frozen=True)
class Encoded:
    """A text column as codes into its distinct values (an Arrow array of strings); -1 is missing."""

    texts: pa.StringArray
    codes: Codes

    @cached_property
    def values(self) -> list[str]:
        """The distinct values as a list."""
        return list(self.texts.to_pylist())


def known(value: str | None) -> str:
    """One value as `encode` takes it: trimmed, "" for a word for nothing."""
    if not value:
        return ""
    trimmed = value.strip()
    if trimmed.isascii():
        return "" if len(trimmed) <= _LONGEST_NOTHING and trimmed.lower() in _NOTHING else trimmed
    if trimmed.replace("İ", "I").lower() in _NOTHING:
        return ""
    # A lone surrogate, which JSON may carry, is no text that could be stored.
    return trimmed.encode("utf-8", "replace").decode()


def cut(value: str) -> str:
    """One standard value, no longer than the longest may be."""
    return value if len(value) <= LONGEST else value[:LONGEST].strip()


def _cut_all(texts: pa.StringArray) -> pa.StringArray:
    if (pc.max(pc.binary_length(texts)).as_py() or 0) <= LONGEST:
        return texts
    long = pc.greater(pc.utf8_length(texts), LONGEST)
    short = pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(texts, 0, LONGEST))
    return pc.if_else(long, short, texts)


def strings(column: pa.ChunkedArray | pa.Array) -> pa.StringArray:
    """A column of a table as one array of strings."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return array if pa.types.is_string(array.type) else pc.cast(array, pa.string())


def encode(column: pa.ChunkedArray | pa.Array) -> Encoded:
    """Dictionary-encode a column of strings; empty strings and words for nothing become missing."""
    texts, codes = distinct(strings(column))
    trimmed = pc.utf8_trim_whitespace(texts)
    nothing = pc.is_in(pc.utf8_lower(trimmed), value_set=_NOTHING_TEXTS).to_numpy(zero_copy_only=False)
    if nothing.any():
        codes = np.where(np.append(nothing, True)[codes], MISSING, codes).astype(np.int32)
    return Encoded(trimmed, codes)


def restandardise(encoded: Encoded, standardise: Callable[[Texts], Texts]) -> Encoded:
    """Codes into the distinct standard forms of an encoded column; "" becomes missing.

    Forms of more than 256 characters are cut.
    """
    forms = standardise(encoded.texts)
    return recode(_cut_all(as_array(forms)), encoded.codes)


def recode(forms: Texts, codes: Codes) -> Encoded:
    """Merge equal forms: `forms[i]` is the new value of old code i; "" becomes missing."""
    texts, target = distinct(forms)
    return Encoded(texts, np.append(target, np.int32(MISSING))[codes])


def distinct(forms: Texts) -> tuple[pa.StringArray, Codes]:
    """The distinct forms without "" and null, in order of appearance, and the code of each form."""
    array = as_array(forms)
    bits = array.buffers()[0] if array.null_count else None
    valid = np.frombuffer(bits, np.uint8) if bits is not None else np.empty(0, np.uint8)
    codes, first = number_values(*bytes_of(array), valid, array.offset)
    return array.take(pa.array(first)), codes


def compact(codes: Codes, size: int) -> tuple[npt.NDArray[np.int64], Codes]:
    """The codes that occur, of `size` codes, in order, and the codes as places among them; -1 stays."""
    held = np.append(np.bincount(codes[codes >= 0], minlength=size) > 0, False)
    places = np.where(held, np.cumsum(held) - 1, MISSING).astype(np.int32)
    return np.flatnonzero(held), places[codes]


def unify(columns: Sequence[Encoded]) -> tuple[pa.StringArray, list[Codes]]:
    """Several encoded columns over one common array of values."""
    if len(columns) == 1:
        merged = recode(columns[0].texts, columns[0].codes)
        return merged.texts, [merged.codes]
    texts, target = distinct(pa.concat_arrays([pa.array([], pa.string()), *(c.texts for c in columns)]))
    starts = np.cumsum([0, *(len(column.texts) for column in columns)])
    parts = zip(columns, starts[:-1], starts[1:], strict=True)
    return texts, [np.append(target[start:end], np.int32(MISSING))[c.codes] for c, start, end in parts]


def stack(columns: Sequence[Encoded]) -> Encoded:
    """Several encoded columns over one common list of values, alternatives side by side."""
    texts, codes = unify(columns)
    return Encoded(texts, np.stack(codes, axis=1))
