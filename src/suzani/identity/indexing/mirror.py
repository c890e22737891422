"""The records of the bank in the memory of one process, kept up with the database, and how a change of some
of them settles into persons.

Every process that resolves deltas or single records has a mirror. Who settles holds the lock of identity and
first catches up with what others did, so that all judge alike, and two records of one person that arrive at
the same moment become one person.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import repeat
from pathlib import Path

import msgspec
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
from suzani.identity.persons.changes import (
    FEW,
    Former,
    Partition,
    add_change,
    amend,
    assign,
    count_new,
)
from suzani.identity.persons.constraints import among
from suzani.identity.persons.types import Applied, NewChange
from suzani.infra.db import Database, Tx
from suzani.infra.message import Message
from suzani.infra.platform import Platform

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Said:
    """What new and changed records say now: their standard form, and when each was written, in microseconds
    since 1970. `new`: those that never had a person."""

    record_ids: Sequence[int]
    standards: Sequence[Standard]
    updated_us: Sequence[int]
    new: Sequence[int] = ()

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
            [*self.new, *other.new],
        )


@dataclass(frozen=True)
class Settled:
    """What came of a change: the person of every record that it could reach, those persons that are new, and
    the evidence for the new and changed records, by record."""

    person: dict[int, int]
    created: frozenset[int]
    evidence: dict[int, list[Told]]


class Mirror:
    """An index of all records as they were resolved, the person of each, and where the database stood."""

    def __init__(self, everything: Everything, snapshot: Path) -> None:
        self._snapshot = snapshot
        self._take_over(everything)

    def _take_over(self, everything: Everything) -> None:
        self.index, self.person_of = everything.index, everything.person_of
        self._links, self._doubtful = everything.links, set[int]()
        self._stand(everything.position)

    def _stand(self, position: Position) -> None:
        """This is what the database holds, and nothing is ahead of it."""
        self._position = self._stored = position
        self._ahead: deque[Position] = deque()

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
        return self.is_at(await mirror_store.position_now(db))

    def is_at(self, position: Position) -> bool:
        """Whether there is nothing to catch up with when the database stands there."""
        return not self._doubtful and position == self._position

    async def catch_up(self, tx: Tx, now: Position | None = None) -> None:
        """Take over what other processes did, and whatever a failed transaction left in doubt; `now`: where
        the database stands, if that is known already."""
        now = now or await mirror_store.position(tx)
        if now.run_id != self._position.run_id:
            self._take_over(await read_everything(tx, self._snapshot))
            return
        if self.is_at(now):
            return
        after = self._position.change_id
        touched = {*await mirror_store.touched_since(tx, after), *self._doubtful}
        self._links = await lineage_store.active_links(tx)
        for record in named(self._links):
            self.index.part(record)
        await self._reload(tx, touched)
        for record, person in (await mirror_store.moves_since(tx, after)).items():
            self.person_of.move(record, person)
        self._stand(now)
        self._doubtful.clear()

    def nearest(self, attributes: Mapping[str, str | None], limit: int = 10) -> Answer:
        """Whom a record as typed (attribute → text) belongs to, and the persons nearest to it.

        Reads nothing from the database: catch up first where others may have written.
        """
        return answer(self.index, self.index.probe(self.index.standardise(attributes)), self.person_of, limit)

    def forget(self, records: Iterable[int]) -> None:
        """The transaction that settled these records failed, and so do all that were settled ahead after it:
        what is known of them is in doubt."""
        self._doubtful.update(records)
        self._stand(self._stored)

    async def _reload(self, tx: Tx, record_ids: Iterable[int]) -> None:
        wanted = sorted(record_ids)
        if not wanted:
            return
        await reload(tx, self.index, wanted)
        persons = await mirror_store.persons_of(tx, wanted)
        for record in wanted:
            self.person_of.move(record, persons.get(record))

    async def settle(
        self, tx: Tx, change: NewChange, said: Said, gone: Sequence[int], at: datetime,
        last: Message | None = None,
    ) -> tuple[Settled, Applied]:  # fmt: skip
        """Resolve what new, changed (`said`) and gone records can reach; also returns what was written.

        The caller holds `store.lock`, has caught up, and calls `forget` if the transaction fails. The same
        persons as a full run with the same knowledge finds. With `last`, which began the transaction, it
        ends with this if few records change.
        """
        ids = said.record_ids
        old = [record for record in (*ids, *gone) if record in self.person_of]
        seeds = {*ids, *(await mirror_store.joined_by_edges(tx, old) if old else ())}
        self._doubtful.update(ids, gone)
        for record in gone:
            self.index.remove(record)
        region, partition = self._reached(said, seeds, gone, old)
        before = await assign(partition, partial(store.former_persons, tx))
        dropped, edges = self._new_edges(region, partition, before, {*ids}, {*old})
        if dropped:
            await mirror_store.drop_edges_of(tx, sorted(dropped))
        applied, person = await amend(tx, change, partition, before, at, _json(edges), last)
        self._take_in(partition, person)
        self._doubtful.difference_update(ids, gone)
        self._stand(Position(self._position.run_id, applied.change_id))
        return _settled(partition, before, person, edges, said), applied

    async def settle_ahead(
        self, message: Message, change: NewChange, said: Said, former: Former, person_ids: deque[int],
        at: datetime,
    ) -> Settled | None:  # fmt: skip
        """`settle`, before the database is asked: what follows from records that nobody has stored yet is
        added to a message, which holds `store.lock` and fails if there was another change.

        `former` as in `assign`; new persons are named from `person_ids`. Once the message is answered, the
        caller calls `stored`, or `forget` with all that were settled; until then what others read here is not
        durable. None for too much to be written so: then, and when this raises, the caller calls `forget`.
        """
        ids = said.record_ids
        self._doubtful.update(ids)
        region, partition = self._reached(said, {*ids}, (), ())
        before = await assign(partition, former)
        fresh = count_new(before)
        if fresh > len(person_ids) or len(before) >= FEW:
            return None
        created = np.array([person_ids.popleft() for _ in range(fresh)], dtype=np.int64)
        dropped, edges = self._new_edges(region, partition, before, {*ids}, set())
        if dropped:
            mirror_store.add_drop_edges(message, sorted(dropped))
        run_id, after = self._position.run_id, self._position.change_id
        _, person = add_change(message, change, partition, before, created, at, _json(edges), after)
        self._take_in(partition, person)
        self._doubtful.difference_update(ids)
        self._position = Position(run_id, after + 1)
        self._ahead.append(self._position)
        return _settled(partition, before, person, edges, said)

    def stored(self) -> None:
        """The first change that was settled ahead is durable."""
        if self._ahead:
            self._stored = self._ahead.popleft()

    def _reached(
        self, said: Said, seeds: set[int], gone: Sequence[int], old: Sequence[int]
    ) -> tuple[Region, Partition]:
        """Let records say what is new; what that reaches, and what it was before."""
        self.index.put_all(said.record_ids, said.standards)
        region = self._closed(seeds, old)
        return region, _partition(region, self.person_of, said, gone)

    def _take_in(self, partition: Partition, person: Ints) -> None:
        rows = zip(partition.record_id.tolist(), partition.before.tolist(), person.tolist(), strict=True)
        for record, before, to in rows:
            if to != before:
                self.person_of.move(record, to)
        for record in partition.gone.tolist():
            self.person_of.move(record, None)

    def _closed(self, seeds: set[int], old: Sequence[int]) -> Region:
        """The region that seeds reach, with all live records of every person in it."""
        must, cannot = among(self._links, self._livenamed()) if self._links else ([], [])
        joined: dict[int, list[int]] = {}
        for a, b in must:
            joined.setdefault(a, []).append(b)
            joined.setdefault(b, []).append(a)
        person_of, index = self.person_of, self.index
        persons = {person_of[record] for record in old}
        while True:
            region = index.resolve(seeds, joined, must, cannot)
            reached = region.record_id.tolist()
            persons |= {person_of[record] for record in reached if record in person_of}
            whole = {record for person in persons for record in person_of.records_of(person)}
            outside = {record for record in whole.difference(reached) if record in index}
            if outside <= seeds:
                return region
            seeds = seeds | outside

    def _livenamed(self) -> Ints:
        return np.array([r for r in sorted(named(self._links)) if r in self.index], dtype=np.int64)

    def _new_edges(
        self, region: Region, partition: Partition, person: Ints, ids: set[int], old: set[int]
    ) -> tuple[set[int], list[Edge]]:
        """Records whose evidence goes, and what comes. `old`: records that had evidence before and say
        something else now, or are gone."""
        edges, bits = region.edges, region.bits
        if ((partition.before > 0) & (partition.before != person)).any():
            # What is kept as evidence depends on who is one person with whom.
            old = old | set(region.record_id.tolist())
        else:
            pairs = zip(edges.left.tolist(), edges.right.tolist(), strict=True)
            new = [at for at, (a, b) in enumerate(pairs) if a in ids or b in ids]
            if len(new) < len(edges):
                edges, bits = edges.where(np.array(new, dtype=np.int64)), bits[new]
        return old, _edges(self.index, edges, bits) if len(edges) else []


def _settled(partition: Partition, before: Ints, person: Ints, edges: Sequence[Edge], said: Said) -> Settled:
    """`before`: the persons with the new ones not numbered yet."""
    now = dict(zip(partition.record_id.tolist(), person.tolist(), strict=True))
    return Settled(now, frozenset(person[before < 0].tolist()), told(edges, {*said.record_ids}))


def _json(edges: Sequence[Edge]) -> str:
    return msgspec.json.encode(edges).decode()


def _edges(index: Index, pairs: Pairs, bits: npt.NDArray[np.float64]) -> list[Edge]:
    """Evidence between records as `identity.edge` keeps it; `bits`: what each field adds."""
    weights = weight_bits(pairs.odds_bits, index.learned.knowledge.model).round(2)
    columns = (pairs.left, pairs.right, pairs.odds_bits, weights, pairs.probability)
    evidence = map(reasons, repeat(index.labels), pairs.levels.tolist(), bits.tolist())
    return list(map(Edge, *(column.tolist() for column in columns), evidence))


def _partition(region: Region, person_of: Mapping[int, int], said: Said, gone: Sequence[int]) -> Partition:
    """What a region found, beside what was before."""
    order = region.record_id.argsort()
    record_id = region.record_id[order]
    updated, new = dict(zip(said.record_ids, said.updated_us, strict=True)), {*said.new}
    records = record_id.tolist()
    return Partition(
        record_id=record_id,
        cluster=region.cluster[order],
        before=np.array([person_of.get(record, 0) for record in records], dtype=np.int64),
        gone=np.array([record for record in gone if record in person_of], dtype=np.int64),
        seen_us=(
            np.array([updated.get(record, store.NEVER) for record in records], dtype=np.int64),
            np.full(len(records), store.NEVER),
        ),
        is_new=np.array([record in new for record in records], dtype=bool),
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
