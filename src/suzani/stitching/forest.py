"""Which evidence holds subjects together: a spanning forest in the order of evidence. Pure.

Anchors, which stand for somebody each, count as one vertex: then the links that join nothing or would join
two anchors are those that close a cycle, and what is kept is the minimum spanning forest of all links in
their order. That is one and the same whatever order links come in; and a link that was not kept once need
not be looked at again until one that was kept is taken away.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable
from typing import TypeVar

from suzani.stitching.types import Verdict

V = TypeVar("V", bound=Hashable)


class Trees(dict[V, V]):
    """Vertices and what they hang on; one that hangs on nothing is the root of its tree."""

    def root(self, vertex: V) -> V:
        """The root of the tree of a vertex."""
        above = self.get(vertex, vertex)
        while above != vertex:
            upper = self.get(above, above)
            self[vertex] = upper
            vertex, above = above, upper
        return vertex


def spanning_forest(links: Iterable[tuple[V, V]], anchors: Container[V]) -> tuple[Trees[V], list[Verdict]]:
    """The trees that links, given in their order, hold together, and what becomes of each link.

    No tree has two anchors. Kruskal 1956, with the anchors contracted.
    """
    trees: Trees[V] = Trees()
    verdicts: list[Verdict] = []
    for one, other in links:
        a, b = trees.root(one), trees.root(other)
        if a == b:
            verdicts.append(Verdict.AGREED)
        elif a in anchors and b in anchors:
            verdicts.append(Verdict.TWO_KNOWN)
        else:
            # An anchor is always the root of its tree.
            trees[a if b in anchors else b] = b if b in anchors else a
            verdicts.append(Verdict.JOINED)
    return trees, verdicts
