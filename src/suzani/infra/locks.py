"""File locks, which the kernel releases when their holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from suzani.kernel import Unavailable

_POLL_SECONDS: Final = 0.05


class FileLock:
    """A lock on a file, shared or exclusive, held until closed or until the process ends."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
        self._descriptor = os.open(path, flags, 0o600)

    def share(self) -> None:
        """Hold it together with others; waits for an exclusive holder."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def wait(self) -> None:
        """Hold it alone; waits until every other holder is gone."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def try_alone(self) -> bool:
        """Hold it alone if nobody else holds it; never waits."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Let go, and keep the file open."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go."""
        os.close(self._descriptor)


@contextmanager
def held_alone(path: Path, *, timeout_seconds: float, doing: str, create: bool = True) -> Iterator[None]:
    """Hold a file's lock alone for the block. Raises Unavailable when others keep it past the timeout."""
    lock = FileLock(path, create=create)
    try:
        deadline = time.monotonic() + timeout_seconds
        while not lock.try_alone():
            if time.monotonic() > deadline:
                raise Unavailable(f"another process has been {doing} for {timeout_seconds:.0f} seconds")
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        lock.close()
