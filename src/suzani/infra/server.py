"""Starting, sharing and stopping the embedded PostgreSQL server.

Every process that uses a server holds `users.lock` shared, and the kernel takes that back however the
process ends. Who leaves last stops the server; a small keeper process does so when the last one was killed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from urllib.parse import quote

import psycopg

from suzani.infra.binaries import find_binaries
from suzani.infra.cluster import (
    DATABASE,
    ROLE,
    Cluster,
    create_if_missing,
    find_cluster,
    prepare_cluster,
)
from suzani.infra.failures import translated
from suzani.infra.locks import FileLock, held_alone
from suzani.infra.postmaster import PORT, START_SECONDS, RunningServer, find_running, remember, start, stop
from suzani.infra.settings import Settings
from suzani.kernel import Conflict


class ServerUse:
    """One process's use of the embedded server; the server runs at least until `leave`."""

    def __init__(self, cluster: Cluster, url: str, users: FileLock) -> None:
        self.cluster = cluster
        self.url = url
        self._users = users

    def ensure_running(self, settings: Settings) -> bool:
        """Start the server again if it was killed; returns whether it had to be. Blocks while it starts."""
        if find_running(self.cluster) is not None:
            return False
        use_server(settings).leave()
        return True

    def leave(self) -> None:
        """Stop using the server; stops the server itself when nobody else uses it. Blocks while it stops."""
        self._users.close()
        stop_if_unused(self.cluster)


@contextmanager
def server_address(settings: Settings) -> Iterator[str]:
    """The address of the platform's database, which answers for as long as the block lasts; blocks.

    With `use_server`, the only place that knows whether the server is embedded or outside.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    with translated():
        use = use_server(settings)
    try:
        yield use.url
    finally:
        use.leave()


def use_server(settings: Settings) -> ServerUse:
    """Start the embedded server, or join the one that runs on this data directory. Blocks until it answers.

    Raises Forbidden, Conflict or Unavailable, each with what to do, when it cannot be.
    """
    cluster = prepare_cluster(settings)
    with _start_lock(cluster):
        users = FileLock(cluster.home / "users.lock")
        try:
            users.share()
            running = find_running(cluster)
            if running is None:
                binaries = find_binaries(cluster.account, settings.system_dir)
                create_if_missing(cluster, binaries)
                running = start(cluster, binaries)
                _spawn_keeper(cluster, running.pid)
                _ensure_database(server_url(cluster, running, "postgres"))
            url = server_url(cluster, running)
        except BaseException:
            users.close()
            raise
    return ServerUse(cluster, url, users)


def _ensure_database(admin_url: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        found = connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone()
        if found is None:
            connection.execute(f"create database {DATABASE}".encode())


def server_url(cluster: Cluster, running: RunningServer, database: str = DATABASE) -> str:
    """The address of a database on a running server, password included."""
    password = cluster.password_file.read_text(encoding="utf-8").strip()
    host = quote(str(running.socket_folder), safe="")
    return f"postgresql://{ROLE}:{quote(password, safe='')}@/{database}?host={host}&port={PORT}"


def stop_if_unused(cluster: Cluster) -> bool:
    """Stop the server unless some process uses it; returns whether it is down now."""
    try:
        with _start_lock(cluster, create=False):
            return _stop_if_alone(cluster)
    except FileNotFoundError:  # the data directory is gone, and the server with it
        return True


def remove_cluster(settings: Settings) -> None:
    """Remove the embedded database of a data directory for good, wherever it lies; for throw-away ones.

    Raises Conflict while somebody uses it.
    """
    cluster = find_cluster(settings)
    if not stop_if_unused(cluster):
        raise Conflict(f"the database in {cluster.home} is in use", hint="Stop what uses it first.")
    shutil.rmtree(cluster.home, ignore_errors=True)


def _stop_if_alone(cluster: Cluster) -> bool:
    users = FileLock(cluster.home / "users.lock", create=False)
    try:
        if not users.try_alone():
            return False
        stop(cluster)
        return True
    finally:
        users.close()


def _start_lock(cluster: Cluster, *, create: bool = True) -> AbstractContextManager[None]:
    """Held while a server is started or stopped."""
    return held_alone(
        cluster.home / "start.lock",
        timeout_seconds=START_SECONDS,
        doing="starting or stopping the database",
        create=create,
    )


def _spawn_keeper(cluster: Cluster, pid: int) -> None:
    """A process that stops this server should all its users be killed before they can.

    Where it cannot be started, the next command that uses the server stops it instead.
    """
    command = [sys.executable, "-m", "suzani.infra.keeper", str(cluster.home), str(pid)]
    null = subprocess.DEVNULL
    with suppress(OSError):
        remember(
            subprocess.Popen(  # noqa: S603 - our own interpreter and arguments, without a shell
                command, stdin=null, stdout=null, stderr=null, start_new_session=True, cwd="/"
            )
        )
