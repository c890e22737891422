"""Loading extracts: a batch is read and shaped in a thread while the one before it is stored."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, aclosing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import psycopg

from suzani.infra import jobs
from suzani.infra.platform import Platform
from suzani.kernel import Conflict, InvalidInput, SuzaniError, Unavailable
from suzani.sources import store
from suzani.sources.catalogue import find_mapping
from suzani.sources.mapping import Mapping, refuse_missing
from suzani.sources.mapping_file import load_mapping
from suzani.sources.readers import Source, open_file, open_query
from suzani.sources.shaping import duplicate_detail, shape
from suzani.sources.types import (
    Fate,
    LoadOptions,
    LoadReport,
    Mode,
    Reason,
    Reject,
    ShapedBatch,
    Sql,
)

PLAUSIBLE_SHARE_DELETED = 0.5
PLAUSIBLE_FROM_RECORDS = 100


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """How far a load is: the file, its share that is read (0 to 1), and the rows of all files so far."""

    file: str
    file_no: int
    files: int
    share: float
    rows: int


Progress: TypeAlias = Callable[[LoadProgress], None]


@dataclass(frozen=True, slots=True)
class Input:
    """One file, or a query, to be loaded; `digest` names its content."""

    name: str
    digest: str
    path: Path | None = None
    sql: Sql | None = None
    stamp: tuple[int, int] = (0, 0)

    def open(self, mapping: Mapping, options: LoadOptions) -> AbstractContextManager[Source]:
        """Its rows, as the mapping wants them."""
        if self.sql is not None:
            return open_query(self.sql, mapping.columns(), options.limits)
        assert self.path is not None  # noqa: S101 - one of the two
        return open_file(self.path, mapping.format, mapping.columns(), options.limits)


@dataclass(slots=True)
class _Load:
    """A load under way."""

    platform: Platform
    mapping: Mapping
    inputs: tuple[Input, ...]
    options: LoadOptions
    mode: Mode
    progress: Progress | None
    columns: tuple[tuple[str, ...], ...] = ()
    row: dict[str, Any] = field(default_factory=dict)
    resumed: bool = False
    warnings: list[str] = field(default_factory=list)

    @property
    def load_id(self) -> int:
        return int(self.row["load_id"])


async def load(
    platform: Platform,
    system: str,
    paths: Sequence[Path],
    options: LoadOptions | None = None,
    progress: Progress | None = None,
) -> LoadReport:
    """Load one or more files (or the query of the options) of a system; together they are one snapshot.

    What is committed stays when this is stopped; the same call again goes on there. Raises `NotFound` for an
    unknown system, `InvalidInput` for an unusable mapping or file, `Conflict` when another process loads the
    system or a snapshot would delete an implausible share.
    """
    options = options or LoadOptions()
    started = time.monotonic()
    mapping = _mapping(platform, system, options)
    inputs = await asyncio.to_thread(inputs_of, paths, options.sql)
    work = _Load(platform, mapping, inputs, options, options.mode or mapping.mode, progress)
    await asyncio.to_thread(_check_columns, work)
    async with platform.db.transaction() as guard:
        if not await store.lock_system(guard, mapping.system):
            raise Conflict(
                f"{mapping.system} is being loaded by another process",
                hint="Run it again when that has ended.",
            )
        await _begin(work)
        try:
            await _take_all(work)
            return await _finish(work, started)
        except BaseException as error:
            await _note_failure(work, error)
            raise


def _mapping(platform: Platform, system: str, options: LoadOptions) -> Mapping:
    if options.mapping_file is None:
        return find_mapping(system, platform.data_dir)
    mapping = load_mapping(Path(options.mapping_file))
    if mapping.system != system:
        raise InvalidInput(f"the mapping {options.mapping_file} is of {mapping.system!r}, not of {system!r}")
    return mapping


def inputs_of(paths: Sequence[Path], sql: Sql | None) -> tuple[Input, ...]:
    """The inputs with their digests. Raises `InvalidInput` for a file that is unreadable or given twice."""
    if bool(paths) == bool(sql):
        raise InvalidInput(
            "give files to load, or a query with --sql and --from", hint="Not both, not neither."
        )
    if sql is not None:
        once = hashlib.blake2b(f"{sql.query}\0{secrets.token_hex(8)}".encode(), digest_size=16)
        return (Input(name="query", digest=once.hexdigest(), sql=sql),)
    inputs = tuple(Input(str(path), _digest(path), path, stamp=_stamp(path)) for path in paths)
    if len({path.resolve() for path in paths}) < len(paths):
        raise InvalidInput("a file is named twice")
    return inputs


def _stamp(path: Path) -> tuple[int, int]:
    """The size in bytes and the time of the last change in nanoseconds."""
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror or error}") from error


def _check_columns(work: _Load) -> None:
    """Open every file and compare its columns with the mapping, before anything is stored."""
    found = []
    for given in work.inputs:
        with given.open(work.mapping, work.options) as source:
            check_columns(work.mapping, source, given.name)
            found.append(source.columns)
    work.columns = tuple(found)


def check_columns(mapping: Mapping, source: Source, name: str) -> None:
    """Raise `InvalidInput` when the mapping names a column that the source lacks for certain.

    Of a format whose rows may leave values out, a short file has to have the key at least, if it has rows.
    """
    if source.certain:
        refuse_missing(mapping, source.columns, name)
    elif source.columns:
        optional = set(mapping.columns()) - set(mapping.key.columns)
        refuse_missing(mapping, (*source.columns, *sorted(optional - set(source.columns))), name)


async def _begin(work: _Load) -> None:
    digest = hashlib.blake2b("\0".join(i.digest for i in work.inputs).encode(), digest_size=16).hexdigest()
    identity = {"file_digest": digest, "mapping_digest": work.mapping.digest, "mode": str(work.mode)}
    async with work.platform.db.transaction() as tx:
        last = await store.latest_load(tx, work.mapping.system)
        if last and last["state"] != "done" and all(last[name] == value for name, value in identity.items()):
            work.row = await store.resume_load(tx, last["load_id"])
            work.resumed = bool(last["rows_in"])
            return
        names = ", ".join(given.name for given in work.inputs)
        columns = [name.replace("\0", "") for name in work.columns[0]]
        work.row = await store.start_load(
            tx, system=work.mapping.system, file=names, columns=columns, **identity
        )


async def _note_failure(work: _Load, error: BaseException) -> None:
    text = error.message if isinstance(error, SuzaniError) else type(error).__name__
    with suppress(Unavailable, psycopg.Error):
        async with work.platform.db.transaction() as tx:
            await store.fail_load(tx, work.load_id, text)


async def _take_all(work: _Load) -> None:
    done: dict[str, int] = work.row["position"]
    rows = int(work.row["rows_in"])
    for file_no, given in enumerate(work.inputs):
        if file_no < done["file"]:
            continue
        skip = done["rows"] if file_no == done["file"] else 0
        place = store.Place(
            load_id=work.load_id,
            system=work.mapping.system,
            file=given.name,
            file_no=file_no,
            columns=work.columns[file_no],
            rekeys=work.mapping.previous_key is not None,
        )
        with given.open(work.mapping, work.options) as source:
            shaped = _shaped(source, work.mapping, skip)
            async with aclosing(_ahead(shaped)) as batches:
                file_rows = skip
                async for batch in batches:
                    file_rows += batch.count
                    rows += batch.count
                    await _take(work, place, batch, file_rows)
                    if work.progress:
                        share = source.share()
                        work.progress(LoadProgress(given.name, file_no, len(work.inputs), share, rows))
        await asyncio.to_thread(_refuse_altered, given)


def _refuse_altered(given: Input) -> None:
    """A file that another process wrote to while it was read gave nobody's content."""
    if given.path is not None and _stamp(given.path) != given.stamp:
        raise Conflict(
            f"{given.name} was altered while it was loaded", hint="Load it again when it is written whole."
        )


def _shaped(source: Source, mapping: Mapping, skip: int) -> Iterator[ShapedBatch]:
    """The batches after the first `skip` rows; readers cut the same file into the same batches every time."""
    for batch in source.batches:
        if skip > 0:
            skip -= batch.count
            if skip < 0:
                raise Conflict(
                    "the load cannot go on where it stopped", hint="Load the file under another name."
                )
            continue
        yield shape(batch, mapping)


async def _ahead(batches: Iterator[ShapedBatch]) -> AsyncGenerator[ShapedBatch, None]:
    """The batches, each made in a thread while the one before it is used."""
    pending = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
    try:
        while (batch := await asyncio.shield(pending)) is not None:
            pending = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
            yield batch
    finally:
        await asyncio.wait([pending])
        if not pending.cancelled():
            pending.exception()


async def _take(work: _Load, place: store.Place, batch: ShapedBatch, file_rows: int) -> None:
    """Store one batch in one transaction: records, refused rows, counts and position."""
    async with work.platform.db.transaction() as tx:
        await store.bring_in(tx, batch)
        rekeyed = await store.rekey(tx, place)
        fates = await store.take_over(tx, place)
        twice = await store.duplicates(tx) if fates.get(Fate.DUPLICATE) else []
        rejects = [*batch.rejects, *(_duplicate(row, batch, work.mapping) for row in twice)]
        await store.quarantine(tx, place, rejects)
        counts = _counts(fates, rekeyed, batch, rejects)
        await store.advance(tx, place, counts, file_rows)


def _counts(
    fates: dict[str, int], rekeyed: int, batch: ShapedBatch, rejects: Sequence[Reject]
) -> dict[str, int]:
    """What to add to the load's counts. Raises `RuntimeError` if a row is not accounted for."""
    changed = sum(fates.get(fate, 0) for fate in (Fate.CHANGED, Fate.DELETED, Fate.RESTORED, Fate.REKEYED))
    unplaced = sum(r.key is None and r.reason is not Reason.MISSING_KEY for r in rejects)
    counts = {
        "rows_in": batch.count,
        "rows_new": fates.get(Fate.NEW, 0),
        "rows_changed": changed,
        "rows_unchanged": fates.get(Fate.UNCHANGED, 0) + batch.unchanged_repeats,
        "rows_quarantined": len(rejects),
        "rows_unplaced": unplaced,
        "records_deleted": fates.get(Fate.DELETED, 0),
        "records_restored": fates.get(Fate.RESTORED, 0),
        "records_rekeyed": rekeyed,
    }
    parts = sum(counts[name] for name in ("rows_new", "rows_changed", "rows_unchanged", "rows_quarantined"))
    if parts != batch.count:
        raise RuntimeError(f"{batch.count} rows were read, but {parts} are accounted for: {counts}")
    return counts


def _duplicate(row: dict[str, Any], batch: ShapedBatch, mapping: Mapping) -> Reject:
    raw, values = batch.lookup(row["row_no"])
    return Reject(
        row=row["row_no"],
        reason=Reason.DUPLICATE_KEY,
        detail=duplicate_detail(row["key"], row["first_row"]),
        raw=raw,
        field=mapping.key.columns[0],
        values=values,
        key=row["key"],
    )


async def _finish(work: _Load, started: float) -> LoadReport:
    """Close the load: in a snapshot find the re-keyed and the deleted; publish that anything changed."""
    load_id, system = work.load_id, work.mapping.system
    async with work.platform.db.transaction() as tx:
        moved = deleted = held = 0
        if work.mode is Mode.SNAPSHOT:
            await store.find_absent(tx, load_id, system, _taken_at(work))
            moved = await store.move_rekeyed(tx, load_id, system)
            absent = await store.count_absent(tx, load_id, system)
            current = await store.latest_load(tx, system) or {}
            _refuse_implausible(work, absent, int(current["rows_in"]))
            if absent.kept:
                work.warnings.append(_kept_warning(absent.kept))
            if absent.gone and current["rows_unplaced"] and not work.options.allow_deletes:
                held = absent.gone
                work.warnings.append(_held_warning(held, current["rows_unplaced"]))
            elif absent.gone:
                deleted = await store.delete_absent(tx, load_id)
        row = await store.finish_load(tx, load_id, system, moved=moved, deleted=deleted, deletes_held=held)
        report = await store.report_of(
            tx,
            row,
            seconds=time.monotonic() - started,
            resumed=work.resumed,
            warnings=tuple(work.warnings),
        )
        if report.changed_anything:
            await jobs.publish(tx, "sources.changed", system=system)
    return report


def _taken_at(work: _Load) -> datetime:
    """When the snapshot was taken, at the latest: its oldest file, or the start of the query."""
    if any(given.path is None for given in work.inputs):
        started: datetime = work.row["started_at"]
        return started
    return datetime.fromtimestamp(min(given.stamp[1] for given in work.inputs) / 1e9, UTC)


def _refuse_implausible(work: _Load, absent: store.Absent, rows_in: int) -> None:
    gone, existing = absent.gone, absent.existing
    too_many = existing > PLAUSIBLE_FROM_RECORDS and gone > existing * PLAUSIBLE_SHARE_DELETED
    if work.options.allow_deletes or not gone or not (too_many or rows_in == 0):
        return
    raise Conflict(
        f"this snapshot of {work.mapping.system} lacks {gone:,} of {existing:,} records; none was deleted",
        hint="It may be cut off. Its rows were taken; if it is whole, run it again with --allow-deletes.",
    )


def _kept_warning(kept: int) -> str:
    return (
        f"{kept:,} records are absent, but were kept: they came online, and no file has held them since, or "
        "they were told online after this snapshot was taken."
    )


def _held_warning(held: int, unplaced: int) -> str:
    return (
        f"{held:,} records are absent, but were kept: {unplaced:,} rows of this snapshot could not be read "
        "and may be theirs. Correct the file, or load it again with --allow-deletes."
    )
