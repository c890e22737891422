"""From scored pairs to persons: average linkage under constraints.

Connected components chain: one wrong edge joins two families. Here clusters join while the average of all
log-odds between them is positive, best first, so a wrong edge is outvoted by the pairs it would bring along.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels.levels import FIRST, WAY
from suzani.identity.kernels.linkage import FORBIDDEN, VALID, Known, components, link_components
from suzani.identity.kernels.marks import CODE
from suzani.identity.kernels.weights import Weights
from suzani.identity.models.comparisons import DIFFERENT, Rows
from suzani.identity.pairs.blocking import THREADS
from suzani.identity.pairs.matching import Pairs
from suzani.identity.pairs.ordering import stable_order
from suzani.identity.pairs.packing import Packed
from suzani.identity.pairs.sparse import average_linkage

_MUST = -1e9 * FORBIDDEN
_WORTH_THREADS = 1_000
"""Odds of a pair that stewards joined: more than any number of forbidden pairs takes away."""
_MOST_IN_PERSON = 1_000
"""Clusters up to this size have all their pairs scored, even if that was too much for their component."""


@dataclass(frozen=True, slots=True)
class Options:
    """How pairs become persons.

    `loose_bits`: log2 odds from which two records belong to one component to look into; `cut_bits`: average
    log2 odds from which clusters join; `clip_bits`: no single pair counts for more than this either way;
    `largest`: components up to this size have all their pairs scored; `unscored_bits`: what a pair that was
    not scored counts in larger ones; `kept_bits`: pairs kept as edges; `rules`: blocking rules
    to use instead of choosing them.
    """

    loose_bits: float = -2.0
    cut_bits: float = 0.0
    clip_bits: float = 15.0
    largest: int = 400
    unscored_bits: float = -6.0
    kept_bits: float = -3.0
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
    held = Held.of(packed.rows, constraints)
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
    parts += _linked_components(packed, weights, loose, members, component[members], held, options, person)
    if large.any():
        known = loose.where(large[loose.left])
        person[large] = _linked_sparsely(packed, known, constraints, held, options)[large]
        parts += _within(packed, weights, known, held, options, person, np.flatnonzero(large))
    return Partition(person, Pairs.joined(parts, len(packed.fields)))


@dataclass(frozen=True)
class Held:
    """Constraints as the kernels read them: `together` numbers groups of must-linked rows (-1: free);
    `cannot` are sorted pairs packed as low << 32 | high."""

    together: Rows
    cannot: Rows

    @classmethod
    def of(cls, rows: int, constraints: Constraints) -> Held:
        """Constraints on so many rows."""
        together = np.full(rows, -1, dtype=np.int64)
        if not len(constraints.must[0]) + len(constraints.cannot[0]):
            return cls(together, np.empty(0, np.int64))
        left, right = constraints.must
        group = components(rows, left, right)
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
    form = packed.values.form
    for f in np.flatnonzero(packed.layout.table[:, WAY] == CODE).tolist():
        codes = packed.codes[:, packed.layout.table[f, FIRST]]
        # Few pairs differ in this field: only their values are looked at, however many there are.
        apart = np.flatnonzero(pairs.levels[:, f] == DIFFERENT)
        left, right = codes[pairs.left[apart]], codes[pairs.right[apart]]
        both = (left >= 0) & (right >= 0)
        result[apart[both]] |= (form[left[both], VALID] > 0) & (form[right[both], VALID] > 0)
    return result


def _linked_pairs(packed: Packed, pairs: Pairs, held: Held, options: Options, person: Rows) -> Pairs:
    """Components of two records: one pair each."""
    forbidden = conflicts(packed, pairs) | held.parts(pairs)
    joins = (pairs.odds_bits > options.cut_bits) & ~forbidden
    person[pairs.right[joins]] = pairs.left[joins]
    return pairs.where(joins | (pairs.odds_bits > options.kept_bits))


def _known(pairs: Pairs) -> Known:
    """Scored pairs as the kernels look them up; they mostly come in this order."""
    key = pairs.left << 32 | pairs.right
    if (key[1:] > key[:-1]).all():
        return Known(pairs.left, pairs.right, pairs.odds_bits, pairs.levels)
    order = stable_order(key)
    return Known(pairs.left[order], pairs.right[order], pairs.odds_bits[order], pairs.levels[order])


def _linked_components(
    packed: Packed, weights: Weights, loose: Pairs, members: Rows, component: Rows, held: Held,
    options: Options, person: Rows,
) -> list[Pairs]:  # fmt: skip
    """Components of which every pair is scored, unless it is among `loose`; `members` are their rows, one
    component after another."""
    if not len(members):
        return []
    known = _known(loose)
    starts = np.append(np.flatnonzero(np.append(True, component[1:] != component[:-1])), len(members))

    def link(cuts: Rows) -> tuple[Rows, Rows, Pairs]:
        first, last = cuts[0], cuts[-1]
        labels, left, right, odds, levels = link_components(
            members[first:last], cuts - first, packed.layout, packed.values, weights, packed.codes,
            known, held.together, held.cannot, options.clip_bits, options.cut_bits, options.kept_bits,
        )  # fmt: skip
        return members[first:last], labels, Pairs(left, right, odds, levels)

    if len(members) < _WORTH_THREADS:
        found = [link(starts)]
    else:
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
    return [starts[a : b + 1] for a, b in pairwise(edges)]


def _linked_sparsely(
    packed: Packed, pairs: Pairs, constraints: Constraints, held: Held, options: Options
) -> Rows:
    """The cluster of every row in components too large to score all their pairs: those that were not scored
    count as `unscored_bits`."""
    odds = np.clip(pairs.odds_bits, -options.clip_bits, options.clip_bits)
    odds[conflicts(packed, pairs) | held.parts(pairs)] = FORBIDDEN
    (a, b), (c, d) = constraints.must, constraints.cannot
    return average_linkage(
        packed.rows, np.concatenate([pairs.left, a, c]), np.concatenate([pairs.right, b, d]),
        np.concatenate([odds, np.full(len(a), _MUST), np.full(len(c), FORBIDDEN)]),
        cut_bits=options.cut_bits, unscored_bits=options.unscored_bits, names=packed.contents,
    )  # fmt: skip


def _within(
    packed: Packed, weights: Weights, known: Pairs, held: Held, options: Options, person: Rows, rows: Rows
) -> list[Pairs]:
    """Persons among clusters of `rows` that were linked by known pairs alone, now by all their pairs: what
    was not scored may part them, as two valid ids do. Monstrous clusters stay as they are."""
    cluster = person.copy()
    size = np.bincount(cluster, minlength=packed.rows)[cluster[rows]]
    members = rows[(size > 1) & (size <= max(options.largest, _MOST_IN_PERSON))]
    members = members[np.argsort(cluster[members], kind="stable")]
    parts = _linked_components(packed, weights, known, members, cluster[members], held, options, person)
    together = cluster[known.left] == cluster[known.right]
    judged = np.zeros(packed.rows, dtype=bool)
    judged[members] = True
    rest = known.where(~(together & judged[known.left]))
    together = person[rest.left] == person[rest.right]
    return [*parts, rest.where(together | (rest.odds_bits > options.kept_bits))]
