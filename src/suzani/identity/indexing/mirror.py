"""The records of the bank in the memory of one process, kept up with the database, and how a change of some
of them settles into persons.

Every process that resolves deltas or single records has a mirror. Who settles holds the lock of identity and
first catches up with what others did, so that all judge alike, and two records of one person that arrive at
the same moment become one person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.identity.indexing import mirror_store
from suzani.identity.indexing.index import Index, Region
from suzani.identity.indexing.matches import Answer, Edge, Told, answer, reasons, told
from suzani.identity.indexing.mirror_store import Position
from suzani.identity.indexing.opening import (
    Everything,
    named,
    read_everything,
    reload,
    snapshot_in,
    standard_records,
)
from suzani.identity.indexing.pool import Standard
from suzani.identity.learning.engine import Judged
from suzani.identity.learning.evidence import evidence_json
from suzani.identity.models.model import Model
from suzani.identity.pairs.matching import Pairs
from suzani.identity.pairs.scoring import weight_bits
from suzani.identity.persons import lineage_store, store
from suzani.identity.persons.changes import Partition, apply_and_tell
from suzani.identity.persons.constraints import among
from suzani.identity.persons.types import Applied, NewChange
from suzani.infra.db import Database, Tx
from suzani.infra.platform import Platform

Ints = npt.NDArray[np.int64]
_FEW = 900


@dataclass(frozen=True)
class Said:
    """What new and changed records say now: their standard form, and when each was written, in microseconds
    since 1970."""

    record_ids: Sequence[int]
    standards: Sequence[Standard]
    updated_us: Sequence[int]

    @classmethod
    def of(cls, records: pa.Table, index: Index) -> Said:
        """What rows of `sources.RECORD_SCHEMA` say."""
        updated = records.column("updated_at").cast(store.TIME).cast(pa.int64()).to_pylist()
        return cls(records.column("record_id").to_pylist(), standard_records(records, index), updated)

    def __add__(self, other: Said) -> Said:
        """Both, one after the other."""
        return Said(
            [*self.record_ids, *other.record_ids],
            [*self.standards, *other.standards],
            [*self.updated_us, *other.updated_us],
        )


@dataclass(frozen=True)
class Settled:
    """What came of a change: the person of every record that it could reach, what was written, and the
    evidence for the new and changed records, by record."""

    person: dict[int, int]
    applied: Applied
    evidence: dict[int, list[Told]]


class Mirror:
    """An index of all records as they were resolved, the person of each, and where the database stood."""

    def __init__(self, everything: Everything, snapshot: Path) -> None:
        self._snapshot = snapshot
        self._take_over(everything)

    def _take_over(self, everything: Everything) -> None:
        self.index, self.person_of = everything.index, everything.person_of
        self._links, self._position = everything.links, everything.position
        self._doubtful: set[int] = set()

    @classmethod
    async def opened(cls, platform: Platform) -> Mirror:
        """A mirror of the database as it is now.

        Raises Conflict if there is no run yet whose knowledge it could use.
        """
        path = snapshot_in(platform)
        async with platform.db.transaction() as tx:
            await mirror_store.at_one_moment(tx)
            return cls(await read_everything(tx, path), path)

    async def is_current(self, db: Database) -> bool:
        """Whether there is nothing to catch up with."""
        return not self._doubtful and await mirror_store.position_now(db) == self._position

    async def catch_up(self, tx: Tx, now: Position | None = None) -> None:
        """Take over what other processes did, and whatever a failed transaction left in doubt; `now`: where
        the database stands, if that is known already."""
        now = now or await mirror_store.position(tx)
        if now.run_id != self._position.run_id:
            self._take_over(await read_everything(tx, self._snapshot))
            return
        if now == self._position and not self._doubtful:
            return
        after = self._position.change_id
        touched = {*await mirror_store.touched_since(tx, after), *self._doubtful}
        self._links = await lineage_store.active_links(tx)
        for record in named(self._links):
            self.index.part(record)
        await self._reload(tx, touched)
        for record, person in (await mirror_store.moves_since(tx, after)).items():
            self._belongs(record, person)
        self._position = now
        self._doubtful.clear()

    def nearest(self, attributes: Mapping[str, str | None], limit: int = 10) -> Answer:
        """Whom a record as typed (attribute → text) belongs to, and the persons nearest to it.

        Reads nothing from the database: catch up first where others may have written.
        """
        return answer(self.index, self.index.probe(self.index.standardise(attributes)), self.person_of, limit)

    def forget(self, records: Iterable[int]) -> None:
        """The transaction that settled these records failed: what is known of them is in doubt."""
        self._doubtful.update(records)

    async def _reload(self, tx: Tx, record_ids: Iterable[int]) -> None:
        wanted = sorted(record_ids)
        if not wanted:
            return
        await reload(tx, self.index, wanted)
        members = {row["record_id"]: row["person_id"] for row in await mirror_store.members(tx, wanted, [])}
        for record in wanted:
            self._belongs(record, members.get(record))

    def _belongs(self, record: int, person: int | None) -> None:
        if person is None:
            self.person_of.pop(record, None)
        else:
            self.person_of[record] = person

    async def settle(
        self, tx: Tx, change: NewChange, said: Said, gone: Sequence[int], at: datetime
    ) -> Settled:
        """Resolve what new, changed (`said`) and gone records can reach.

        The caller holds `store.lock`, has caught up, and calls `forget` if the transaction fails. The same
        persons as a full run with the same knowledge finds.
        """
        ids = said.record_ids
        old = [record for record in (*ids, *gone) if record in self.person_of]
        seeds = {*ids, *(await mirror_store.joined_by_edges(tx, old) if old else ())}
        self._doubtful.update(ids, gone)
        for record in gone:
            self.index.remove(record)
        self.index.put_all(ids, said.standards)
        region, members = await self._closed(tx, seeds, old)
        partition = _partition(region, members, said, gone)
        # Nothing waits for what needs no answer, unless there is so much that it is copied.
        async with tx.pipeline() if len(region.record_id) < _FEW else nullcontext():
            applied, now = await apply_and_tell(tx, change, partition, at)
            evidence = await self._write_edges(tx, region, partition, now, {*ids}, {*old})
            await mirror_store.touch(tx, applied.change_id, sorted({*ids, *gone}))
        person = dict(zip(partition.record_id.tolist(), now.tolist(), strict=True))
        for record in gone:
            self._belongs(record, None)
        self.person_of.update(person)
        self._doubtful.difference_update(ids, gone)
        self._position = Position(self._position.run_id, applied.change_id)
        return Settled(person, applied, evidence)

    async def _closed(
        self, tx: Tx, seeds: set[int], old: Sequence[int]
    ) -> tuple[Region, list[dict[str, int]]]:
        """The region that seeds reach, with all records of every person in it, and their memberships."""
        must, cannot = among(self._links, self._livenamed())
        joined: dict[int, list[int]] = {}
        for a, b in must:
            joined.setdefault(a, []).append(b)
            joined.setdefault(b, []).append(a)
        persons = {self.person_of[record] for record in old}
        while True:
            region = self.index.resolve(seeds, joined, must, cannot)
            reached = region.record_id.tolist()
            persons |= {self.person_of[record] for record in reached if record in self.person_of}
            members = await mirror_store.members(tx, reached, sorted(persons))
            outside = {row["record_id"] for row in members} - set(reached)
            outside = {record for record in outside if record in self.index}
            if outside <= seeds:
                return region, members
            seeds = seeds | outside

    def _livenamed(self) -> Ints:
        return np.array([r for r in sorted(named(self._links)) if r in self.index], dtype=np.int64)

    async def _write_edges(
        self, tx: Tx, region: Region, partition: Partition, person: Ints, ids: set[int], old: set[int]
    ) -> dict[int, list[Told]]:
        """Write the evidence that is new; returns what there is for each of `ids`. `old`: records that had
        evidence before and say something else now, or are gone."""
        edges = region.edges
        parted = partition.record_id[(partition.before > 0) & (partition.before != person)]
        if len(parted):
            # What is kept as evidence depends on who is one person with whom.
            old = old | set(region.record_id.tolist())
        else:
            new = np.isin(region.record_id, np.array(sorted(ids), dtype=np.int64))
            edges = edges.where(np.flatnonzero(new[edges.left] | new[edges.right]))
        found = self._edges(region, edges)
        await mirror_store.replace_edges_of(tx, sorted(old), found)
        return told(found, ids)

    def _edges(self, region: Region, edges: Pairs) -> list[Edge]:
        """Evidence inside a region as `identity.edge` keeps it."""
        a, b = region.record_id[edges.left], region.record_id[edges.right]
        model = self.index.learned.knowledge.model
        bits = self.index.bits_of(a, b, edges)
        weights = np.round(weight_bits(edges.odds_bits, model), 2)
        columns = (np.minimum(a, b), np.maximum(a, b), edges.odds_bits, weights, edges.probability)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        evidence = map(reasons, repeat(model), edges.levels.tolist(), bits.tolist())
        return [
            Edge(low, high, odds, weight, probability, one)
            for (low, high, odds, weight, probability), one in zip(rows, evidence, strict=True)
        ]


def _partition(
    region: Region, members: Sequence[dict[str, int]], said: Said, gone: Sequence[int]
) -> Partition:
    """What a region found, beside what was before."""
    order = np.argsort(region.record_id)
    record_id = region.record_id[order]
    before = {row["record_id"]: row for row in members}
    now = dict(zip(said.record_ids, said.updated_us, strict=True))
    known = [before.get(record, {}) for record in record_id.tolist()]
    seen = [store.NEVER if row.get("seen_us") is None else row["seen_us"] for row in known]
    updated = [now.get(record, was) for record, was in zip(record_id.tolist(), seen, strict=True)]
    return Partition(
        record_id=record_id,
        cluster=region.cluster[order],
        before=np.array([row.get("person_id", 0) for row in known], dtype=np.int64),
        gone=np.array([record for record in gone if record in before], dtype=np.int64),
        seen_us=(np.array(updated, dtype=np.int64), np.array(seen, dtype=np.int64)),
    )


def edge_table(record_id: Ints, edges: Pairs, judged: Judged, model: Model) -> pa.Table:
    """Edges as `identity.edge` keeps them; `edges` are pairs of rows, `record_id` the record of each."""
    a, b = record_id[edges.left], record_id[edges.right]
    return pa.table(
        {
            "record_a": np.minimum(a, b),
            "record_b": np.maximum(a, b),
            "weight_bits": np.round(weight_bits(edges.odds_bits, model), 2).astype(np.float32),
            "probability": edges.probability.astype(np.float32),
            "evidence": evidence_json(judged, edges),
        }
    )
