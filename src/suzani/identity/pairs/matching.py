"""Pairs of packed records: their levels, their odds, and the candidates worth keeping."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels import scan
from suzani.identity.kernels.levels import levels_of
from suzani.identity.kernels.scan import Neighbours
from suzani.identity.kernels.weights import Judge, Weights, scores_of
from suzani.identity.models.comparisons import Levels, Rows
from suzani.identity.pairs.blocking import THREADS, Blocked
from suzani.identity.pairs.first_look import cards_of, look_of
from suzani.identity.pairs.packing import Packed

_STRETCHES = 4 * THREADS


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


def compare(packed: Packed, left: Rows, right: Rows) -> Levels:
    """Levels of every field for pairs of rows (pairs × fields)."""
    return np.asarray(levels_of(packed.layout, packed.values, packed.codes, left, right))


def score(packed: Packed, weights: Weights, left: Rows, right: Rows) -> Pairs:
    """Given pairs, scored."""
    levels = compare(packed, left, right)
    odds = scores_of(weights, packed.layout, levels, packed.codes, left, right)
    return Pairs(left, right, odds, levels)


@dataclass(frozen=True)
class Candidates:
    """The candidates above a bound, each once, in order; how many rules found each; and how many new ones of
    all candidates each rule gave, by its name."""

    pairs: Pairs
    found_by: Rows
    by_rule: dict[str, int]


def candidates(packed: Packed, blocked: Blocked, weights: Weights, bound: float) -> Candidates:
    """The candidates with odds above `bound`."""
    near, stretches = _neighbours(packed.rows, blocked)
    look = look_of(packed, weights, bound)
    cards = cards_of(packed, look, _in_a_block(packed.rows, near))
    judge = Judge(packed.layout, packed.values, weights)

    def one(rows: tuple[int, int]) -> tuple[Pairs, Rows, Rows]:
        kept, looked_at = scan.scan(near, *rows, look, cards, judge, bound)
        return Pairs(kept.left, kept.right, kept.odds, kept.levels), kept.found_by, looked_at

    with ThreadPoolExecutor(THREADS) as threads:
        found = list(threads.map(one, stretches))
    given = sum((looked_at for _, _, looked_at in found), np.zeros(len(blocked.rules.parts), dtype=np.int64))
    by_rule: dict[str, int] = {}
    for parts, count in zip(blocked.plan.rules, given.tolist(), strict=True):
        name = " + ".join(parts)
        by_rule[name] = by_rule.get(name, 0) + count
    pairs = Pairs.joined([part for part, _, _ in found], len(packed.fields))
    found_by = np.concatenate([np.empty(0, np.int64), *(rules for _, rules, _ in found)])
    order = np.argsort(pairs.left * packed.rows + pairs.right)
    return Candidates(pairs.where(order), found_by[order], by_rule)


def _in_a_block(rows: int, near: Neighbours) -> npt.NDArray[np.bool_]:
    """Which rows have any neighbour."""
    result = np.zeros(rows, dtype=bool)
    result[near.members & scan.ROW_MASK] = True
    return result


def _neighbours(rows: int, blocked: Blocked) -> tuple[Neighbours, list[tuple[int, int]]]:
    """Who is in a block with whom, and stretches of rows with about equally many pairs."""
    counts = np.zeros(rows, dtype=np.int32)
    sizes = [scan.count_members(entries, counts) for entries in blocked.entries]
    begin, ends = np.append(0, np.cumsum(counts, dtype=np.int64)), np.cumsum([0, *sizes])
    members, at = np.empty(ends[-1], dtype=np.int32), np.empty(begin[-1], dtype=np.int32)
    standing = np.stack([begin[:-1], np.zeros(rows, dtype=np.int64)], axis=1).astype(np.int32)
    for entries, place in zip(blocked.entries, ends.tolist(), strict=False):
        scan.add_members(entries, place, members, at, standing)
    later = standing[:, scan.LATER].copy()
    done = np.cumsum(later, dtype=np.int64)
    cuts = np.searchsorted(done, np.linspace(0, done[-1] if rows else 0, _STRETCHES + 1)[1:-1])
    edges = np.unique([0, *cuts.tolist(), rows])
    near = Neighbours(members, at, begin, ends[1:], later)
    return near, list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
