"""Pairs of packed records: their levels, their odds, and the candidates worth keeping."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.blocking import THREADS, Blocked
from suzani.identity.comparisons import Levels, Rows
from suzani.identity.kernels import scan
from suzani.identity.kernels.levels import levels_of
from suzani.identity.kernels.weights import Weights, scores_of
from suzani.identity.packing import Packed

_STRETCH = 100_000


@dataclass(frozen=True)
class Pairs:
    """Scored pairs of rows, `left` < `right`; `levels` are pairs × fields."""

    left: Rows
    right: Rows
    odds_bits: npt.NDArray[np.float64]
    levels: Levels

    @property
    def probability(self) -> npt.NDArray[np.float64]:
        """Probability of being one person."""
        return np.asarray(1 / (1 + np.exp2(-self.odds_bits)))

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.left)

    def where(self, mask: npt.NDArray[np.bool_] | Rows) -> Pairs:
        """Some of the pairs."""
        return Pairs(self.left[mask], self.right[mask], self.odds_bits[mask], self.levels[mask])

    def on(self, rows: Rows) -> Pairs:
        """The same pairs, row i now being called rows[i]."""
        a, b = rows[self.left], rows[self.right]
        return Pairs(np.minimum(a, b), np.maximum(a, b), self.odds_bits, self.levels)

    @classmethod
    def joined(cls, parts: list[Pairs], fields: int) -> Pairs:
        """Several sets of pairs as one."""
        none = cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty((0, fields), np.uint8))
        parts = [none, *parts]
        return cls(
            np.concatenate([p.left for p in parts]),
            np.concatenate([p.right for p in parts]),
            np.concatenate([p.odds_bits for p in parts]),
            np.concatenate([p.levels for p in parts]),
        )


@dataclass(frozen=True)
class Sample:
    """Candidates to learn from, each standing for `one_in`, with how many blocking rules found each."""

    left: Rows
    right: Rows
    found_by: Rows
    one_in: int


def compare(packed: Packed, left: Rows, right: Rows) -> Levels:
    """Levels of every field for pairs of rows (pairs × fields)."""
    return np.asarray(levels_of(packed.layout, packed.values, packed.codes, left, right))


def score(packed: Packed, weights: Weights, left: Rows, right: Rows) -> Pairs:
    """Given pairs, scored."""
    levels = compare(packed, left, right)
    odds = scores_of(weights, packed.layout, levels, packed.codes, left, right)
    return Pairs(left, right, odds, levels)


def candidates(
    packed: Packed, blocked: Blocked, weights: Weights, bound: float
) -> tuple[Pairs, dict[str, int]]:
    """The candidates with odds above `bound`, each once, in order; and how many new pairs each rule gave."""
    work = [
        (r, int(start), int(end))
        for r, entries in enumerate(blocked.entries)
        for cuts in [scan.block_ends(entries, _STRETCH)]
        for start, end in zip(cuts[:-1], cuts[1:], strict=True)
    ]

    def one(item: tuple[int, int, int]) -> tuple[int, int, Pairs]:
        r, start, end = item
        left, right, odds, levels, looked_at = scan.scan(
            blocked.entries[r], start, end, r, blocked.rules, packed.keys, packed.layout, packed.values,
            weights, packed.codes, bound,
        )  # fmt: skip
        return r, looked_at, Pairs(left, right, odds, levels)

    with ThreadPoolExecutor(THREADS) as threads:
        found = list(threads.map(one, work))
    names = [" + ".join(parts) for parts in blocked.plan.rules]
    given = dict.fromkeys(names, 0)
    for r, looked_at, _ in found:
        given[names[r]] += looked_at
    pairs = Pairs.joined([part for _, _, part in found], len(packed.fields))
    return pairs.where(_in_order(packed.rows, pairs.left, pairs.right)), given


def _in_order(rows: int, left: Rows, right: Rows) -> Rows:
    """Where the pairs stand, each once: two records may share several blocks of one rule."""
    pair = left * rows + right
    order = np.argsort(pair, kind="stable")
    return order[np.append(True, np.diff(pair[order]) != 0)[: len(order)]]


def sampled(packed: Packed, blocked: Blocked, one_in: int) -> Sample:
    """One in so many candidates, chosen by what the records say."""
    with ThreadPoolExecutor(THREADS) as threads:
        found = list(
            threads.map(
                lambda r: scan.sample(
                    blocked.entries[r], r, blocked.rules, packed.keys, packed.contents, one_in
                ),
                range(len(blocked.entries)),
            )
        )
    left = np.concatenate([a for a, _ in found] or [np.empty(0, np.int64)])
    right = np.concatenate([b for _, b in found] or [np.empty(0, np.int64)])
    order = _in_order(packed.rows, left, right)
    left, right = left[order], right[order]
    return Sample(left, right, found_by(packed, blocked, left, right), one_in)


def found_by(packed: Packed, blocked: Blocked, left: Rows, right: Rows) -> Rows:
    """How many rules find each pair."""
    return np.asarray(scan.rules_finding(blocked.rules, packed.keys, left, right))
