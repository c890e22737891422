"""Persons among the few nodes that a change or a look-up reaches, in one call.

What `pairs.partition` does for all records, where no component is too large to score all its pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from suzani.identity.kernels.arrays import Bytes, Codes, Floats, Hashes64, Ints
from suzani.identity.kernels.compiling import kernel
from suzani.identity.kernels.levels import Layout, levels_of
from suzani.identity.kernels.linkage import Known, link_components
from suzani.identity.kernels.lookup import Blocks, Bounds, Marks, Nodes, reach
from suzani.identity.kernels.weights import Judge, field_bits, scores_of


class Rulings(NamedTuple):
    """What stewards said, by place among reached nodes: numbers of groups that are one person (-1: free), and
    sorted pairs told apart, packed as low << 32 | high."""

    together: Ints
    cannot: Ints


class Linked(NamedTuple):
    """Nodes in the order of what they say: the place of the node that names the person of each, and the
    evidence between them, by place: odds and levels (pairs × fields)."""

    nodes: Ints
    label: Ints
    left: Ints
    right: Ints
    odds: Floats
    levels: Bytes


class Probed(NamedTuple):
    """What a looked-up node meets: persons and its own pairs, what each field adds to these (`field_bits`),
    its place, and the odds of every node with itself."""

    found: Linked
    bits: Floats
    own: int
    selves: Floats


@kernel
def in_order(nodes: Ints, contents: Hashes64) -> Ints:
    """Nodes in the order of what they say, as a run has them; of two that say the same the lower is first."""
    nodes = np.sort(nodes)
    return nodes[np.argsort(contents[nodes], kind="mergesort")]


@kernel
def places_of(wanted: Ints, nodes: Ints) -> Ints:
    """The place of each wanted node among others."""
    by_number = np.argsort(nodes)
    return by_number[np.searchsorted(nodes[by_number], wanted)]


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
def link_few(
    nodes: Ints, component: Ints, rulings: Rulings, codes: Codes, judge: Judge, bounds: Bounds
) -> Linked:
    """Persons among nodes (`in_order`); `component`: the smallest place in the component of each."""
    members = np.argsort(component, kind="mergesort")
    named, left, right, odds, levels = link_components(
        members, _starts(component[members]), judge.layout, judge.values, judge.weights, codes[nodes],
        _nothing_known(judge.layout), rulings.together, rulings.cannot, bounds.clip, bounds.cut, bounds.kept,
    )  # fmt: skip
    label = np.empty(len(nodes), dtype=np.int64)
    label[members] = named
    return Linked(nodes, label, left, right, odds, levels)


@kernel
def probe(row: int, near: Blocks, nodes: Nodes, judge: Judge, bounds: Bounds, marks: Marks) -> Probed:
    """What a node meets that stands in no block itself. Of more nodes than `bounds.largest` nothing but the
    nodes is told."""
    reached, _, _ = reach(np.array([row]), near, nodes, judge, bounds, marks)
    reached = in_order(reached, nodes.contents)
    few = reached[: len(reached) if len(reached) <= bounds.largest else 0]
    rulings = Rulings(np.full(len(few), -1), np.empty(0, dtype=np.int64))
    every = Bounds(bounds.loose, bounds.cut, bounds.clip, -np.inf, bounds.largest)
    linked = link_few(few, np.zeros(len(few), dtype=np.int64), rulings, nodes.codes, judge, every)
    own = 0
    while reached[own] != row:
        own += 1
    mine = (linked.left == own) | (linked.right == own)
    left, right, levels = linked.left[mine], linked.right[mine], linked.levels[mine]
    layout, values, weights = judge
    bits = field_bits(weights, layout, levels, nodes.codes[few], left, right)
    itself = levels_of(layout, values, nodes.codes, few, few)
    selves = scores_of(weights, layout, itself, nodes.codes, few, few)
    return Probed(Linked(reached, linked.label, left, right, linked.odds[mine], levels), bits, own, selves)
