"""`suzani doctor`: what runs, in which versions, where the data lies, what is wrong; it starts nothing."""

from __future__ import annotations

import os
import platform as machine
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import dict_row

from suzani.infra.binaries import find_binaries
from suzani.infra.cluster import Cluster, find_cluster, forgotten_clusters
from suzani.infra.db import Database
from suzani.infra.migrate import migration_state
from suzani.infra.platform import Platform
from suzani.infra.postmaster import find_running
from suzani.infra.queries import load_queries
from suzani.infra.server import server_url
from suzani.infra.settings import Settings
from suzani.kernel import SuzaniError

_LITTLE_ROOM_BYTES: Final = 1_000_000_000
_queries = load_queries("suzani.infra")


@dataclass(frozen=True, slots=True)
class Findings:
    """What a capability has to say of itself. `problems` are sentences that a person can act on."""

    shown: Mapping[str, Any]
    problems: Sequence[str] = ()


Checkup: TypeAlias = Callable[[Platform], Awaitable[Findings]]

CHECKUPS: Final[dict[str, Checkup]] = {}
"""What the capabilities look at, by the title it is shown under; filled by `suzani.main`."""


@dataclass(slots=True)
class Report:
    """What was found; sizes are bytes. `problems` are sentences that a person can act on."""

    suzani: str
    python: str
    system: str
    data_dir: str
    data_dir_exists: bool
    data_bytes: int
    disk_free_bytes: int
    server: dict[str, Any] = field(default_factory=dict)
    database: dict[str, Any] = field(default_factory=dict)
    checkups: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


async def examine(settings: Settings) -> Report:
    """Look at everything there is to see; what cannot be seen is a problem in the report, not an error."""
    report = Report(
        suzani=version("suzani"),
        python=machine.python_version(),
        system=f"{machine.system()} {machine.machine()}",
        data_dir=str(settings.data_dir),
        data_dir_exists=settings.data_dir.exists(),
        data_bytes=_size(settings.data_dir),
        disk_free_bytes=shutil.disk_usage(_existing(settings.data_dir)).free,
    )
    if report.disk_free_bytes < _LITTLE_ROOM_BYTES:
        report.problems.append(f"less than 1 GB is free on the disk of {settings.data_dir}")
    try:
        url = _examine_server(settings, report)
        if url is not None:
            await _examine_database(url, report)
            if not report.database["migrations_pending"]:
                await _examine_capabilities(settings, url, report)
    except SuzaniError as error:
        report.problems.append(str(error))
    except psycopg.Error as error:
        report.problems.append(f"the database server does not answer: {str(error).strip().splitlines()[0]}")
    except PermissionError as error:
        report.problems.append(f"no permission to look at {error.filename}")
    return report


def _examine_server(settings: Settings, report: Report) -> str | None:
    """Fill in what is known of the server; its address when it runs."""
    if settings.database_url is not None:
        parts = urlsplit(settings.database_url)
        report.server = {"kind": "outside", "host": parts.hostname, "database": parts.path.lstrip("/")}
        return settings.database_url
    cluster = find_cluster(settings)
    running = find_running(cluster) if cluster.exists else None
    report.server = {
        "kind": "embedded",
        "state": "running" if running else "stopped" if cluster.exists else "not created yet",
        "pid": running.pid if running else None,
        "folder": str(cluster.home),
        "bytes": _size(cluster.home),
        "runs_as": cluster.account.name if cluster.account else "this user",
        "log": str(cluster.log),
        "forgotten": [str(home) for home in forgotten_clusters(settings)],
        **_programs(settings, cluster),
    }
    return server_url(cluster, running) if running else None


def _programs(settings: Settings, cluster: Cluster) -> dict[str, str]:
    binaries = find_binaries(cluster.account, settings.system_dir)
    return {"version": binaries.version, "programs": f"{binaries.folder} ({binaries.origin})"}


async def _examine_database(url: str, report: Report) -> None:
    state = await migration_state(url)
    async with await psycopg.AsyncConnection.connect(url, row_factory=dict_row, connect_timeout=10) as tx:
        row = await (
            await tx.execute(
                "select pg_database_size(current_database()) as bytes, current_setting('server_version') as v"
            )
        ).fetchone()
        report.database = {
            "bytes": row["bytes"] if row else 0,
            "server_version": row["v"] if row else "",
            "migrations_applied": len(state.applied),
            "migrations_pending": list(state.pending),
            "migrations_unknown": list(state.unknown),
        }
        if state.unknown:
            report.problems.append("the database was written by a newer version of Suzani")
        if state.applied:
            await _examine_jobs(tx, report)


async def _examine_jobs(tx: psycopg.AsyncConnection[dict[str, Any]], report: Report) -> None:
    counts = await (await tx.execute(_queries.job_counts.text)).fetchall()
    failed = await (await tx.execute(_queries.failed_jobs.text)).fetchall()
    report.database["jobs"] = {row["status"]: row["jobs"] for row in counts}
    report.database["failed_jobs"] = [
        f"{row['task_name']} (job {row['id']}, {row['failed_at']:%Y-%m-%d %H:%M} UTC)" for row in failed
    ]


async def _examine_capabilities(settings: Settings, url: str, report: Report) -> None:
    db = await Database.connect(url, pool_size=2)
    try:
        for title, look in CHECKUPS.items():
            try:
                findings = await look(Platform(settings, db))
            except SuzaniError as error:
                report.problems.append(str(error))
                continue
            report.checkups[title] = dict(findings.shown)
            report.problems += findings.problems
    finally:
        await db.close()


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _size(folder: Path) -> int:
    """Bytes of all files below a folder that this user can see; files that vanish meanwhile count nothing."""
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118 - a hot loop
            except OSError:
                continue
    return total
