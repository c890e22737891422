"""`suzani up`: the database and the services as one group of processes that starts and stops together.

The supervisor keeps the database, starts each service in a process of its own, starts again what was killed,
and stops everything when it is told to. Services register in `suzani.main`, which knows the higher layers.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Final, TypeAlias

from suzani.infra.failures import translated
from suzani.infra.migrate import migrate
from suzani.infra.server import ServerUse, use_server
from suzani.infra.settings import Settings
from suzani.kernel import Forbidden, InvalidInput, Unavailable

HOST: Final = "127.0.0.1"
"""Pages and API listen on the loopback address only."""

ServiceFunction: TypeAlias = Callable[[Settings, int], None]
"""A module-level function that serves until SIGTERM; the integer is the port of the pages and the API."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a process of the group runs; with more `niceness` (as `os.nice`) it gives way to the others, from
    its first import on."""

    function: ServiceFunction
    niceness: int = 0


SERVICES: Final[dict[str, Service]] = {}
"""The services of `suzani up`, by name; filled by `suzani.main`."""

_CHECK_SECONDS: Final = 0.25
_GRACE_SECONDS: Final = 15.0
_RESTARTS: Final = 3
_RESTART_WINDOW_SECONDS: Final = 60.0


@dataclass(slots=True)
class _Child:
    """One service's process, and when it ended unasked."""

    name: str
    service: Service
    process: subprocess.Popen[bytes]
    ends: list[float] = field(default_factory=list)


def check_port(port: int) -> None:
    """Make sure that the port can be listened on.

    Raises InvalidInput for no port number, Unavailable for one in use, Forbidden for a privileged one.
    """
    if not 0 < port < 65536:
        raise InvalidInput(f"{port} is not a port", hint="Ports are numbers from 1 to 65535.")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise _port_error(port, error) from error


def _port_error(port: int, error: OSError) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return Unavailable(f"port {port} is in use", hint="Choose another with --port.")
    if error.errno == errno.EACCES:
        return Forbidden(f"no permission to listen on port {port}", hint="Choose one above 1023 with --port.")
    return Unavailable(f"cannot listen on port {port}: {error.strerror}")


def supervise(
    settings: Settings,
    port: int,
    services: dict[str, Service],
    *,
    when_ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Run the database and the services until SIGINT or SIGTERM, then stop them all; blocks.

    `when_ready` is called with the address of the pages once they answer. Nothing is started when the port
    is in use. Raises Unavailable when a service keeps ending.
    """
    check_port(port)
    stopping = threading.Event()
    with _stopped_by_signals(stopping), _database(settings) as use:
        children: list[_Child] = []
        try:
            children.extend(
                _Child(name, service, _spawn(service, settings, port)) for name, service in services.items()
            )
            _watch(settings, port, children, use, stopping, when_ready)
        finally:
            _stop(children)


@contextmanager
def _database(settings: Settings) -> Iterator[ServerUse | None]:
    """The database, up to date and in use for the block; the server's use, unless it is an outside one."""
    use = use_server(settings) if settings.is_embedded else None
    try:
        asyncio.run(migrate(settings.database_url or (use.url if use else "")))
        yield use
    finally:
        if use is not None:
            use.leave()


@contextmanager
def _stopped_by_signals(stopping: threading.Event) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    former = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _spawn(service: Service, settings: Settings, port: int) -> subprocess.Popen[bytes]:
    """A service's process: in a group of its own, so that Ctrl-C reaches it through the supervisor alone."""
    target = f"{service.function.__module__}:{service.function.__qualname__}"
    return subprocess.Popen(  # noqa: S603 - our own interpreter and arguments, without a shell
        [sys.executable, "-m", "suzani.infra.service", target, str(port), str(service.niceness)],
        stdin=subprocess.PIPE,
        env=settings.to_environment(),
        process_group=0,
    )


def _watch(
    settings: Settings,
    port: int,
    children: list[_Child],
    use: ServerUse | None,
    stopping: threading.Event,
    when_ready: Callable[[str], None],
) -> None:
    is_ready = False
    while not stopping.wait(_CHECK_SECONDS):
        if use is not None:
            with translated():
                use.ensure_running(settings)
        for child in children:
            if child.process.poll() is not None:
                _restart(child, settings, port)
        if not is_ready and _answers(port):
            is_ready = True
            when_ready(f"http://{HOST}:{port}")


def _restart(child: _Child, settings: Settings, port: int) -> None:
    now = time.monotonic()
    child.ends = [end for end in child.ends if now - end < _RESTART_WINDOW_SECONDS] + [now]
    if len(child.ends) > _RESTARTS:
        raise Unavailable(
            f"service {child.name} ended {len(child.ends)} times in a minute "
            f"(last with {child.process.returncode})",
            hint="Its own messages are above.",
        )
    _close(child.process)
    child.process = _spawn(child.service, settings, port)


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), timeout=0.2):
        return True
    return False


def _stop(children: list[_Child]) -> None:
    for child in children:
        child.process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    for child in children:
        try:
            child.process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
        _close(child.process)


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
