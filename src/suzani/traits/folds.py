"""Folds: what is kept of the events of one piece of time, and how two such keepings become one.

Each is a commutative monoid over sets of events: the order in which events come, and how they are split into
batches that are merged later, makes no difference. Nothing kept stands for no events.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from suzani.events import Event, Getter, getter
from suzani.traits import sketches
from suzani.traits.calendar import ALWAYS
from suzani.traits.numbers import scaled
from suzani.traits.types import Cell, Pieces, Step

_TEXT_LENGTH: Final = 200
_VALUES_EVER, _VALUES_A_PIECE = 256, 32
_HASHES_EVER, _HASHES_A_PIECE = 256, 64
_LARGEST_INTEGER: Final = 2**63


@dataclass(frozen=True, slots=True)
class Fold:
    """`step` makes, of what reads the value, what takes an event in; `merge` puts two pieces together.

    Both may use what they are given as part of what they give.
    """

    step: Callable[[Getter], Step]
    merge: Callable[[Any, Any], Any]


def fold_of(cell: Cell) -> Fold:
    """The fold of a cell."""
    if cell.fold == "distinct":
        return _distinct(hash_limit(cell.clock))
    if cell.fold == "tally":
        return _tally(tally_limit(cell.clock))
    return FOLDS[cell.fold]


def place(cell: Cell) -> Getter:
    """What reads the value that a cell keeps something of."""
    return getter(cell.measure.of) if cell.measure.of else lambda event: None


def hash_limit(clock: str) -> int:
    """Up to how many values a piece counts different ones exactly."""
    return _HASHES_EVER if clock == ALWAYS else _HASHES_A_PIECE


def tally_limit(clock: str) -> int:
    """Up to how many values a piece counts the events of each exactly."""
    return _VALUES_EVER if clock == ALWAYS else _VALUES_A_PIECE


def label(value: Any) -> str | None:
    """A single value as text, at most 200 characters; None for what is none."""
    kind = value.__class__
    if kind is str:
        return str(value[:_TEXT_LENGTH])
    if kind is bool:
        return "true" if value else "false"
    return str(value) if kind is int or kind is float else None


def single(value: Any) -> str | int | float | bool | None:
    """A single value as it is kept: texts up to 200 characters, integers beyond 64 bits as text."""
    kind = value.__class__
    if kind is str:
        return str(value[:_TEXT_LENGTH])
    if kind is int and not -_LARGEST_INTEGER <= value < _LARGEST_INTEGER:
        return str(value)[:_TEXT_LENGTH]
    return value if kind in (int, float, bool) else None


def _count(get: Getter) -> Step:
    def step(pieces: Pieces, piece: int, event: Event, at: int) -> None:
        pieces[piece] = pieces.get(piece, 0) + 1

    return step


def _count_numbers(get: Getter) -> Step:
    def step(pieces: Pieces, piece: int, event: Event, at: int) -> None:
        if scaled(get(event)) is not None:
            pieces[piece] = pieces.get(piece, 0) + 1

    return step


def _sum(get: Getter) -> Step:
    def step(pieces: Pieces, piece: int, event: Event, at: int) -> None:
        value = scaled(get(event))
        if value is not None:
            pieces[piece] = pieces.get(piece, 0) + value

    return step


def _extreme(better: Callable[[int, int], int]) -> Callable[[Getter], Step]:
    def build(get: Getter) -> Step:
        def step(pieces: Pieces, piece: int, event: Event, at: int) -> None:
            value = scaled(get(event))
            if value is not None:
                known = pieces.get(piece)
                pieces[piece] = value if known is None else better(known, value)

        return step

    return build


def _extreme_time(better: Callable[[int, int], int]) -> Callable[[Getter], Step]:
    def build(get: Getter) -> Step:
        def step(pieces: Pieces, piece: int, event: Event, at: int) -> None:
            known = pieces.get(piece)
            pieces[piece] = at if known is None else better(known, at)

        return step

    return build


def _first(get: Getter) -> Step:
    def step(pieces: Pieces, piece: int, event: Event, at: int) -> None:
        known = pieces.get(piece)
        if known is None or at <= known[0]:
            new = _remembered(get(event), event, at)
            if new is not None:
                pieces[piece] = new if known is None else _earlier(known, new)

    return step


def _last(get: Getter) -> Step:
    def step(pieces: Pieces, piece: int, event: Event, at: int) -> None:
        known = pieces.get(piece)
        if known is None or at >= known[0]:
            new = _remembered(get(event), event, at)
            if new is not None:
                pieces[piece] = new if known is None or at > known[0] else _later(known, new)

    return step


def _remembered(value: Any, event: Event, at: int) -> list[Any] | None:
    """[at, tie, value]: of two at one time, the digest decides which is the earlier."""
    kept = single(value)
    return None if kept is None else [at, int.from_bytes(event.message[:8]), kept]


def _earlier(a: list[Any], b: list[Any]) -> list[Any]:
    return a if (a[0], a[1]) <= (b[0], b[1]) else b


def _later(a: list[Any], b: list[Any]) -> list[Any]:
    return a if (a[0], a[1]) >= (b[0], b[1]) else b


def _distinct(limit: int) -> Fold:
    def build(get: Getter) -> Step:
        def step(pieces: Pieces, piece: int, event: Event, at: int) -> None:
            text = label(get(event))
            if text is not None:
                pieces[piece] = sketches.add_hash(pieces.get(piece), sketches.hashed(text), limit)

        return step

    return Fold(build, lambda a, b: sketches.merge_hashes(a, b, limit))


def _tally(limit: int) -> Fold:
    def build(get: Getter) -> Step:
        def step(pieces: Pieces, piece: int, event: Event, at: int) -> None:
            text = label(get(event))
            if text is not None:
                rank = int.from_bytes(event.message[: sketches.RANK_BYTES])
                pieces[piece] = sketches.add_value(pieces.get(piece), text, rank, limit)

        return step

    return Fold(build, lambda a, b: sketches.merge_tallies(a, b, limit))


FOLDS: Final = {
    "count": Fold(_count, operator.add),
    "numbers": Fold(_count_numbers, operator.add),
    "sum": Fold(_sum, operator.add),
    "min": Fold(_extreme(min), min),
    "max": Fold(_extreme(max), max),
    "earliest": Fold(_extreme_time(min), min),
    "latest": Fold(_extreme_time(max), max),
    "first": Fold(_first, _earlier),
    "last": Fold(_last, _later),
}
"""Folds by name; beside them there are `distinct` and `tally`, whose bounds depend on the clock."""
