"""A platform served by `suzani up` in processes of its own, as its users would have it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import psutil

from suzani.infra.settings import Settings
from suzani.kernel import Unavailable

HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 600.0
_REST_SECONDS: Final = 5.0
_IDLE_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Server:
    """A platform that answers: where, the process that keeps all others, and how long the start took."""

    url: str
    process: psutil.Process
    ready_seconds: float

    def mib(self) -> float:
        """Resident memory of the program and the processes it started, the database's left out."""
        own = (process for process in self._family() if _role(process) != "postgres")
        return round(sum(process.memory_info().rss for process in own) / 2**20, 1)

    def cpu_seconds(self) -> Mapping[str, float]:
        """Processor seconds so far, by role: web, events, worker, postgres, …"""
        spent = defaultdict[str, float](float)
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                spent[_role(process)] += (
                    times.user + times.system + times.children_user + times.children_system
                )
        return dict(spent)

    def rest(self) -> None:
        """Wait until the platform has done what it does by itself, such as following a bank new to it: until
        it takes hardly any processor time, ten minutes at most, and what was written is on the disk."""
        until = time.monotonic() + _START_SECONDS
        spent = sum(self.cpu_seconds().values())
        while time.monotonic() < until:
            time.sleep(_REST_SECONDS)
            before, spent = spent, sum(self.cpu_seconds().values())
            if spent - before < _IDLE_SHARE * _REST_SECONDS:
                break
        if hasattr(os, "sync"):
            os.sync()

    def _family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def _role(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        if process.name().startswith("postgres"):
            return "postgres"
        for argument in process.cmdline():
            if argument.startswith("suzani.main:serve_"):
                return argument.removeprefix("suzani.main:serve_")
    return "supervisor"


@contextmanager
def served(settings: Settings, is_ready: Callable[[str], bool], *options: str) -> Iterator[Server]:
    """The platform with these settings and options of `suzani up`, from when `is_ready` says so of its
    address until the block ends.

    Raises Unavailable when it ends by itself or is not ready within ten minutes.
    """
    url = f"http://{HOST}:{(port := _free_port())}"
    command = [sys.executable, "-c", "from suzani.main import main; main()", "up", "--port", str(port)]
    command += options
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 (ours)
        command, env=settings.to_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(process, lambda: is_ready(url))
        yield Server(url, psutil.Process(process.pid), round(time.perf_counter() - started, 2))
    finally:
        process.terminate()
        process.wait(_START_SECONDS)


def _wait(process: subprocess.Popen[bytes], is_ready: Callable[[], bool]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError):
            if is_ready():
                return
        time.sleep(0.05)
    raise Unavailable("the server did not come up", hint="Start it by hand: suzani up.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
