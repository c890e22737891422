"""Which blocking rules to use: those that find true pairs which others do not, for the fewest comparisons.

All rules that the records could afford are tried on a share of them. The model says
which of the pairs they give are one person, and so what each rule is worth beside the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from suzani.identity.pairs.blocking import Rule, block, largest_block
from suzani.identity.pairs.keys import Source
from suzani.identity.pairs.packing import Packed

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_ALONE = ("email", "mailbox", "phone", "address")
_COMBINED = (
    ("date", "name"), ("given", "family", "middle"), ("given", "family"), ("given", "family", "year"),
    ("given", "family", "month and day"),
    ("given", "family", "city"), ("given", "family", "postcode"), ("date", "postcode"), ("date", "city"),
    ("date", "address words"), ("date", "sex"), ("date",), ("name", "postcode"), ("name", "city", "year"),
    ("name", "year", "month and day"), ("family", "address words"), ("given", "address words"),
    ("name", "month and day"), ("name", "city"), ("name", "year"), ("postcode", "year"), ("family",),
    ("name", "occupation", "city"), ("address words", "year"), ("address words",), ("date", "occupation"),
    ("postcode", "sex"), ("city", "occupation", "year"),
    ("given",), ("city", "year"), ("city", "month and day"), ("year", "month and day"), ("postcode",),
)  # fmt: skip
_FEWEST_TRIED = 3
_SMALL = 50_000
_LEAST_GAIN = 0.0002
"""A rule is left out if without it no larger share of the true pairs is lost; the dearer, the larger."""
_DEAR = 0.1
"""From this share of `most_pairs` on a rule is dear: with ten times the pairs it must find ten times more."""
_PASS = 0.05
"""What a pass over the records costs, in pairs per record."""


def most_pairs(rows: int) -> int:
    """Pairs that one rule may give to be tried; small inputs can afford more per record."""
    return int(max(rows, 1_000_000 * min(1.0, _SMALL / max(rows, 1))))


def affordable(few: Packed, one_in: int) -> list[Rule]:
    """The rules worth trying, from the most to the least selective, judged by one in so many records."""
    possible = list(_possible(few.sources))
    largest = max(largest_block(few.rows * one_in, told=False) // one_in, 2)
    pairs = [pairs * one_in**2 for pairs in block(few, possible, largest).pairs]
    most = most_pairs(few.rows * one_in)
    order = [r for r in np.argsort(pairs, kind="stable").tolist() if pairs[r] or one_in > 1]
    return [possible[r] for place, r in enumerate(order) if pairs[r] <= most or place < _FEWEST_TRIED]


def _possible(sources: Sequence[Source]) -> Iterator[Rule]:
    """Every rule the sources allow: identifiers alone, names, dates and places in combinations."""
    names = [source.name for source in sources]
    for name in names:
        if name.startswith(("id:", "text:")) or name in _ALONE:
            yield (name,)
    for parts in _COMBINED:
        if all(part in names for part in parts):
            yield parts


def choose(finders: Bools, pairs: Floats, true: Floats, rows: int) -> list[int]:
    """The rules worth blocking by, the most worth first.

    `finders` (pairs × rules): which rules find each sampled pair; `pairs`: how many pairs each stands for;
    `true`: how many of those are one person and would be found so. The next rule is the one that finds the
    most new true pairs for what it costs: the new pairs to compare, and a pass over all `rows`. The choice
    ends when each rule left would add less than `_LEAST_GAIN` of the true pairs that all rules find, a
    standard error taken off, or less than what it costs is worth.
    """
    # What the sample leaves open: none where every pair stands for itself.
    doubt = true * (pairs - 1.0)
    patterns, pairs, true, doubt = _patterns(finders, pairs, true, doubt)
    chosen: list[int] = []
    least = _LEAST_GAIN * float(true.sum())
    while len(pairs):
        gain, cost = true @ patterns - np.sqrt(doubt @ patterns), pairs @ patterns
        enough = gain > least * np.maximum(1.0, cost / (_DEAR * most_pairs(rows)))
        worth = np.where(enough, gain / (cost + _PASS * rows), 0.0)
        best = int(np.argmax(worth))
        if worth[best] <= 0:
            break
        chosen.append(best)
        still = patterns[:, best] == 0
        patterns, pairs, true, doubt = patterns[still], pairs[still], true[still], doubt[still]
    return chosen


def _patterns(finders: Bools, *sums: Floats) -> tuple[Floats, ...]:
    """The distinct sets of rules that find a pair (sets × rules), and what the pairs of each sum up to."""
    code, first = np.zeros(len(finders), dtype=np.int64), np.zeros(min(len(finders), 1), dtype=np.int64)
    for start in range(0, finders.shape[1], 31):
        some = finders[:, start : start + 31]
        code = (code << 31) | (some @ (1 << np.arange(some.shape[1])))
        _, first, code = np.unique(code, return_index=True, return_inverse=True)
    counted = [np.bincount(code, weights, len(first)).astype(np.float64) for weights in sums]
    return (finders[first].astype(np.float64), *counted)
