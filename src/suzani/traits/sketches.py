"""Bounded summaries of many values that are functions of the set of events, whatever their order.

*Distinct* keeps the smallest hashes of the values (KMV, Bar-Yossef et al. 2002): exact up to `limit`, then an
estimate with a standard error of about 1/sqrt(limit).

*Tally* counts values exactly up to `limit` of them. Beyond, counts go to a count-min sketch (Cormode and
Muthukrishnan 2005), which is a sum and so has no order; the values that can still win are those of which some
event has the smallest ranks. Ranks are uniform, so a value that takes a share p of the events is among them
but for a chance of about (1 - p) ** limit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, TypeAlias

Hashes: TypeAlias = list[int]
"""The smallest hashes, ascending, at most one more than the limit: then the last is the threshold."""

Tally: TypeAlias = dict[str, int] | list[Any]
"""{value: count and least rank in one integer} up to the limit of values, then [{value: least rank},
counters]."""

RANK_BYTES: Final = 3
"""How many bytes of an event's digest are its rank."""

_RANK_BITS: Final = 8 * RANK_BYTES
_RANK: Final = (1 << _RANK_BITS) - 1
_ONE: Final = 1 << _RANK_BITS

_HASH_SPACE: Final = 1 << 64
_ROWS: Final = 4
_WIDTH: Final = 64


def hashed(text: str) -> int:
    """64 uniform bits of a text, the same in every process."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def add_hash(hashes: Hashes | None, new: int, limit: int) -> Hashes:
    """The hashes with one more value; may change `hashes` in place."""
    if hashes is None:
        return [new]
    place = bisect_left(hashes, new)
    if place > limit or (place < len(hashes) and hashes[place] == new):
        return hashes
    hashes.insert(place, new)
    if len(hashes) > limit + 1:
        hashes.pop()
    return hashes


def merge_hashes(a: Hashes, b: Hashes, limit: int) -> Hashes:
    """The hashes of the values of either."""
    return sorted({*a, *b})[: limit + 1]


def count_distinct(pieces: Sequence[Hashes], limit: int) -> int:
    """How many different values there are in all pieces together."""
    full = [hashes[limit] for hashes in pieces if len(hashes) > limit]
    if not full:
        return len(set().union(*pieces)) if len(pieces) > 1 else sum(map(len, pieces))
    threshold = min(full)
    below = {found for hashes in pieces for found in hashes if found < threshold}
    return round(len(below) * _HASH_SPACE / threshold)


def add_value(tally: Tally | None, text: str, rank: int, limit: int) -> Tally:
    """The tally with one more event; `rank`: bits of the event that are uniform. May change `tally`."""
    if tally is None:
        return {text: _ONE | rank}
    if isinstance(tally, dict):
        known = tally.get(text)
        if known is not None or len(tally) < limit:
            tally[text] = _ONE | rank if known is None else _both(known, _ONE | rank)
            return tally
        tally = _overflowed(tally, limit)
    candidates, counters = tally
    _count(counters, text, 1)
    _stand(candidates, text, rank, limit)
    return tally


def merge_tallies(a: Tally, b: Tally, limit: int) -> Tally:
    """The tally of the events of both."""
    if isinstance(a, dict) and isinstance(b, dict):
        both = dict(a)
        for text, counted in b.items():
            both[text] = _both(both[text], counted) if text in both else counted
        return both if len(both) <= limit else _overflowed(both, limit)
    (mine, counters), (others, more) = _overflowed(a, limit), _overflowed(b, limit)
    candidates = dict(mine)
    for text, rank in others.items():
        _stand(candidates, text, rank, limit)
    return [candidates, [x + y for x, y in zip(counters, more, strict=True)]]


def most_frequent(pieces: Sequence[Tally], limit: int) -> str | None:
    """The value with the most events in all pieces together; of equals the one that comes first as text."""
    exact: dict[str, int] = {}
    for tally in pieces:
        if not isinstance(tally, dict):
            return _most_frequent_of(pieces, limit)
        for text, counted in tally.items():
            exact[text] = exact.get(text, 0) + (counted >> _RANK_BITS)
    return _first_of_most(exact)


def _most_frequent_of(pieces: Sequence[Tally], limit: int) -> str | None:
    overflowed = [_overflowed(tally, limit) for tally in pieces]
    candidates = {text for texts, _ in overflowed for text in texts}
    counters = [sum(column) for column in zip(*(counters for _, counters in overflowed), strict=True)]
    return _first_of_most({text: min(counters[i] for i in _places(text)) for text in candidates})


def _first_of_most(counts: Mapping[str, int]) -> str | None:
    most = max(counts.values(), default=0)
    return min((text for text, count in counts.items() if count == most), default=None)


def _both(a: int, b: int) -> int:
    """Counts and least ranks of two, of one value."""
    return (a >> _RANK_BITS) + (b >> _RANK_BITS) << _RANK_BITS | min(a & _RANK, b & _RANK)


def _overflowed(tally: Tally, limit: int) -> list[Any]:
    """A tally as candidates and counters."""
    if not isinstance(tally, dict):
        return tally
    candidates: dict[str, int] = {}
    counters = [0] * (_ROWS * _WIDTH)
    for text, counted in tally.items():
        _count(counters, text, counted >> _RANK_BITS)
        _stand(candidates, text, counted & _RANK, limit)
    return [candidates, counters]


def _count(counters: list[int], text: str, count: int) -> None:
    for place in _places(text):
        counters[place] += count


def _places(text: str) -> Iterable[int]:
    bits = hashed(text)
    return [row * _WIDTH + (bits >> (16 * row)) % _WIDTH for row in range(_ROWS)]


def _stand(candidates: dict[str, int], text: str, rank: int, limit: int) -> None:
    """Let a value stand; where there are too many, the one with the greatest least rank goes."""
    known = candidates.get(text)
    if known is None and len(candidates) >= limit and rank > max(candidates.values()):
        return
    candidates[text] = rank if known is None else min(rank, known)
    if len(candidates) > limit:
        del candidates[max(candidates, key=lambda name: (candidates[name], name))]
