"""The only SQL of the lake: which files there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from suzani.infra.db import Tx, execute, fetch, fetch_one, load_queries
from suzani.infra.lake.types import Lake, LakeDay

_queries = load_queries("suzani.infra.lake")


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written and is not known yet."""

    file: UUID
    dataset: str
    day: date
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Pending:
    """A day whose folder is not as it should be; `hiding`: some of what is there has to go."""

    dataset: str
    day: date
    hiding: bool


@dataclass(frozen=True, slots=True)
class Small:
    """Files of a day that are worth being one."""

    dataset: str
    day: date
    files: list[UUID]


async def files(
    tx: Tx, lake: Lake, dataset: str, first: date | None = None, last: date | None = None
) -> list[Path]:
    """The files that together hold each row of these days once; they stay readable for an hour at least."""
    rows = await fetch(tx, _queries.live, dataset=dataset, first=first, last=last)
    return [lake.stored(dataset, row["file"]) for row in rows]


async def days(tx: Tx) -> list[LakeDay]:
    """What the lake holds, by dataset and day."""
    return [LakeDay(**row) for row in await fetch(tx, _queries.days)]


async def add(tx: Tx, written: Written) -> None:
    """Make a file part of its dataset."""
    await execute(
        tx,
        _queries.add,
        file=written.file,
        dataset=written.dataset,
        day=written.day,
        rows=written.rows,
        bytes=written.bytes,
    )


async def replace(tx: Tx, old: Sequence[UUID], new: Written) -> None:
    """Let one file take the place of others."""
    await execute(tx, _queries.replace, files=list(old))
    await add(tx, new)


async def alone(tx: Tx, what: str) -> None:
    """Wait until no other transaction does this."""
    await execute(tx, _queries.alone, what=what)


async def is_alone(tx: Tx, what: str) -> bool:
    """Whether no other transaction does this, and none will until this one ends."""
    row = await fetch_one(tx, _queries.alone_or_not, what=what)
    return bool(row and row["held"])


async def to_show(tx: Tx) -> list[Pending]:
    """Days whose folders are not as they should be."""
    return [Pending(**row) for row in await fetch(tx, _queries.to_show)]


async def of_day(tx: Tx, dataset: str, day: date) -> dict[UUID, bool]:
    """The files of a day, with whether they are shown."""
    rows = await fetch(tx, _queries.of_day, dataset=dataset, day=day)
    return {row["file"]: row["shown"] for row in rows}


async def was_shown(tx: Tx, dataset: str, day: date) -> None:
    """A day's folder is as it should be."""
    await execute(tx, _queries.was_shown, dataset=dataset, day=day)


async def to_compact(tx: Tx, *, small_bytes: int, quiet_seconds: float, many: int) -> list[Small]:
    """Days with several files below `small_bytes`: quiet for so long, or with that many."""
    rows = await fetch(
        tx, _queries.to_compact, small_bytes=small_bytes, quiet_seconds=quiet_seconds, many=many
    )
    return [Small(**row) for row in rows]


async def forgotten(tx: Tx, seconds: float) -> list[tuple[str, UUID]]:
    """Forget the files that went out of sight so long ago; returns them."""
    rows = await fetch(tx, _queries.forgotten, seconds=seconds)
    return [(row["dataset"], row["file"]) for row in rows]


async def known(tx: Tx, dataset: str) -> set[UUID]:
    """Every file of a dataset that is known, replaced ones included."""
    return {row["file"] for row in await fetch(tx, _queries.known, dataset=dataset)}
