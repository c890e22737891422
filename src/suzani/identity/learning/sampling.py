"""A sample of the pairs that blocking rules give: to learn a model from, and to tell what each rule is worth.

All pairs around some rows are drawn, so that for each of them it is known which rules find it; of rules that
give many pairs fewer are drawn, and each counts for more (Horvitz & Thompson 1952).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels import blocks, sampling
from suzani.identity.learning.choosing import affordable
from suzani.identity.models.comparisons import Levels, Rows
from suzani.identity.pairs.blocking import ALL, THREADS, Blocked, Rule, block, largest_block
from suzani.identity.pairs.matching import compare
from suzani.identity.pairs.packing import Packed

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_ROWS = 25_000
"""Rows of which all pairs are looked at."""
_PAIRS_BY_RULE = 8_000
"""Pairs drawn of each rule where records are few."""
_FEWER_BY_RULE = 3_000
"""The same where the rows are a sample themselves."""
_BITS_PER_ROW = 16


@dataclass(frozen=True)
class Sample:
    """Candidates to learn from: their levels (pairs × fields), how many each stands for (`pairs`), the rules
    tried and which of them find each (`finders`, pairs × rules)."""

    left: Rows
    right: Rows
    levels: Levels
    pairs: Floats
    rules: tuple[Rule, ...]
    finders: Bools

    @property
    def found_by(self) -> Rows:
        """How many rules find each pair; every pair that no rule had to find counts as found by two."""
        return np.asarray(self.finders.sum(axis=1)) if self.rules else np.full(len(self.left), 2)

    @classmethod
    def every_pair(cls, packed: Packed) -> Sample:
        """All pairs of records, each standing for itself."""
        left, right = map(np.asarray, np.triu_indices(packed.rows, 1))
        finders = np.empty((len(left), 0), dtype=bool)
        return cls(left, right, compare(packed, left, right), np.ones(len(left)), (), finders)


def draw(packed: Packed, rules: Sequence[Rule] | None) -> Sample:
    """A sample of the pairs that `rules` give, or all rules that so many records can afford.

    Follows what the records say, not their order.
    """
    one_in = _one_in(packed.rows)
    wanted = packed.contents % np.uint64(one_in) == 0
    few = packed.take(np.flatnonzero(wanted)) if one_in > 1 else packed
    tried = [tuple(rule) for rule in rules] if rules is not None else affordable(few, one_in)
    largest = largest_block(packed.rows, told=rules is not None)
    marks = _marks(few, tried) if one_in > 1 else ALL
    blocked = block(packed, tried, largest, marks)
    most = _PAIRS_BY_RULE if one_in == 1 else _FEWER_BY_RULE
    codes, rates = _drawn(packed, blocked, wanted, most)
    left, right = np.divmod(codes, max(packed.rows, 1))
    finders = sampling.which_find(blocked.rules, packed.keys, left, right)
    found = finders.any(axis=1)
    left, right, finders = left[found], right[found], finders[found]
    rate = (finders * rates).max(axis=1, initial=0.0) * (1 - (1 - 1 / one_in) ** 2)
    return Sample(left, right, compare(packed, left, right), 1 / rate, tuple(tried), finders)


def _one_in(rows: int) -> int:
    """One in so many rows, a power of two, that no more are left than are needed."""
    one_in = 1
    while rows > _ROWS * one_in:
        one_in *= 2
    return one_in


def _marks(few: Packed, rules: Sequence[Rule]) -> npt.NDArray[np.uint64]:
    """Marks of the blocks that these rows are in: one bit in sixteen or fewer is set by any rule."""
    words = 1 << (max(few.rows * _BITS_PER_ROW // 64, 1) - 1).bit_length()
    marks = np.zeros((len(rules), words), dtype=np.uint64)
    for r, entries in enumerate(block(few, rules, few.rows).entries):
        blocks.mark(entries, r, marks)
    return marks


def _drawn(packed: Packed, blocked: Blocked, wanted: Bools, most: int) -> tuple[Rows, Floats]:
    """The pairs of all rules, each once, as left · rows + right; and the share drawn of each rule's pairs."""

    def some(entries: blocks.Entries) -> tuple[Rows, float]:
        rate = min(most / max(sampling.pairs_around(entries, wanted), 1), 1.0)
        drawn = sampling.pairs_among(entries, wanted, packed.contents, np.uint64(rate * 2**32))
        return drawn, rate

    with ThreadPoolExecutor(THREADS) as threads:
        parts = list(threads.map(some, blocked.entries))
    codes = np.unique(np.concatenate([np.empty(0, np.int64), *(codes for codes, _ in parts)]))
    return codes, np.array([rate for _, rate in parts])
