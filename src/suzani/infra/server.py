"""Starting, sharing and stopping the embedded PostgreSQL server.

Every process that uses a server holds `users.lock` shared, and the kernel takes that back however the
process ends. Who leaves last stops the server; a small keeper process does so when the last one was killed.
The pid in `postmaster.pid` is never trusted: a process is the server only if it is a `postgres` that works
in the cluster's folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psutil
import psycopg

from suzani.infra.binaries import Binaries, find_binaries
from suzani.infra.cluster import DATABASE, ROLE, Cluster, create_if_missing, prepare_cluster, socket_folder
from suzani.infra.db import translated
from suzani.infra.failures import program_failure
from suzani.infra.locks import FileLock, held_alone
from suzani.infra.settings import Settings
from suzani.kernel import Unavailable

_START_SECONDS: Final = 600.0
_STOP_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.02
_PORT: Final = 5432

_OPTIONS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "checkpoint_completion_target": "0.9",
    "wal_compression": "on",
    "synchronous_commit": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
}


_spawned: Final[list[subprocess.Popen[bytes]]] = []
"""Processes started here that may outlive their use; kept so that the ended ones are reaped."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that runs: its process, and the folder of its socket."""

    pid: int
    socket_folder: Path


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
                running = _start(cluster, binaries)
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
    return f"postgresql://{ROLE}:{quote(password, safe='')}@/{database}?host={host}&port={_PORT}"


def find_running(cluster: Cluster) -> RunningServer | None:
    """The server that runs on this cluster, if one does; a stale pid file, whoever it names, is none."""
    lines = _pid_file_lines(cluster)
    if len(lines) < 5 or not lines[0].isdigit():
        return None
    if not _is_server(int(lines[0]), cluster):
        return None
    return RunningServer(int(lines[0]), Path(lines[4]))


def stop_if_unused(cluster: Cluster) -> bool:
    """Stop the server unless some process uses it; returns whether it is down now."""
    try:
        with _start_lock(cluster, create=False):
            return _stop_if_alone(cluster)
    except FileNotFoundError:  # the data directory is gone, and the server with it
        return True


def _stop_if_alone(cluster: Cluster) -> bool:
    users = FileLock(cluster.home / "users.lock", create=False)
    try:
        if not users.try_alone():
            return False
        _stop(cluster)
        return True
    finally:
        users.close()


def _start_lock(cluster: Cluster, *, create: bool = True) -> AbstractContextManager[None]:
    """Held while a server is started or stopped."""
    return held_alone(
        cluster.home / "start.lock",
        timeout_seconds=_START_SECONDS,
        doing="starting or stopping the database",
        create=create,
    )


def _pid_file_lines(cluster: Cluster) -> list[str]:
    try:
        return (cluster.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return []


def _is_server(pid: int, cluster: Cluster) -> bool:
    """Whether the process is a live postgres whose working folder is the cluster's."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or "postgres" not in process.name():
            return False
        return os.path.realpath(process.cwd()) == os.path.realpath(cluster.data)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _start(cluster: Cluster, binaries: Binaries) -> RunningServer:
    """Start the server and wait until it takes connections; crash recovery may take its time."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        sockets = _former_sockets(cluster) or socket_folder(cluster)
        process = _spawn(cluster, binaries, sockets)
        while process.poll() is None:
            if _is_ready(cluster, process.pid):
                _spawn_keeper(cluster, process.pid)
                return RunningServer(process.pid, sockets)
            if time.monotonic() > deadline:
                process.terminate()
                raise Unavailable(
                    f"the database did not start in {_START_SECONDS:.0f} seconds; see {cluster.log}"
                )
            time.sleep(_POLL_SECONDS)
        output = cluster.log.read_text(encoding="utf-8", errors="replace")
        if "shared memory block" not in output or time.monotonic() > deadline:
            raise program_failure("the database did not start", output)
        time.sleep(1.0)  # processes of a killed server are still ending; the server waits for them, so do we


def _former_sockets(cluster: Cluster) -> Path | None:
    """The socket folder of a server that was killed, when it is still ours alone.

    Taking it again lets those who use the database find the new server where the old one was.
    """
    lines = _pid_file_lines(cluster)
    if len(lines) < 5 or not lines[4].startswith("/"):
        return None
    owner = os.geteuid() if cluster.account is None else cluster.account.uid
    try:
        found = os.lstat(lines[4])
    except OSError:
        return None
    private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
    return Path(lines[4]) if private and found.st_uid == owner else None


def _spawn(cluster: Cluster, binaries: Binaries, sockets: Path) -> subprocess.Popen[bytes]:
    options = {**_OPTIONS, "unix_socket_directories": str(sockets)}
    command = [binaries.program("postgres"), "-D", str(cluster.data), "-p", str(_PORT)]
    command += [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
    _rotate(cluster.log)
    descriptor = os.open(cluster.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own program and arguments, without a shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            cwd="/",
            env=_environment(cluster),
            **({} if cluster.account is None else cluster.account.popen_options()),
        )
    finally:
        os.close(descriptor)
    _remember(process)
    return process


def _environment(cluster: Cluster) -> dict[str, str]:
    """A clean environment; PG_GRANDPARENT_PID names the stale pid file's pid.

    PostgreSQL refuses to start while a pid file names a live process, unless that is its own parent or
    grandparent. Naming the pid there lets it start over a stale file whose pid now is somebody else's, and it
    still makes its own check that no process of the old server is left (shared memory).
    """
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
    lines = _pid_file_lines(cluster)
    if lines and lines[0].isdigit():
        environment["PG_GRANDPARENT_PID"] = lines[0]
    return environment


def _rotate(log: Path) -> None:
    """Keep one old log; the present one is only that of this start."""
    with suppress(FileNotFoundError):
        if log.stat().st_size > 0:
            log.replace(log.with_suffix(".log.1"))


def _is_ready(cluster: Cluster, pid: int) -> bool:
    lines = _pid_file_lines(cluster)
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _spawn_keeper(cluster: Cluster, pid: int) -> None:
    """A process that stops this server should all its users be killed before they can."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments, without a shell
        [sys.executable, "-m", "suzani.infra.keeper", str(cluster.home), str(pid)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    _remember(process)


def _remember(process: subprocess.Popen[bytes]) -> None:
    _spawned[:] = [known for known in _spawned if known.poll() is None]
    _spawned.append(process)


def _stop(cluster: Cluster) -> None:
    """Stop the server: first as it likes best, then harder; clears a socket folder outside its home."""
    running = find_running(cluster)
    if running is None:
        return
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(running.pid)
        for stop_signal in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            process.send_signal(stop_signal)
            with suppress(psutil.TimeoutExpired):
                process.wait(timeout=_STOP_SECONDS)
                break
    if cluster.home not in running.socket_folder.parents and running.socket_folder.name.startswith("suzani-"):
        shutil.rmtree(running.socket_folder, ignore_errors=True)
