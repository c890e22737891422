"""What stewards said about records, thought through: contradictions, and what it says of live records. Pure.

A must-link says that two records are one person, a cannot-link that they are not. Must-links connect: if a
and b must and b and c must, a and c are one person, whether or not b still lives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from suzani.identity.persons.types import Kind

Ints = npt.NDArray[np.int64]
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Link:
    """One word about two records, `a` < `b`; `constraint_id` is None for one that is not stored (yet)."""

    kind: Kind
    a: int
    b: int
    constraint_id: int | None = None


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A cannot-link whose two records are one person by the must-links of `path`, in order."""

    cannot: Link
    path: tuple[Link, ...]


class Groups:
    """Records joined by must-links: union-find with path halving."""

    def __init__(self, links: Iterable[Link] = ()) -> None:
        self._parent: dict[int, int] = {}
        for link in links:
            if link.kind is Kind.MUST:
                self.join(link.a, link.b)

    def of(self, record: int) -> int:
        """The smallest record of the group; a record without must-links is a group of its own."""
        parent = self._parent
        while (above := parent.get(record, record)) != record:
            parent[record] = parent.get(above, above)
            record = parent[record]
        return record

    def join(self, a: int, b: int) -> None:
        """Let two records be in one group."""
        low, high = sorted((self.of(a), self.of(b)))
        if low != high:
            self._parent[high] = low


def link(kind: Kind, a: int, b: int) -> Link:
    """A word about two different records, which may come in any order."""
    return Link(kind, min(a, b), max(a, b))


def chain(records: Iterable[int]) -> list[Link]:
    """Must-links that make these records one person: one less than records."""
    return [link(Kind.MUST, a, b) for a, b in pairwise(sorted(set(records)))]


def apart(groups: Sequence[Sequence[int]]) -> list[Link]:
    """Cannot-links between every two records of different groups."""
    return [
        link(Kind.CANNOT, a, b)
        for one, other in combinations(groups, 2)
        for a in one
        for b in other
        if a != b
    ]


def find_contradiction(links: Sequence[Link]) -> Contradiction | None:
    """The first cannot-link that the must-links break, None when all can hold at once."""
    groups = Groups(links)
    for item in links:
        if item.kind is Kind.CANNOT and groups.of(item.a) == groups.of(item.b):
            return Contradiction(item, _path(links, item.a, item.b))
    return None


def _path(links: Sequence[Link], start: int, end: int) -> tuple[Link, ...]:
    """The fewest must-links that lead from one record to another of its group."""
    around: dict[int, list[tuple[int, Link]]] = {}
    for item in links:
        if item.kind is Kind.MUST:
            around.setdefault(item.a, []).append((item.b, item))
            around.setdefault(item.b, []).append((item.a, item))
    came: dict[int, tuple[int, Link]] = {}
    waiting = deque([start])
    while waiting and end not in came:
        here = waiting.popleft()
        for there, item in around.get(here, []):
            if there != start and there not in came:
                came[there] = here, item
                waiting.append(there)
    path: list[Link] = []
    while end != start:
        end, item = came[end]
        path.append(item)
    return tuple(reversed(path))


def among(links: Sequence[Link], live: Ints) -> tuple[list[Pair], list[Pair]]:
    """The same words between live records alone: must-links and cannot-links as pairs, each once.

    A group joined through records that are gone stays joined; a cannot-link of a group holds for its live
    records. What has no live record on both sides says nothing. `links` must not contradict each other.
    """
    if not links:
        return [], []
    groups = Groups(links)
    named = {record for item in links for record in (item.a, item.b)}
    members: dict[int, list[int]] = {}
    for record in np.unique(live[np.isin(live, sorted(named))]).tolist():
        members.setdefault(groups.of(record), []).append(record)
    must = [pair for group in members.values() for pair in pairwise(group)]
    between = {(groups.of(item.a), groups.of(item.b)) for item in links if item.kind is Kind.CANNOT}
    cannot = {
        (min(members[a][0], members[b][0]), max(members[a][0], members[b][0]))
        for a, b in between
        if a in members and b in members
    }
    return must, sorted(cannot)


def rows_of(record_id: Ints, pairs: Sequence[Pair]) -> tuple[Ints, Ints]:
    """Row numbers of pairs of records; `record_id` is in ascending order and has all of them."""
    found = np.searchsorted(record_id, np.array(pairs, dtype=np.int64).reshape(-1, 2))
    return np.ascontiguousarray(found[:, 0]), np.ascontiguousarray(found[:, 1])
