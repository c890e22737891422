"""Which records say what: each record stands at one node, and mostly alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from suzani.identity.indexing.growing import Growing

Rows = npt.NDArray[np.int64]
_NOBODY = -1


class Copies:
    """The records of each node, in order, and the node of each record."""

    def __init__(self, record_id: Rows, node: Rows, nodes: int) -> None:
        first = np.full(nodes, _NOBODY, dtype=np.int64)
        order = np.lexsort((record_id, node))
        record_id, node = record_id[order], node[order]
        leads = np.append(True, node[1:] != node[:-1])[: len(node)]
        first[node[leads]] = record_id[leads]
        many = np.zeros(nodes, dtype=bool)
        many[node[~leads]] = True
        self._first, self._many = Growing(first), Growing(many)
        self._more: dict[int, list[int]] = {}
        for at, record in zip(node[~leads].tolist(), record_id[~leads].tolist(), strict=True):
            self._more.setdefault(at, []).append(record)
        self.node_of: dict[int, int] = dict(zip(record_id.tolist(), node.tolist(), strict=True))

    @property
    def first(self) -> Rows:
        """The first record of each node; valid until the next addition."""
        return self._first.view

    @property
    def many(self) -> npt.NDArray[np.bool_]:
        """Which nodes have more records than that; valid until the next addition."""
        return self._many.view

    def of(self, node: int) -> list[int]:
        """The records of a node, in order."""
        first = int(self._first.view[node])
        return [] if first == _NOBODY else [first, *self._more.get(node, ())]

    def listed(self, nodes: Rows) -> tuple[Rows, Rows]:
        """The records of one node after another, and where those of each begin, and the last ones end."""
        more = self._more
        if more and not more.keys().isdisjoint(listed := nodes.tolist()):
            held = [self.of(node) for node in listed]
            starts = np.cumsum([0, *map(len, held)], dtype=np.int64)
            return np.array([record for own in held for record in own], dtype=np.int64), starts
        return self._first.view[nodes], np.arange(len(nodes) + 1)

    def add(self, record: int, node: int) -> None:
        """Let a record stand at a node; it stands at no other."""
        self._hold(node, sorted([*self.of(node), record]))
        self.node_of[record] = node

    def remove(self, record: int) -> int | None:
        """Take a record away; its node, if it stood at one."""
        node = self.node_of.pop(record, None)
        if node is not None:
            self._hold(node, [other for other in self.of(node) if other != record])
        return node

    def extend(self, nodes: int) -> None:
        """More nodes, without records."""
        self._first.extend(np.full(nodes, _NOBODY, dtype=np.int64))
        self._many.extend(np.zeros(nodes, dtype=bool))

    def cut(self, nodes: int) -> None:
        """Take away all nodes from this one on; no record stands there."""
        self._first.cut(nodes)
        self._many.cut(nodes)

    def _hold(self, node: int, records: list[int]) -> None:
        self._first.view[node] = records[0] if records else _NOBODY
        self._many.view[node] = len(records) > 1
        if len(records) > 1:
            self._more[node] = records[1:]
        else:
            self._more.pop(node, None)
