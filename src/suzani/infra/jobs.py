"""Work that is done later, by a worker: put into the queue in the caller's own transaction, or not at all.

Capabilities publish events; `suzani.main` registers the jobs and says which job runs on which event.
The queue is Procrastinate's; nothing outside this module and `worker` knows that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued

from suzani.infra.db import Tx, fetch_one, load_queries
from suzani.kernel import Conflict, NotFound

JobFunction: TypeAlias = Callable[..., Awaitable[object]]
"""`async def job(platform: Platform, **arguments)`; the arguments are JSON values."""


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of work: its name, what it does, and how it is queued.

    With `waits_once`, at most one job of the kind waits in the queue and at most one runs at a time; it is
    for work that takes in everything there is, such as resolving all records.
    """

    name: str
    run: JobFunction
    waits_once: bool = False
    max_attempts: int = 5

    @property
    def lock(self) -> str | None:
        """The lock that keeps two of them from waiting, and from running, at the same time."""
        return self.name if self.waits_once else None


JOBS: Final[dict[str, Job]] = {}
"""Every kind of work, by name; filled by `suzani.main`."""

SUBSCRIPTIONS: Final[dict[str, list[str]]] = {}
"""Names of the jobs that run on an event, by event; filled by `suzani.main`."""

_queries = load_queries("suzani.infra")
_queue = procrastinate.App(connector=procrastinate.PsycopgConnector())


def register(name: str, run: JobFunction, *, waits_once: bool = False, max_attempts: int = 5) -> None:
    """Make a kind of work known. Raises Conflict when the name is another function's."""
    known = JOBS.get(name)
    if known is not None and known.run is not run:
        raise Conflict(f"job {name!r} is registered twice, for two functions")
    JOBS[name] = Job(name, run, waits_once, max_attempts)


def subscribe(event: str, job_name: str) -> None:
    """Run a job on every event of a kind. Raises NotFound when there is no such job."""
    if job_name not in JOBS:
        raise NotFound.among("job", job_name, JOBS)
    names = SUBSCRIPTIONS.setdefault(event, [])
    if job_name not in names:
        names.append(job_name)


async def publish(tx: Tx, event: str, /, **args: Any) -> None:
    """Put the jobs of an event into the queue; they run once the caller's transaction is committed."""
    for job_name in SUBSCRIPTIONS.get(event, []):
        await enqueue(tx, job_name, **args)


async def enqueue(tx: Tx, job_name: str, /, **args: Any) -> int:
    """Put a job into the queue in the caller's transaction; returns its id.

    For a job that waits once, the one that waits already is returned, and is kept from starting until the
    transaction ends, so that it sees what the transaction wrote. Raises NotFound for an unknown job.
    """
    job = JOBS.get(job_name)
    if job is None:
        raise NotFound.among("job", job_name, JOBS)
    while True:
        try:
            async with tx.transaction():
                deferrer = _queue.configure_task(
                    job.name, lock=job.lock, queueing_lock=job.lock, connection=tx
                )
                return await deferrer.defer_async(**args)
        except AlreadyEnqueued:
            waiting = await fetch_one(tx, _queries.waiting_job, queueing_lock=job.lock)
            if waiting is not None:
                return int(waiting["id"])
