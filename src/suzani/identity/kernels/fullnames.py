"""Full names parted into given, family and middle names, by the hundred thousand.

Works on comparable full names (lower-case ASCII words) as bytes and starts; `identity.parts` says what the
rules are and holds the same for one name.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels.compiling import inner, kernel
from suzani.identity.kernels.texts import Bools, Bytes, Starts, Wide

_SPACE = 32


class Words(NamedTuple):
    """The words of all names: word t of the text has number ids[t] and lies at text[low[t]:high[t]]; those of
    name v are begins[v] to begins[v + 1]. Per number: whether it is a patronymic, whether it only ever
    follows one (qizi), and its score as a family name in bits."""

    ids: Starts
    begins: Wide
    low: Starts
    high: Starts
    patronymic: Bools
    connected: Bools
    score: npt.NDArray[np.float64]


@kernel
def places(text: Bytes, ids: Starts, start: Starts) -> tuple[Starts, Starts]:
    """Where each word lies in a text of words parted by spaces."""
    low, high = np.empty(len(ids), dtype=np.int32), np.empty(len(ids), dtype=np.int32)
    t = 0
    for v in range(len(start) - 1):
        for i in range(start[v], start[v + 1]):
            if text[i] == _SPACE:
                continue
            if i == start[v] or text[i - 1] == _SPACE:
                low[t] = i
            if i + 1 == start[v + 1] or text[i + 1] == _SPACE:
                high[t] = i + 1
                t += 1
    return low, high


@inner
def _copy(out: Bytes, end: int, text: Bytes, low: int, high: int) -> int:
    for i in range(low, high):
        out[end] = text[i]
        end += 1
    return end


@inner
def _part(words: Words, v: int, kept: Wide, taken: Wide) -> tuple[int, int]:
    """The words of name v that are no patronymics, and its patronymics; those are written apart as two words
    in turn, the second -1 where there is none. Returns how many there are of either."""
    keeps = takes = 0
    for t in range(words.begins[v], words.begins[v + 1]):
        id_ = words.ids[t]
        if words.connected[id_] and keeps > 2:
            keeps -= 1
            taken[2 * takes], taken[2 * takes + 1] = kept[keeps], t
            takes += 1
        elif not words.patronymic[id_]:
            kept[keeps] = t
            keeps += 1
        elif not words.connected[id_]:
            taken[2 * takes], taken[2 * takes + 1] = t, -1
            takes += 1
    return keeps, takes


@inner
def _family_at(words: Words, kept: Wide, keeps: int, family_first: bool) -> int:
    default = 0 if family_first else keeps - 1
    best = 0
    for k in range(1, keeps):
        if words.score[words.ids[kept[k]]] > words.score[words.ids[kept[best]]]:
            best = k
    lead = words.score[words.ids[kept[best]]] - words.score[words.ids[kept[default]]]
    return best if lead > 1.0 else default


@kernel
def part_names(
    text: Bytes, words: Words, family_first: bool
) -> tuple[tuple[Bytes, Starts], tuple[Bytes, Starts], tuple[Bytes, Starts]]:
    """The given, the family and the middle names: bytes and starts of each."""
    count = len(words.begins) - 1
    given, family, middle = np.empty_like(text), np.empty_like(text), np.empty_like(text)
    given_at, family_at = np.zeros(count + 1, dtype=np.int32), np.zeros(count + 1, dtype=np.int32)
    middle_at = np.zeros(count + 1, dtype=np.int32)
    kept, taken = np.empty(len(text) + 1, dtype=np.int64), np.empty(2 * len(text) + 2, dtype=np.int64)
    for v in range(count):
        keeps, takes = _part(words, v, kept, taken)
        g, f, m = given_at[v], family_at[v], middle_at[v]
        at = _family_at(words, kept, keeps, family_first) if keeps > 1 else -1
        first = -1
        for k in range(keeps):
            low, high = words.low[kept[k]], words.high[kept[k]]
            if k == at:
                f = _copy(family, f, text, low, high)
            elif first < 0:
                first = k
                g = _copy(given, g, text, low, high)
            else:
                m = _spaced(middle, middle_at[v], m)
                m = _copy(middle, m, text, low, high)
        for k in range(takes):
            m = _spaced(middle, middle_at[v], m)
            one, other = taken[2 * k], taken[2 * k + 1]
            m = _copy(middle, m, text, words.low[one], words.high[one])
            if other >= 0:
                m = _copy(middle, m, text, words.low[other], words.high[other])
        given_at[v + 1], family_at[v + 1], middle_at[v + 1] = g, f, m
    return (
        (given[: given_at[-1]], given_at),
        (family[: family_at[-1]], family_at),
        (middle[: middle_at[-1]], middle_at),
    )


@inner
def _spaced(out: Bytes, start: int, end: int) -> int:
    """Room for another word: a space unless it is the first."""
    if end == start:
        return end
    out[end] = _SPACE
    return end + 1
