"""Backups: whole files or none, and restores that replace a database whole or not at all."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from suzani.infra.backup import back_up, read_manifest, restore
from suzani.infra.settings import Settings
from suzani.kernel import Conflict, InvalidInput, NotFound, Unavailable

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


def run(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def filled(database_url: str) -> str:
    run(
        database_url,
        "create table public.kept as select n, 'имя' || n as name from generate_series(1, 999) n",
    )
    run(
        database_url,
        "select procrastinate_defer_jobs_v1(array["
        "row('q', 'work', 0, null, null, '{}', null)]::procrastinate_job_to_defer_v1[])",
    )
    return database_url


@pytest.fixture
def file(settings: Settings, filled: str, tmp_path: Path) -> Path:
    target = tmp_path / "bank.backup"
    back_up(settings, filled, target, NOON)
    return target


def databases(url: str) -> set[str]:
    mine = str(conninfo_to_dict(url)["dbname"])
    return {
        str(name) for (name,) in run(url, "select datname from pg_database") if str(name).startswith(mine)
    }


def test_what_was_backed_up_comes_back_whole(settings: Settings, filled: str, file: Path) -> None:
    run(filled, "delete from kept; create table later (a int)")
    seen: list[int] = []
    manifest = restore(settings, filled, file, force=True, progress=seen.append)
    assert manifest.created_at == "2024-05-06T12:00:00+00:00"
    assert seen[-1] == manifest.dump_bytes
    assert run(filled, "select count(*), min(name) from kept") == [(999, "имя1")]
    assert run(filled, "select to_regclass('later') is null") == [(True,)]
    assert run(filled, "select task_name, status::text from procrastinate_jobs") == [("work", "todo")]
    assert databases(filled) == {str(conninfo_to_dict(filled)["dbname"])}


def test_a_migrated_but_empty_database_may_be_replaced_without_force(
    settings: Settings, filled: str, file: Path
) -> None:
    run(filled, "drop table kept")
    restore(settings, filled, file)
    assert run(filled, "select count(*) from kept") == [(999,)]


def test_a_database_with_data_is_not_replaced_without_force(
    settings: Settings, filled: str, file: Path
) -> None:
    run(filled, "delete from kept where n > 1")
    with pytest.raises(Conflict, match=r"holds data already \(public\.kept\)") as caught:
        restore(settings, filled, file)
    assert "--force" in caught.value.hint
    assert run(filled, "select count(*) from kept") == [(1,)]


def test_a_database_in_use_is_not_replaced_without_force(settings: Settings, filled: str, file: Path) -> None:
    with psycopg.connect(filled), pytest.raises(Conflict, match="in use"):
        restore(settings, filled, file)


def test_the_manifest_says_what_the_file_is(file: Path) -> None:
    manifest = read_manifest(file)
    assert manifest.format == 1
    assert "0001_infra.sql" in manifest.migrations
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_that_was_cut_short_is_refused_and_changes_nothing(
    settings: Settings, filled: str, file: Path, share: float
) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InvalidInput, match="not a backup of Suzani, or was cut short"):
        restore(settings, filled, file, force=True)
    assert run(filled, "select count(*) from kept") == [(999,)]


def test_a_file_with_a_changed_byte_is_refused(settings: Settings, filled: str, file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 0xFF
    file.write_bytes(bytes(data))
    with pytest.raises(InvalidInput, match=r"damaged|not a backup"):
        restore(settings, filled, file, force=True)


def test_a_dump_that_cannot_be_restored_leaves_the_database_as_it_was(
    settings: Settings, filled: str, file: Path
) -> None:
    manifest = json.loads(zipfile.ZipFile(file).read("manifest.json"))
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("database.dump", b"PGDMP" + b"rubbish" * 100)
        archive.writestr("manifest.json", json.dumps({**manifest, "dump_bytes": 705}))
    with pytest.raises(Unavailable, match="the restore failed"):
        restore(settings, filled, file, force=True)
    assert run(filled, "select count(*) from kept") == [(999,)]
    assert databases(filled) == {str(conninfo_to_dict(filled)["dbname"])}


def test_a_backup_of_a_newer_version_is_refused(settings: Settings, filled: str, file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        manifest, dump = json.loads(archive.read("manifest.json")), archive.read("database.dump")
    manifest["migrations"].append("9999_future.sql")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("database.dump", dump)
        archive.writestr("manifest.json", json.dumps(manifest))
    with pytest.raises(Conflict, match="newer than this one"):
        restore(settings, filled, file, force=True)


def test_other_files_and_missing_ones_are_refused(settings: Settings, filled: str, tmp_path: Path) -> None:
    other = tmp_path / "photo.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("photo.jpg", b"x")
    with pytest.raises(InvalidInput, match="not a backup"):
        restore(settings, filled, other)
    with pytest.raises(NotFound, match="there is no file"):
        restore(settings, filled, tmp_path / "missing")
    with pytest.raises(NotFound, match="there is no folder"):
        back_up(settings, filled, tmp_path / "no" / "folder", NOON)


def test_a_backup_that_fails_keeps_the_older_file(settings: Settings, filled: str, file: Path) -> None:
    before = file.read_bytes()
    broken = make_conninfo(filled, dbname="no_such_database")
    with pytest.raises(Unavailable, match="does not exist"):
        back_up(settings, broken, file, NOON)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir() if "partial" in path.name] == []
