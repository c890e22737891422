"""A sample of the pairs that blocking rules give: to learn a model from, and to tell what each rule is worth.

Of many rows some are drawn, and all pairs among these, so that for each of them it is known which rules find
it; of rules that give many pairs fewer are drawn, and each counts for more (Horvitz & Thompson 1952).
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
from suzani.identity.pairs.blocking import THREADS, Blocked, Rule, block, largest_block
from suzani.identity.pairs.matching import compare
from suzani.identity.pairs.packing import Packed

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_DRAWN_BITS = np.uint64((1 << 20) - 1)
"""The bits of what a record says that tell whether it is in a share of all."""
_ROWS = 25_000
"""Rows by which rules are judged that might be tried; as many pairs are looked at as these have with all."""
_PAIRS_BY_RULE = 8_000
"""Pairs drawn of each rule where records are few."""
_FEWER_BY_RULE = 3_000
"""The same where the rows are a sample themselves."""


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
    share = min((2 * _ROWS / max(packed.rows, 1)) ** 0.5, 1.0)
    rows, some = _share_of(packed, share)
    tried = [tuple(rule) for rule in rules] if rules is not None else affordable(*_few(packed))
    # Blocks are refined that would be among all records, of which they hold a share.
    largest = max(round(share * largest_block(packed.rows, told=rules is not None)), 2)
    blocked = block(some, tried, largest)
    codes, rates = _drawn(some, blocked, _PAIRS_BY_RULE if some is packed else _FEWER_BY_RULE)
    left, right = np.divmod(codes, max(some.rows, 1))
    finders = sampling.which_find(blocked.rules, some.keys, left, right)
    found = finders.any(axis=1)
    left, right, finders = rows[left[found]], rows[right[found]], finders[found]
    rate = (finders * rates).max(axis=1, initial=0.0) * share**2
    return Sample(left, right, compare(packed, left, right), 1 / rate, tuple(tried), finders)


def _share_of(packed: Packed, share: float) -> tuple[Rows, Packed]:
    """A share of all records, by what they say, and their rows."""
    if share == 1.0:
        return np.arange(packed.rows), packed
    rows = np.flatnonzero(packed.contents & _DRAWN_BITS < np.uint64(share * _DRAWN_BITS))
    return rows, packed.take(rows)


def _few(packed: Packed) -> tuple[Packed, int]:
    """One in so many records, a power of two, that no more are left than are needed; and that number."""
    one_in = 1
    while packed.rows > _ROWS * one_in:
        one_in *= 2
    return _share_of(packed, 1 / one_in)[1], one_in


def _drawn(packed: Packed, blocked: Blocked, most: int) -> tuple[Rows, Floats]:
    """The pairs of all rules, each once, as left · rows + right; and the share drawn of each rule's pairs."""

    def some(entries: blocks.Entries, pairs: int) -> tuple[Rows, float]:
        rate = min(most / max(pairs, 1), 1.0)
        return sampling.pairs_among(entries, packed.contents, np.uint64(rate * 2**32)), rate

    with ThreadPoolExecutor(THREADS) as threads:
        parts = list(threads.map(some, blocked.entries, blocked.pairs))
    codes = np.unique(np.concatenate([np.empty(0, np.int64), *(codes for codes, _ in parts)]))
    return codes, np.array([rate for _, rate in parts])
