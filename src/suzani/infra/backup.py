"""`suzani backup` and `suzani restore`: everything in one file, written whole or not at all.

The file is a ZIP (stored, with checksums) of `database.dump` (PostgreSQL's custom format) and
`manifest.json`, which comes last: a file that was cut short has neither its manifest nor its directory.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from suzani.infra.accounts import server_account
from suzani.infra.binaries import Binaries, find_binaries
from suzani.infra.failures import program_failure, translated
from suzani.infra.migrate import known_names, migrate
from suzani.infra.settings import Settings
from suzani.kernel import Conflict, Forbidden, InvalidInput, NotFound

FORMAT: Final = 1
_DUMP: Final = "database.dump"
_MANIFEST: Final = "manifest.json"
_NEVER_EMPTY: Final = ("bus.rotation", "activity.sweep")
"""Tables with one row from the start, which say nothing of there being data."""

_CHUNK_BYTES: Final = 1024 * 1024
_HEAD_LINES: Final = 60
_LEAVING_TRIES: Final = 10
_LEAVING_SECONDS: Final = 0.1

Progress = Callable[[int], None]
"""Called with the number of bytes done so far."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    format: int
    suzani: str
    postgresql: str
    created_at: str
    migrations: tuple[str, ...]
    installation_id: str
    dump_bytes: int


def back_up(
    settings: Settings, url: str, target: Path, now: datetime, progress: Progress = lambda done: None
) -> Manifest:
    """Write everything in the database at `url` to `target`, as of one moment, while it stays in use.

    Raises Forbidden or Unavailable when the file cannot be written; an older file there is kept then.
    """
    binaries = find_binaries(server_account(settings.server_user), settings.system_dir)
    with (
        translated(),
        _replacing(target) as partial,
        zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive,
    ):
        facts = _facts(url)
        with archive.open(_DUMP, "w", force_zip64=True) as entry:
            dumped = _dump(binaries, url, entry, progress)
        manifest = Manifest(FORMAT, version("suzani"), created_at=now.isoformat(), dump_bytes=dumped, **facts)
        archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=2))
    return manifest


def restore(
    settings: Settings,
    url: str,
    source: Path,
    *,
    force: bool = False,
    progress: Progress = lambda done: None,
) -> Manifest:
    """Put a backup in the place of the database at `url`, whole or not at all, and bring it up to date.

    It is restored beside the present database, and the two change names in one transaction. Raises Conflict
    when the present one holds data or is in use, unless `force`; NotFound or InvalidInput for the file.
    """
    manifest = read_manifest(source)
    binaries = find_binaries(server_account(settings.server_user), settings.system_dir)
    with translated(), psycopg.connect(_sibling(url, "postgres"), autocommit=True) as admin:
        name = str(conninfo_to_dict(url)["dbname"])
        if not force:
            _refuse_overwriting(url, admin, name)
        fresh = f"{name}_restore_{secrets.token_hex(4)}"
        _create(admin, fresh)
        try:
            _load(binaries, _sibling(url, fresh), source, manifest, progress)
            asyncio.run(migrate(_sibling(url, fresh)))
            _swap(admin, name, fresh)
        finally:
            admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(fresh)))
    return manifest


def read_manifest(source: Path) -> Manifest:
    """A backup's manifest, after every byte of the file was checked.

    Raises NotFound, Forbidden, InvalidInput (not a backup, or damaged) or Conflict (of a newer version).
    """
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = Manifest(**json.loads(archive.read(_MANIFEST)))
            if archive.testzip() is not None or archive.getinfo(_DUMP).file_size != manifest.dump_bytes:
                raise InvalidInput(
                    f"{source} is damaged", hint="Its checksums do not match; use another copy."
                )
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotFound(f"there is no file {source}") from error
    except PermissionError as error:
        raise Forbidden(f"no permission to read {source}") from error
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError) as error:
        raise InvalidInput(f"{source} is not a backup of Suzani, or was cut short") from error
    unknown = sorted(set(manifest.migrations) - known_names())
    if manifest.format > FORMAT or unknown:
        raise Conflict(f"{source} was written by Suzani {manifest.suzani}, which is newer than this one")
    return manifest


def _facts(url: str) -> dict[str, Any]:
    with psycopg.connect(url) as connection:
        names = connection.execute("select name from infra.migration order by name").fetchall()
        row = connection.execute("select installation_id::text from infra.installation").fetchone()
        return {
            "postgresql": str(connection.info.server_version // 10000),
            "migrations": tuple(name for (name,) in names),
            "installation_id": row[0] if row else "",
        }


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A file beside `target` to write, which takes its place at the end and vanishes on any error."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
    except FileNotFoundError as error:
        raise NotFound(f"there is no folder {target.parent}") from error
    except PermissionError as error:
        raise Forbidden(f"no permission to write to {target.parent}") from error
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _dump(binaries: Binaries, url: str, entry: IO[bytes], progress: Progress) -> int:
    address, environment = _login(url)
    command = [binaries.program("pg_dump"), "--format=custom", "--no-owner", "--no-privileges"]
    command += ["--no-password", "--dbname", address]
    done = 0
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(  # noqa: S603 - our own program and arguments, without a shell
            command, stdout=subprocess.PIPE, stderr=complaints, env=environment, cwd="/"
        )
        with process:
            try:
                while process.stdout is not None and (chunk := process.stdout.read(_CHUNK_BYTES)):
                    entry.write(chunk)
                    done += len(chunk)
                    progress(done)
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            raise program_failure("the backup failed", _text(complaints))
    return done


def _load(binaries: Binaries, url: str, source: Path, manifest: Manifest, progress: Progress) -> None:
    """Restore the dump into the empty database at `url`, through psql, in one transaction."""
    address, environment = _login(url)
    convert = [binaries.program("pg_restore"), "--file=-", "--no-owner", "--no-privileges"]
    apply = [binaries.program("psql"), "--no-psqlrc", "--quiet", "--no-password", "--single-transaction"]
    apply += ["--set=ON_ERROR_STOP=1", "--output=/dev/null", "--dbname", address]
    with tempfile.TemporaryFile() as script_source, tempfile.TemporaryFile() as complaints:
        _unpack(source, script_source, progress)
        script_source.seek(0)
        with (
            subprocess.Popen(  # noqa: S603 - our own program and arguments, without a shell
                convert, stdin=script_source, stdout=subprocess.PIPE, stderr=complaints, cwd="/"
            ) as converter,
            subprocess.Popen(  # noqa: S603 - our own program and arguments, without a shell
                apply, stdin=subprocess.PIPE, stderr=complaints, env=environment, cwd="/"
            ) as applier,
        ):
            _pass_on(converter, applier)
        if converter.returncode != 0 or applier.returncode != 0:
            raise program_failure("the restore failed", _text(complaints))


def _unpack(source: Path, target: IO[bytes], progress: Progress) -> None:
    done = 0
    with zipfile.ZipFile(source) as archive, archive.open(_DUMP) as entry:
        while chunk := entry.read(_CHUNK_BYTES):
            target.write(chunk)
            done += len(chunk)
            progress(done)
    target.flush()


def _pass_on(converter: subprocess.Popen[bytes], applier: subprocess.Popen[bytes]) -> None:
    """Pass the script on, without the settings at its head that only newer servers know."""
    if converter.stdout is None or applier.stdin is None:
        return
    try:
        for _ in range(_HEAD_LINES):
            line = converter.stdout.readline()
            if not line.startswith(b"SET transaction_timeout"):
                applier.stdin.write(line)
        shutil.copyfileobj(converter.stdout, applier.stdin, _CHUNK_BYTES)
        applier.stdin.close()
    except BrokenPipeError:
        converter.kill()


def _refuse_overwriting(url: str, admin: psycopg.Connection[Any], name: str) -> None:
    _refuse_in_use(admin, name)
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname not in "
            "('pg_catalog', 'information_schema', 'infra') and tablename not like 'procrastinate%'"
        ).fetchall()
        for schema, table in tables:
            if f"{schema}.{table}" in _NEVER_EMPTY:
                continue
            found = connection.execute(
                sql.SQL("select 1 from {} limit 1").format(sql.Identifier(schema, table))
            )
            if found.fetchone():
                raise Conflict(
                    f"the database holds data already ({schema}.{table})",
                    hint="Give --force to replace it, or restore into another data directory.",
                )


def _refuse_in_use(admin: psycopg.Connection[Any], name: str) -> None:
    """Refuse while others are connected; those that just left get a moment to be gone."""
    query = "select count(*) from pg_stat_activity where datname = %s and backend_type = 'client backend'"
    for _ in range(_LEAVING_TRIES):
        row = admin.execute(query, [name]).fetchone()
        if not row or not row[0]:
            return
        time.sleep(_LEAVING_SECONDS)
    raise Conflict(
        "the database is in use", hint="Stop `suzani up` and other commands first, or give --force."
    )


def _create(admin: psycopg.Connection[Any], name: str) -> None:
    try:
        admin.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise Forbidden(
            "the database role may not create databases, which a restore needs",
            hint="Grant it CREATEDB, or restore with pg_restore by hand.",
        ) from error


def _swap(admin: psycopg.Connection[Any], name: str, fresh: str) -> None:
    """Let the fresh database take the name, in one transaction; the old one is dropped after."""
    old = f"{fresh}_old"
    admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
    with admin.transaction():
        for before, after in ((name, old), (fresh, name)):
            rename = sql.SQL("alter database {} rename to {}")
            admin.execute(rename.format(sql.Identifier(before), sql.Identifier(after)))
    admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(old)))


def _sibling(url: str, database: str) -> str:
    return make_conninfo(url, dbname=database)


def _login(url: str) -> tuple[str, dict[str, str]]:
    """An address without its password, and an environment with it, which other users cannot see."""
    parts = conninfo_to_dict(url)
    password = str(parts.pop("password", "") or "")
    return make_conninfo("", **parts), {**os.environ, "PGPASSWORD": password}


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
