"""From scored pairs to persons: average linkage under constraints.

Connected components chain: one wrong edge joins two families. Here clusters join while the average of all
log-odds between them is positive, best first, so a wrong edge is outvoted by the pairs it would bring along.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.blocking import THREADS
from suzani.identity.comparisons import Rows
from suzani.identity.kernels.levels import CODE, FIRST, WAY
from suzani.identity.kernels.linkage import FORBIDDEN, VALID, components, link_components
from suzani.identity.kernels.weights import Weights
from suzani.identity.matching import Pairs
from suzani.identity.packing import Packed
from suzani.identity.sparse import average_linkage

_MUST = -FORBIDDEN


@dataclass(frozen=True, slots=True)
class Options:
    """How pairs become persons.

    `loose_bits`: log2 odds from which two records belong to one component to look into; `cut_bits`: average
    log2 odds from which clusters join; `clip_bits`: no single pair counts for more than this either way;
    `largest`: components up to this size have all their pairs scored; `unscored_bits`: what a pair that was
    not scored counts in larger ones; `kept_bits`: pairs kept as edges; `enough_recall`: estimated share of
    true pairs below which blocking is widened; `rules`: blocking rules to use instead of choosing them.
    """

    loose_bits: float = -2.0
    cut_bits: float = 0.0
    clip_bits: float = 15.0
    largest: int = 400
    unscored_bits: float = -6.0
    kept_bits: float = -3.0
    enough_recall: float = 0.98
    rules: tuple[tuple[str, ...], ...] | None = None


@dataclass(frozen=True)
class Constraints:
    """Pairs of rows that stewards joined (`must`) or parted (`cannot`): these always hold."""

    must: tuple[Rows, Rows]
    cannot: tuple[Rows, Rows]

    @classmethod
    def none(cls) -> Constraints:
        """No constraints."""
        nothing = np.empty(0, dtype=np.int64)
        return cls((nothing, nothing), (nothing, nothing))

    @property
    def rows(self) -> Rows:
        """Every row that a constraint names."""
        return np.unique(np.concatenate([*self.must, *self.cannot]).astype(np.int64))

    def on(self, number: Rows) -> Constraints:
        """The same constraints, row i now being called number[i]."""
        (a, b), (c, d) = self.must, self.cannot
        return Constraints((number[a], number[b]), (number[c], number[d]))


@dataclass(frozen=True)
class Partition:
    """`person[i]` names the cluster of row i by one of its rows; `edges` are the pairs inside persons, and
    those near enough to be worth showing."""

    person: Rows
    edges: Pairs


def partition(
    packed: Packed, weights: Weights, loose: Pairs, constraints: Constraints, options: Options
) -> Partition:
    """Persons among packed records, given the candidates above the loose bound.

    Inside each connected component every pair is scored; components too large for that are linked by the
    pairs they have. Rows must stand in an order that depends on what they say.
    """
    held = _Held.of(packed, constraints)
    left = np.concatenate([loose.left, constraints.must[0]])
    right = np.concatenate([loose.right, constraints.must[1]])
    component = components(packed.rows, left, right)
    size = np.bincount(component, minlength=packed.rows)[component]
    ruled = np.zeros(packed.rows, dtype=bool)
    ruled[component[held.together >= 0]] = True
    # Two records and one pair need no linkage, unless a steward has joined them.
    simple = (size == 2) & ~ruled[component]
    large = size > options.largest
    person = np.arange(packed.rows)
    parts = [_linked_pairs(packed, loose.where(simple[loose.left]), held, options, person)]
    whole = np.flatnonzero(((size > 2) | ruled[component]) & ~large)
    members = whole[np.argsort(component[whole], kind="stable")]
    parts += _linked_components(packed, weights, members, component[members], held, options, person)
    large = large[loose.left]
    if large.any():
        parts.append(_linked_sparsely(packed, loose.where(large), constraints, held, options, person))
    return Partition(person, Pairs.joined(parts, len(packed.fields)))


@dataclass(frozen=True)
class _Held:
    """Constraints as the kernels read them: `together` numbers groups of must-linked rows (-1: free);
    `cannot` are sorted pairs packed as low << 32 | high."""

    together: Rows
    cannot: Rows

    @classmethod
    def of(cls, packed: Packed, constraints: Constraints) -> _Held:
        together = np.full(packed.rows, -1, dtype=np.int64)
        left, right = constraints.must
        group = components(packed.rows, left, right)
        for side in (left, right):
            together[side] = group[side]
        low, high = np.minimum(*constraints.cannot), np.maximum(*constraints.cannot)
        return cls(together, np.unique(low << 32 | high))

    def parts(self, pairs: Pairs) -> npt.NDArray[np.bool_]:
        """Which pairs stewards told apart."""
        return np.isin(pairs.left << 32 | pairs.right, self.cannot)


def conflicts(packed: Packed, pairs: Pairs) -> npt.NDArray[np.bool_]:
    """Pairs with two national ids that both pass their check digit and differ by more than slips.

    Two valid ids a slip or two apart are more often one id mistyped than two people's.
    """
    result = np.zeros(len(pairs), dtype=bool)
    valid = np.append(packed.values.form[:, VALID] > 0, False)
    for f in np.flatnonzero(packed.layout.table[:, WAY] == CODE).tolist():
        codes = packed.codes[:, packed.layout.table[f, FIRST]]
        both = valid[codes[pairs.left]] & valid[codes[pairs.right]]
        result |= both & (pairs.levels[:, f] == 1)
    return result


def _linked_pairs(packed: Packed, pairs: Pairs, held: _Held, options: Options, person: Rows) -> Pairs:
    """Components of two records: one pair each."""
    forbidden = conflicts(packed, pairs) | held.parts(pairs)
    joins = (pairs.odds_bits > options.cut_bits) & ~forbidden
    person[pairs.right[joins]] = pairs.left[joins]
    return pairs.where(joins | (pairs.odds_bits > options.kept_bits))


def _linked_components(
    packed: Packed, weights: Weights, members: Rows, component: Rows, held: _Held, options: Options,
    person: Rows,
) -> list[Pairs]:  # fmt: skip
    """Components of which every pair is scored; `members` are their rows, one component after another."""
    if not len(members):
        return []
    starts = np.append(np.flatnonzero(np.append(True, component[1:] != component[:-1])), len(members))

    def link(cuts: Rows) -> tuple[Rows, Rows, Pairs]:
        first, last = cuts[0], cuts[-1]
        labels, left, right, odds, levels = link_components(
            members[first:last], cuts - first, packed.layout, packed.values, weights, packed.codes,
            held.together, held.cannot, options.clip_bits, options.cut_bits, options.kept_bits,
        )  # fmt: skip
        return members[first:last], labels, Pairs(left, right, odds, levels)

    with ThreadPoolExecutor(THREADS) as threads:
        found = list(threads.map(link, _shared_out(starts)))
    for rows, labels, _ in found:
        person[rows] = labels
    return [pairs for _, _, pairs in found]


def _shared_out(starts: Rows) -> list[Rows]:
    """The starts of components in stretches of about equal work."""
    work = np.cumsum(np.diff(starts).astype(np.float64) ** 2)
    cuts = np.searchsorted(work, np.linspace(0, work[-1], 4 * THREADS + 1)[1:-1]) + 1
    edges = np.unique([0, *np.minimum(cuts, len(starts) - 1), len(starts) - 1])
    return [starts[a : b + 1] for a, b in zip(edges[:-1], edges[1:], strict=True)]


def _linked_sparsely(
    packed: Packed, pairs: Pairs, constraints: Constraints, held: _Held, options: Options, person: Rows
) -> Pairs:
    """Components too large to score every pair: pairs that were not scored count as `unscored_bits`."""
    odds = np.clip(pairs.odds_bits, -options.clip_bits, options.clip_bits)
    odds[conflicts(packed, pairs) | held.parts(pairs)] = FORBIDDEN
    rows = np.unique(np.concatenate([pairs.left, pairs.right]))
    among = np.isin(constraints.cannot[0], rows) & np.isin(constraints.cannot[1], rows)
    musts = np.isin(constraints.must[0], rows) & np.isin(constraints.must[1], rows)
    left = np.concatenate([pairs.left, constraints.cannot[0][among], constraints.must[0][musts]])
    right = np.concatenate([pairs.right, constraints.cannot[1][among], constraints.must[1][musts]])
    extra = [np.full(among.sum(), FORBIDDEN), np.full(musts.sum(), _MUST)]
    label = average_linkage(
        packed.rows, left, right, np.concatenate([odds, *extra]),
        cut_bits=options.cut_bits, unscored_bits=options.unscored_bits,
    )  # fmt: skip
    person[rows] = label[rows]
    together = label[pairs.left] == label[pairs.right]
    return pairs.where(together | (pairs.odds_bits > options.kept_bits))
