"""The server process itself: found, started and stopped.

The pid in `postmaster.pid` is never trusted: a process is the server only if it is a `postgres` that works in
the cluster's folder.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import stat
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from suzani.infra.binaries import Binaries
from suzani.infra.cluster import Cluster, socket_folder
from suzani.infra.failures import program_failure
from suzani.kernel import Unavailable

PORT: Final = 5432
"""Names the socket; the server listens on no network address."""

START_SECONDS: Final = 600.0
"""How long a start may take: after a crash, the server first repeats what was not yet in the tables."""

_STOP_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.02
_MOST_KILLED: Final = 3

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
    # New log files take their space as they are written: to fill one with zeros first holds up every commit.
    "wal_init_zero": "off",
    "checkpoint_completion_target": "0.9",
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


def find_running(cluster: Cluster) -> RunningServer | None:
    """The server that runs on this cluster, if one does; a stale pid file, whoever it names, is none."""
    lines = _pid_file_lines(cluster)
    if len(lines) < 5 or not lines[0].isdigit():
        return None
    if not _is_server(int(lines[0]), cluster):
        return None
    return RunningServer(int(lines[0]), Path(lines[4]))


def start(cluster: Cluster, binaries: Binaries) -> RunningServer:
    """Start the server and wait until it takes connections; crash recovery may take its time."""
    deadline = time.monotonic() + START_SECONDS
    killed = 0
    while True:
        sockets = _former_sockets(cluster) or socket_folder(cluster)
        process = _spawn(cluster, binaries, sockets)
        while process.poll() is None:
            if _is_ready(cluster, process.pid):
                return RunningServer(process.pid, sockets)
            if time.monotonic() > deadline:
                process.terminate()
                raise Unavailable(
                    f"the database did not start in {START_SECONDS:.0f} seconds; see {cluster.log}"
                )
            time.sleep(_POLL_SECONDS)
        if process.returncode == -signal.SIGKILL and killed < _MOST_KILLED:
            killed += 1  # its own fault it was not; what was begun is begun again
            continue
        output = cluster.log.read_text(encoding="utf-8", errors="replace")
        if "shared memory block" not in output or time.monotonic() > deadline:
            raise program_failure("the database did not start", output)
        time.sleep(1.0)  # processes of a killed server are still ending; the server waits for them, so do we


def stop(cluster: Cluster) -> None:
    """Stop the server: first as it likes best, then harder; clears a socket folder outside its home."""
    running = find_running(cluster)
    if running is None:
        return
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(running.pid)
        for stop_signal in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            process.send_signal(stop_signal)
            if _ends(process):
                break
    if cluster.home not in running.socket_folder.parents and running.socket_folder.name.startswith("suzani-"):
        shutil.rmtree(running.socket_folder, ignore_errors=True)


def _ends(process: psutil.Process) -> bool:
    """Wait until a process has ended, and say whether it did in time.

    One that has ended may stay in the process table while its parent, another user of the server, waits for
    us: it has ended all the same.
    """
    deadline = time.monotonic() + _STOP_SECONDS
    with suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
    _reap()
    return True


def _reap() -> None:
    _spawned[:] = [known for known in _spawned if known.poll() is None]


def remember(process: subprocess.Popen[bytes]) -> None:
    """Keep a process that may outlive its use, and reap those that ended."""
    _reap()
    _spawned.append(process)


@atexit.register
def _let_go() -> None:
    """At the end of this process: children that live on are meant to, and are no leak to warn of."""
    _reap()
    for process in _spawned:
        process.returncode = 0


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
    command = [binaries.program("postgres"), "-D", str(cluster.data), "-p", str(PORT)]
    command += [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
    _rotate(cluster.log)
    descriptor = os.open(cluster.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    try:
        home = cluster.home.stat()
        os.fchown(descriptor, home.st_uid, home.st_gid)
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
    remember(process)
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
