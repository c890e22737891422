"""Persons among the few nodes that a change or a look-up reaches, in one call.

What `pairs.partition` does for all records, where no component is too large to score all its pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from suzani.identity.kernels import copies
from suzani.identity.kernels.arrays import Bools, Bytes, Codes, Floats, Ints
from suzani.identity.kernels.compiling import kernel
from suzani.identity.kernels.levels import Layout, levels_of
from suzani.identity.kernels.linkage import Known, components, link_components
from suzani.identity.kernels.lookup import Blocks, Bounds, Marks, Nodes, reach
from suzani.identity.kernels.weights import Judge, field_bits, scores_of


class Rulings(NamedTuple):
    """What stewards said, by place among reached nodes: numbers of groups that are one person (-1: free), and
    sorted pairs told apart, packed as low << 32 | high."""

    together: Ints
    cannot: Ints


class Around(NamedTuple):
    """Nodes in the order of what they say, and the loose pairs among them, by place."""

    nodes: Ints
    left: Ints
    right: Ints


class Linked(NamedTuple):
    """By place among nodes: the one that names the person of each, and the evidence between them, odds and
    levels (pairs × fields). Nothing of nodes that are too many to score all their pairs."""

    label: Ints
    left: Ints
    right: Ints
    odds: Floats
    levels: Bytes


class Persons(NamedTuple):
    """Records, each named by a record of its person (none of too many), and the evidence between them: both
    records, odds, levels (pairs × fields), and what each field adds (`field_bits`)."""

    named: Ints
    a: Ints
    b: Ints
    odds: Floats
    levels: Bytes
    bits: Floats


class Probed(NamedTuple):
    """What a looked-up node meets: nodes, their persons and its own pairs, what each field adds to these
    (`field_bits`), its place, and the odds of every node with itself."""

    nodes: Ints
    found: Linked
    bits: Floats
    own: int
    selves: Floats


@kernel
def around(seeds: Ints, near: Blocks, nodes: Nodes, judge: Judge, bounds: Bounds, marks: Marks) -> Around:
    """What seeds (distinct nodes) are loosely connected with, these included, in the order that a run has it
    in; of two nodes that say the same the lower is first."""
    reached, left, right = reach(seeds, near, nodes, judge, bounds, marks)
    by_number = np.sort(reached)
    order = np.argsort(nodes.contents[by_number], kind="mergesort")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return Around(
        by_number[order], place[np.searchsorted(by_number, left)], place[np.searchsorted(by_number, right)]
    )


@kernel
def _nothing_known(layout: Layout) -> Known:
    none = np.empty(0, dtype=np.int64)
    return Known(none, none, np.empty(0), np.empty((0, len(layout.table)), dtype=np.uint8))


@kernel
def _starts(component: Ints) -> Ints:
    """Where each of sorted components begins, and where the last ends."""
    starts = np.empty(len(component) + 1, dtype=np.int64)
    n = 0
    for i in range(len(component)):
        if i == 0 or component[i] != component[i - 1]:
            starts[n] = i
            n += 1
    starts[n] = len(component)
    return starts[: n + 1].copy()


@kernel
def _link_few(found: Around, rulings: Rulings, codes: Codes, judge: Judge, bounds: Bounds) -> Linked:
    """Persons among few nodes: those connected by the pairs found, each component for itself."""
    component = components(len(found.nodes), found.left, found.right)
    members = np.argsort(component, kind="mergesort")
    starts = _starts(component[members])
    if len(members) and np.diff(starts).max() > bounds.largest:
        members, starts = members[:0], starts[:1]
    named, left, right, odds, levels = link_components(
        members, starts, judge.layout, judge.values, judge.weights, codes[found.nodes],
        _nothing_known(judge.layout), rulings.together, rulings.cannot, bounds.clip, bounds.cut, bounds.kept,
    )  # fmt: skip
    label = np.empty(len(members), dtype=np.int64)
    label[members] = named
    return Linked(label, left, right, odds, levels)


@kernel
def persons_among(
    found: Around, rulings: Rulings, codes: Codes, judge: Judge, bounds: Bounds, members: Ints, starts: Ints
) -> Persons:
    """Persons among the records of nodes: members[starts[n]:starts[n + 1]] are those of the nth."""
    linked = _link_few(found, rulings, codes, judge, bounds)
    if len(linked.label) < len(found.nodes):
        members = members[:0]
    return persons_of(linked, codes[found.nodes], judge, bounds, members, starts)


@kernel
def resolve(
    seeds: Ints, near: Blocks, nodes: Nodes, judge: Judge, bounds: Bounds, marks: Marks, first: Ints,
    many: Bools,
) -> tuple[Around, Persons]:  # fmt: skip
    """`around`, and `persons_among` without rulings where every node that is found has one record, which is
    the rule; nobody otherwise. By node: the `first` of its records, and whether there are more.
    """
    found = around(seeds, near, nodes, judge, bounds, marks)
    if many[found.nodes].any():
        return found, _nobody(judge.layout)
    rulings = Rulings(np.full(len(found.nodes), -1), np.empty(0, dtype=np.int64))
    members, starts = first[found.nodes], np.arange(len(found.nodes) + 1)
    return found, persons_among(found, rulings, nodes.codes, judge, bounds, members, starts)


@kernel
def _nobody(layout: Layout) -> Persons:
    none, fields = np.empty(0, dtype=np.int64), len(layout.table)
    levels, bits = np.empty((0, fields), dtype=np.uint8), np.empty((0, fields + 3))
    return Persons(none, none, none, np.empty(0), levels, bits)


@kernel
def persons_of(
    linked: Linked, codes: Codes, judge: Judge, bounds: Bounds, members: Ints, starts: Ints
) -> Persons:
    """The same of nodes that are linked already; `codes`: theirs."""
    layout, values, weights = judge
    copied = np.flatnonzero(np.diff(starts[: len(linked.label) + 1]) > 1)
    levels = levels_of(layout, values, codes, copied, copied)
    odds = scores_of(weights, layout, levels, codes, copied, copied)
    selves = np.zeros(len(linked.label))
    selves[copied] = odds
    joins = odds > bounds.cut
    own = copied[joins]
    left, right = np.append(linked.left, own), np.append(linked.right, own)
    levels = np.concatenate((linked.levels, levels[joins]))
    bits = field_bits(weights, layout, levels, codes, left, right)
    a, b, which = copies.spread(linked.left, linked.right, own, members, starts)
    return Persons(
        copies.clusters(linked.label, selves, bounds.cut, members, starts),
        a, b, np.append(linked.odds, odds[joins])[which], levels[which], bits[which],
    )  # fmt: skip


@kernel
def probe(row: int, near: Blocks, nodes: Nodes, judge: Judge, bounds: Bounds, marks: Marks) -> Probed:
    """What a node meets that stands in no block itself. Of too many nodes nothing but the nodes is told."""
    found = around(np.array([row]), near, nodes, judge, bounds, marks)
    rulings = Rulings(np.full(len(found.nodes), -1), np.empty(0, dtype=np.int64))
    every = Bounds(bounds.loose, bounds.cut, bounds.clip, -np.inf, bounds.largest)
    linked = _link_few(found, rulings, nodes.codes, judge, every)
    few = found.nodes[: len(linked.label)]
    own = 0
    while found.nodes[own] != row:
        own += 1
    mine = (linked.left == own) | (linked.right == own)
    left, right, levels = linked.left[mine], linked.right[mine], linked.levels[mine]
    layout, values, weights = judge
    bits = field_bits(weights, layout, levels, nodes.codes[few], left, right)
    itself = levels_of(layout, values, nodes.codes, few, few)
    selves = scores_of(weights, layout, itself, nodes.codes, few, few)
    return Probed(
        found.nodes, Linked(linked.label, left, right, linked.odds[mine], levels), bits, own, selves
    )
