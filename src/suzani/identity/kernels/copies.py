"""What is known of nodes, told of the records that stand at them: all of a node say the same."""

from __future__ import annotations

import numpy as np

from suzani.identity.kernels.arrays import Floats, Ints
from suzani.identity.kernels.compiling import inner, kernel

MANY = 20
"""Of so many copies each has evidence to the first alone; of fewer, to whatever the first has evidence to."""


@inner
def _counted(starts: Ints, node: int) -> int:
    """How many copies of a node have evidence to other nodes."""
    size = starts[node + 1] - starts[node]
    return int(size) if size < MANY else 1


@inner
def _among(starts: Ints, node: int) -> int:
    """How many pairs of copies of a node are evidence."""
    size = starts[node + 1] - starts[node]
    return int(size * (size - 1) // 2 if size < MANY else size - 1)


@kernel
def spread(left: Ints, right: Ints, own: Ints, members: Ints, starts: Ints) -> tuple[Ints, Ints, Ints]:
    """The pairs of records that pairs of nodes (`left`, `right`) and nodes whose copies match (`own`) stand
    for; members[starts[n]:starts[n + 1]] are the records of node n.

    Returns both records of each, the lower first, and whose evidence is theirs: the number of a pair, or the
    number of pairs and the place in `own` after it.
    """
    most = 0
    for pair in range(len(left)):
        most += _counted(starts, left[pair]) * _counted(starts, right[pair])
    for node in own:
        most += _among(starts, node)
    a, b, which = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    n = 0
    for pair in range(len(left)):
        one, other = starts[left[pair]], starts[right[pair]]
        for i in range(_counted(starts, left[pair])):
            for j in range(_counted(starts, right[pair])):
                a[n], b[n], which[n] = members[one + i], members[other + j], pair
                n += 1
    for at in range(len(own)):
        first, end = starts[own[at]], starts[own[at] + 1]
        for i in range(first, end if end - first < MANY else first + 1):
            for j in range(i + 1, end):
                a[n], b[n], which[n] = members[i], members[j], len(left) + at
                n += 1
    return np.minimum(a, b), np.maximum(a, b), which


@kernel
def clusters(label: Ints, selves: Floats, cut: float, members: Ints, starts: Ints) -> Ints:
    """The record that names the cluster of each record: the first one of the node that names its node's.

    `label`: the node that names the cluster of each node. Copies of a node that does not match itself
    (`selves`: its odds, `cut` or below) stay alone, all but the first.
    """
    named = np.empty(len(members), dtype=np.int64)
    for node in range(len(label)):
        for at in range(starts[node], starts[node + 1]):
            alone = at > starts[node] and selves[node] <= cut
            named[at] = members[at] if alone else members[starts[label[node]]]
    return named
