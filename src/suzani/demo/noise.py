"""Mistakes that hands and scanners make: typing slips, wrong digits, swapped dates; on chosen rows only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani.demo.types import Bools, Days

_KEYBOARDS = [
    "qwertyuiop|asdfghjkl|zxcvbnm",
    "йцукенгшщзхъ|фывапролджэ|ячсмитьбю",
    "1234567890",
]
_LOOKALIKES = {
    "0": "O",
    "1": "7",
    "7": "1",
    "5": "6",
    "8": "3",
    "и": "н",
    "н": "и",
    "п": "л",
    "ш": "щ",
    "m": "n",
    "u": "v",
    "e": "c",
}
Codes = npt.NDArray[np.uint32]


def _neighbours() -> Codes:
    """For each letter two keys beside it, shape (0x500, 2); others stand for themselves."""
    table = np.repeat(np.arange(0x500, dtype=np.uint32)[:, None], 2, axis=1)
    for keyboard in _KEYBOARDS:
        for row in keyboard.split("|"):
            for place, key in enumerate(row):
                pair = row[max(place - 1, 0)], row[min(place + 1, len(row) - 1)]
                pair = (row[1] if place == 0 else pair[0], row[-2] if pair[1] == key else pair[1])
                table[ord(key)] = [ord(other) for other in pair]
                if key.isalpha():
                    table[ord(key.upper())] = [ord(other.upper()) for other in pair]
    return table


_NEIGHBOURS = _neighbours()
_SCANNED = np.arange(0x500, dtype=np.uint32)
for _read, _written in _LOOKALIKES.items():
    _SCANNED[ord(_read)] = ord(_written)


def _as_codes(column: pa.StringArray) -> tuple[Codes, npt.NDArray[np.int64]]:
    """Code points padded with 0 to a rectangle one wider than the longest text, and the lengths."""
    texts = np.array(column.fill_null("").to_pylist(), dtype=np.str_)
    width = max(texts.dtype.itemsize // 4, 1)
    codes = np.zeros((len(texts), width + 1), dtype=np.uint32)
    codes[:, :width] = texts.view(np.uint32).reshape(len(texts), -1)[:, :width] if len(texts) else 0
    return codes, (codes != 0).sum(axis=1)


def _as_texts(codes: Codes) -> pa.StringArray:
    width = codes.shape[1]
    return pa.array(np.ascontiguousarray(codes).view(f"<U{width}").ravel().tolist(), pa.string())


def slips(column: pa.StringArray, rng: np.random.Generator) -> pa.StringArray:
    """Each text with one slip: a neighbouring key, two letters swapped, one dropped, doubled or misread.

    Texts of fewer than three letters, and null, come back as they were.
    """
    if len(column) == 0:
        return column
    codes, lengths = _as_codes(column)
    rows, places = np.arange(len(codes)), np.arange(codes.shape[1])
    at = 1 + (rng.random(len(codes)) * np.maximum(lengths - 2, 1)).astype(np.int64)
    kind = rng.choice(5, size=len(codes), p=[0.34, 0.2, 0.2, 0.12, 0.14])
    side = rng.integers(0, 2, len(codes))
    kind[lengths < 3] = -1
    here = codes[rows, at]
    known = np.minimum(here, 0x4FF)
    codes[rows, at] = np.where(
        kind == 0, _NEIGHBOURS[known, side], np.where(kind == 4, _SCANNED[known], here)
    )
    source = np.broadcast_to(places, codes.shape).copy()
    source[(kind == 2)[:, None] & (places >= at[:, None])] += 1
    source[(kind == 3)[:, None] & (places > at[:, None])] -= 1
    swap = np.flatnonzero((kind == 1) & (at + 1 < lengths))
    source[swap, at[swap]], source[swap, at[swap] + 1] = at[swap] + 1, at[swap]
    written = np.take_along_axis(codes, np.minimum(source, codes.shape[1] - 1), axis=1)
    return pc.if_else(column.is_null(), column, _as_texts(written))


def wrong_digits(column: pa.StringArray, rng: np.random.Generator, *, keep: int = 0) -> pa.StringArray:
    """Each text with one digit mistyped or two neighbours swapped, after the first `keep` characters."""
    if len(column) == 0:
        return column
    codes, lengths = _as_codes(column)
    rows = np.arange(len(codes))
    at = keep + (rng.random(len(codes)) * np.maximum(lengths - keep - 1, 1)).astype(np.int64)
    at = np.minimum(at, np.maximum(lengths - 2, 0))
    swap = rng.random(len(codes)) < 0.4
    here, after = codes[rows, at].copy(), codes[rows, at + 1].copy()
    digit = (here >= 48) & (here < 58)
    other = (here - 48 + rng.integers(1, 10, len(codes)).astype(np.uint32)) % 10 + 48
    both = swap & digit & (after >= 48) & (after < 58) & (after != here)
    codes[rows, at] = np.where(both, after, np.where(digit, other, here))
    codes[rows, at + 1] = np.where(both, here, after)
    return pc.if_else(column.is_null(), column, _as_texts(codes))


def wrong_dates(days: Days, rng: np.random.Generator) -> Days:
    """Each date with one mistake: day and month swapped (if that is a date), another day, year or decade."""
    months = days.astype("datetime64[M]")
    year, month = days.astype("datetime64[Y]"), months.astype(np.int64) % 12
    day = (days - months.astype("datetime64[D]")).astype(np.int64)
    kind = rng.choice(4, size=len(days), p=[0.4, 0.25, 0.2, 0.15])
    kind[(kind == 0) & ((day > 11) | (day == month))] = 2
    swapped = (year.astype("datetime64[M]") + day).astype("datetime64[D]") + month
    shift = np.where(rng.random(len(days)) < 0.5, -1, 1)
    inside = np.minimum(day, 27)
    other_year = ((year + shift).astype("datetime64[M]") + month).astype("datetime64[D]") + inside
    other_day = months.astype("datetime64[D]") + (day + 1 + rng.integers(0, 9, len(days))) % 28
    decade = np.where(year.astype(np.int64) > 25, year - 10, year + 10)
    other_decade = (decade.astype("datetime64[M]") + month).astype("datetime64[D]") + inside
    return np.select([kind == 0, kind == 1, kind == 2], [swapped, other_year, other_day], other_decade)


def put(column: pa.Array, chosen: Bools, values: pa.Array) -> pa.Array:
    """The column with the chosen rows replaced, in order, by `values`."""
    return pc.replace_with_mask(column, pa.array(chosen), values)


def spoil(column: pa.StringArray, share: float, rng: np.random.Generator) -> pa.StringArray:
    """The column with a slip in a share of its rows."""
    chosen = rng.random(len(column)) < share
    return put(column, chosen, slips(column.filter(pa.array(chosen)), rng))


def blank(column: pa.Array, chosen: Bools) -> pa.Array:
    """The column without (null) the chosen rows."""
    return pc.if_else(pa.array(chosen), pa.scalar(None, column.type), column)
