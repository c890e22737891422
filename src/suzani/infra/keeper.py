"""`python -m suzani.infra.keeper HOME PID`: stops an embedded server when all its users are gone.

Users that end as they should stop the server themselves; this is for those that were killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from suzani.infra.cluster import Cluster
from suzani.infra.locks import FileLock
from suzani.infra.postmaster import find_running
from suzani.infra.server import stop_if_unused


def keep(cluster: Cluster, pid: int) -> None:
    """Wait until nobody uses the server with this pid, then stop it; returns once it is down."""
    while (running := find_running(cluster)) is not None and running.pid == pid:
        try:
            users = FileLock(cluster.home / "users.lock", create=False)
        except FileNotFoundError:  # the data directory is gone
            return
        users.wait()
        users.close()
        stop_if_unused(cluster)


if __name__ == "__main__":
    keep(Cluster(Path(sys.argv[1]), account=None), int(sys.argv[2]))
