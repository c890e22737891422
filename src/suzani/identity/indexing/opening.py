"""Reading into memory what all records say: from the snapshot, or else from the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from suzani import sources
from suzani.identity.indexing import mirror_store, snapshot
from suzani.identity.indexing.index import Index
from suzani.identity.indexing.members import Members
from suzani.identity.indexing.mirror_store import Position
from suzani.identity.indexing.pool import Standard
from suzani.identity.indexing.snapshot import Snapshot, State, Unusable
from suzani.identity.learning.knowledge import Learned
from suzani.identity.pairs.packing import pack
from suzani.identity.persons import lineage_store, store
from suzani.identity.persons.constraints import Link
from suzani.identity.standardising.fields import standardise
from suzani.infra.db import Tx
from suzani.infra.platform import Platform
from suzani.kernel import ATTRIBUTES, Conflict

_REWRITTEN_FROM: Final = 20_000
"""Records to be read anew from which on the snapshot is written anew, too."""
_MANY: Final = 200
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Everything:
    """All records as they were resolved, the person of each, what stewards said, and where the database
    stood."""

    index: Index
    person_of: Members
    links: list[Link]
    position: Position


def snapshot_in(platform: Platform) -> Path:
    """Where a platform keeps its snapshot."""
    return platform.data_dir / "cache" / "identity.snapshot"


async def read_everything(tx: Tx, path: Path) -> Everything:
    """What the database holds now; the transaction must see it at one moment.

    Raises Conflict if there is no run yet whose knowledge could be used.
    """
    position = await mirror_store.position(tx)
    if position.run_id is None:
        raise Conflict("records have not been resolved yet", hint="Run `suzani resolve` once.")
    latest = await mirror_store.latest_digest(tx)
    learned = Learned.from_bytes(await mirror_store.knowledge(tx, position.run_id))
    links = await lineage_store.active_links(tx)
    members = await store.memberships(tx)
    kept = await _kept(tx, path, latest, learned)
    if kept is None:
        missed = None
        records = await sources.records_for_identity(tx)
        index = await asyncio.to_thread(_indexed, learned, records, named(links))
    else:
        index = await asyncio.to_thread(Index, learned, kept.packed, kept.record_id, named(links))
        missed = {*await mirror_store.touched_since(tx, kept.state.change_id)}
        missed |= set(np.setxor1d(members.record_id, kept.record_id).tolist())
        del kept
        await reload(tx, index, missed)
    if missed is None or len(missed) >= _REWRITTEN_FROM:
        await _write(tx, path, index, position)
    return Everything(index, Members(members.record_id, members.person_id), links, position)


async def _kept(tx: Tx, path: Path, latest: tuple[int, str] | None, learned: Learned) -> Snapshot | None:
    """The snapshot, if it is one of this very database since its latest run."""
    try:
        state = snapshot.state_of(path)
        if state is None:
            return None
        if (state.run_id, state.digest) != latest:
            _log.info("%s is of an earlier run: reading all records", path)
            return None
        if await mirror_store.time_of(tx, state.change_id) != state.changed_at:
            raise Unusable(f"{path} is of another database")
        return await asyncio.to_thread(snapshot.read, path, learned.knowledge.words)
    except Unusable as error:
        _log.warning("%s; reading all records instead", error.message)
        return None


async def reload(tx: Tx, index: Index, record_ids: Iterable[int]) -> None:
    """Let an index know what the database has of some records."""
    wanted = sorted(record_ids)
    if not wanted:
        return
    for record in wanted:
        index.remove(record)
    records = await sources.records_for_identity(tx, wanted)
    await asyncio.to_thread(put, index, records)


def put(index: Index, records: pa.Table) -> None:
    """Let an index know what records (of `sources.RECORD_SCHEMA`) say."""
    index.put_all(records.column("record_id").to_pylist(), standard_records(records, index))


def standard_records(records: pa.Table, index: Index) -> Sequence[Standard]:
    """Records in standard form; many of them as a table, in which each value is looked at once."""
    records = records.select(list(ATTRIBUTES))
    if records.num_rows < _MANY:
        return [index.standardise(row) for row in records.to_pylist()]
    columns = []
    fields, _ = standardise(records, {}, index.learned.norms)
    for field in fields:
        texts = np.array([*field.texts.to_pylist(), ""], dtype=object)[field.codes]
        columns.append([tuple(row) for row in texts.tolist()])
    names = [field.name for field in fields]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def named(links: Iterable[Link]) -> set[int]:
    """Every record that a constraint names."""
    return {record for link in links for record in (link.a, link.b)}


def _indexed(learned: Learned, records: pa.Table, apart: set[int]) -> Index:
    fields, _ = standardise(records, {}, learned.norms)
    packed = pack(fields, records.num_rows, learned.knowledge.words)
    return Index(learned, packed, records.column("record_id").to_numpy(), apart)


async def _write(tx: Tx, path: Path, index: Index, position: Position) -> None:
    """Write what an index holds; where that cannot be, the next process reads all records again."""
    latest = await mirror_store.latest_digest(tx)
    at = await mirror_store.time_of(tx, position.change_id)
    if latest is None or at is None:
        return
    record_id, packed = index.everyone()
    await keep(path, Snapshot(State(*latest, position.change_id, at), record_id, packed))


async def keep(path: Path, kept: Snapshot) -> None:
    """Write a snapshot, if the disk lets us."""
    try:
        await asyncio.to_thread(snapshot.write, path, kept)
    except OSError as error:
        _log.warning("%s cannot be written: %s; every start will read all records", path, error)
