"""Forward-only migrations: numbered SQL files, each applied once, in a transaction, by one process at a time.

Two sequences are applied: Procrastinate's own schema (its package ships it and its later changes), and the
files of `suzani.migrations`. What was applied is in `infra.migration`, with the checksum of its text.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from suzani.infra.failures import translated
from suzani.kernel import Conflict, InvalidInput

_LOCK_KEY: Final = 0x53555A414E49
_QUEUE_PREFIX: Final = "procrastinate/"
_QUEUE_SCHEMA: Final = f"{_QUEUE_PREFIX}schema.sql"

_LEDGER = """
create schema if not exists infra;
create table if not exists infra.migration (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: its name (a file name) and its SQL."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class MigrationState:
    """What a database has, against what this version of Suzani knows."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    unknown: tuple[str, ...]


def known_migrations(package: str = "suzani.migrations") -> list[Migration]:
    """The numbered SQL files of a package, in order.

    Raises InvalidInput for a file without a number, or two files with the same one.
    """
    files = sorted(
        (entry for entry in resources.files(package).iterdir() if entry.name.endswith(".sql")),
        key=lambda entry: entry.name,
    )
    numbers = [entry.name.split("_")[0] for entry in files]
    for number, entry in zip(numbers, files, strict=True):
        if not number.isdigit() or numbers.count(number) > 1:
            raise InvalidInput(f"migration {entry.name} needs a number of its own, like 0001_name.sql")
    return [Migration(entry.name, entry.read_text(encoding="utf-8")) for entry in files]


def known_names() -> set[str]:
    """The names of every migration that this version of Suzani has, the queue's included."""
    return {migration.name for migration in [*known_migrations(), *_queue_migrations()]}


async def migrate(url: str, package: str = "suzani.migrations") -> list[str]:
    """Bring the database at `url` to this version's schema; returns the names of what was applied now.

    Processes that start together wait for one another. Data that is there is kept.
    Raises Conflict when the database is of a newer version, or when an applied migration has changed since.
    """
    known = known_migrations(package)
    with translated():
        async with await psycopg.AsyncConnection.connect(url, autocommit=True, row_factory=dict_row) as tx:
            await tx.execute("select pg_advisory_lock(%s)", [_LOCK_KEY])
            await tx.execute(_LEDGER.encode())
            applied = await _applied(tx)
            _refuse_unknown(applied, known)
            return [*await _migrate_queue(tx, applied), *await _migrate_own(tx, applied, known)]


async def migration_state(url: str, package: str = "suzani.migrations") -> MigrationState:
    """What is applied, pending and unknown in the database at `url`; changes nothing."""
    known = [*known_migrations(package), *_queue_migrations()]
    async with await psycopg.AsyncConnection.connect(url, autocommit=True, row_factory=dict_row) as tx:
        row = await (
            await tx.execute("select to_regclass('infra.migration') is not null as found")
        ).fetchone()
        applied = await _applied(tx) if row and row["found"] else {}
    names = {migration.name for migration in known}
    return MigrationState(
        applied=tuple(sorted(applied)),
        pending=tuple(sorted(names - applied.keys())),
        unknown=tuple(sorted(applied.keys() - names)),
    )


def _queue_migrations() -> list[Migration]:
    """Procrastinate's migrations and, under a name of its own, its whole schema for a new database."""
    folder = resources.files("procrastinate.sql")
    steps = sorted(
        (entry for entry in (folder / "migrations").iterdir() if entry.name.endswith(".sql")),
        key=lambda entry: entry.name,
    )
    return [
        Migration(_QUEUE_SCHEMA, (folder / "schema.sql").read_text(encoding="utf-8")),
        *(Migration(_QUEUE_PREFIX + entry.name, entry.read_text(encoding="utf-8")) for entry in steps),
    ]


async def _applied(tx: psycopg.AsyncConnection[dict[str, Any]]) -> dict[str, str]:
    rows = await (await tx.execute("select name, checksum from infra.migration")).fetchall()
    return {row["name"]: row["checksum"] for row in rows}


def _refuse_unknown(applied: dict[str, str], known: list[Migration]) -> None:
    names = {migration.name for migration in [*known, *_queue_migrations()]}
    unknown = sorted(applied.keys() - names)
    if unknown:
        raise Conflict(
            f"the database was written by a newer version of Suzani (it has {', '.join(unknown)})",
            hint="Run that version, or restore a backup of this one into another data directory.",
        )
    changed = [m.name for m in known if m.name in applied and applied[m.name] != m.checksum]
    if changed:
        raise Conflict(
            f"the database was built from another text of {', '.join(changed)}",
            hint="A migration that was released must not change: restore its text and add a new one.",
        )


async def _migrate_queue(tx: psycopg.AsyncConnection[dict[str, Any]], applied: dict[str, str]) -> list[str]:
    schema, *steps = _queue_migrations()
    if schema.name not in applied:
        row = await (await tx.execute("select to_regclass('procrastinate_jobs') as found")).fetchone()
        if row and row["found"]:
            raise Conflict(
                "the database already holds a Procrastinate queue that is not Suzani's",
                hint="Give Suzani a database of its own.",
            )
        await _apply(tx, schema, also=steps)
        return [schema.name]
    pending = [step for step in steps if step.name not in applied]
    for step in pending:
        await _apply(tx, step)
    return [step.name for step in pending]


async def _migrate_own(
    tx: psycopg.AsyncConnection[dict[str, Any]], applied: dict[str, str], known: list[Migration]
) -> list[str]:
    pending = [migration for migration in known if migration.name not in applied]
    for migration in pending:
        await _apply(tx, migration)
    return [migration.name for migration in pending]


async def _apply(
    tx: psycopg.AsyncConnection[dict[str, Any]], migration: Migration, also: list[Migration] | None = None
) -> None:
    """Run one migration and note it (and those it stands for) in the same transaction."""
    async with tx.transaction():
        try:
            await tx.execute(migration.text)
        except psycopg.Error as error:
            error.add_note(f"in migration {migration.name}")
            raise
        for done in [migration, *(also or [])]:
            await tx.execute(
                "insert into infra.migration (name, checksum) values (%s, %s)", [done.name, done.checksum]
            )
