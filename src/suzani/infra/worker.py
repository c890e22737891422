"""The worker: runs what is queued, tries again what failed, and takes up what a killed worker left behind.

A worker holds an advisory lock on a connection of its own for as long as it lives. The server releases it the
moment the process is gone, so a dead worker's jobs are found without guessing from timeouts, and a worker
that is merely busy is never taken for dead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import procrastinate
import psycopg
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job as QueuedJob
from procrastinate.jobs import Status
from procrastinate.manager import JobManager
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from suzani.infra.db import Tx, execute, fetch, load_queries, translated
from suzani.infra.jobs import JOBS, Job
from suzani.infra.platform import Platform, running
from suzani.infra.settings import Settings
from suzani.kernel import SuzaniError, Unavailable

_LOCK_CLASS: Final = 0x53555A41
_DEFAULT_ATTEMPTS: Final = 5
_FIRST_RETRY_SECONDS: Final = 5
_RECOVER_SECONDS: Final = 10.0
_GRACE_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 2.0
_KEEP_HOURS: Final = 24 * 30
_NEVER_SECONDS: Final = 10 * 365 * 86_400.0

_log = logging.getLogger(__name__)
_queries = load_queries("suzani.infra")


async def run_worker(platform: Platform, *, wait: bool = True, concurrency: int = 1) -> None:
    """Run jobs until SIGINT or SIGTERM; without `wait`, until none is due. Running jobs get 10 s to end.

    Raises Unavailable when the database is lost.
    """
    with translated():
        holder = await psycopg.AsyncConnection.connect(platform.db.url, autocommit=True)
    async with holder:
        app = _app(platform, holder)
        await app.open_async(platform.db.pool)
        await recover_dead_jobs(platform)
        await app.job_manager.delete_old_jobs(nb_hours=_KEEP_HOURS)
        recovery = asyncio.create_task(_keep_recovering(platform))
        try:
            await app.run_worker_async(
                wait=wait,
                concurrency=concurrency,
                fetch_job_polling_interval=_POLL_SECONDS,
                shutdown_graceful_timeout=_GRACE_SECONDS,
                stalled_worker_timeout=_NEVER_SECONDS,
                listen_notify=wait,
                install_signal_handlers=wait,
            )
        finally:
            recovery.cancel()
            with suppress(asyncio.CancelledError):
                await recovery
        with translated():
            await holder.execute("select 1")


async def recover_dead_jobs(platform: Platform) -> int:
    """Queue again the jobs whose worker is gone; returns how many were found.

    A job that has used up its attempts fails instead (it may be what kills its workers), and so does one of a
    kind that waits once while another of it waits.
    """
    async with platform.db.transaction() as tx:
        dead = await fetch(tx, _queries.dead_jobs, lock_class=_LOCK_CLASS)
        for row in dead:
            job = JOBS.get(row["task_name"])
            limit = job.max_attempts if job is not None else _DEFAULT_ATTEMPTS
            if row["attempts"] + 1 >= limit or not await _run_again(tx, row["id"]):
                await execute(tx, _queries.give_up, id=row["id"])
            _log.warning("job %s (%s) was left by a worker that is gone", row["id"], row["task_name"])
    return len(dead)


async def _run_again(tx: Tx, job_id: int) -> bool:
    try:
        async with tx.transaction():
            await execute(tx, _queries.run_again, id=job_id)
    except psycopg.errors.UniqueViolation:
        return False
    return True


async def _keep_recovering(platform: Platform) -> None:
    while True:
        await asyncio.sleep(_RECOVER_SECONDS)
        with suppress(Unavailable):  # the worker itself notices a lost server, and says so
            await recover_dead_jobs(platform)


def _app(platform: Platform, holder: psycopg.AsyncConnection[Any]) -> procrastinate.App:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector())
    app.job_manager = _HeldJobManager(app.connector, holder)
    for job in JOBS.values():
        app.task(name=job.name, retry=_Retry(job.max_attempts), lock=job.lock, queueing_lock=job.lock)(
            _bound(job, platform)
        )
    return app


def _bound(job: Job, platform: Platform) -> Callable[..., Awaitable[None]]:
    async def run(**args: Any) -> None:
        await job.run(platform, **args)

    return run


class _HeldJobManager(JobManager):
    """Procrastinate's job manager, whose workers hold their advisory lock before they take a job."""

    def __init__(self, connector: Any, holder: psycopg.AsyncConnection[Any]) -> None:
        super().__init__(connector)
        self._holder = holder

    async def register_worker(self) -> int:
        worker_id = await super().register_worker()
        arguments = {"lock_class": _LOCK_CLASS, "worker_id": worker_id}
        await self._holder.execute(_queries.hold_worker.text, arguments)
        return worker_id

    async def retry_job(self, job: QueuedJob, *args: Any, **options: Any) -> None:
        """Queue a failed job again; it stays failed when another of a kind that waits once waits already."""
        try:
            await super().retry_job(job, *args, **options)
        except UniqueViolation:
            await self.finish_job(job, Status.FAILED, delete_job=False)


class _Retry(BaseRetryStrategy):
    """Tries again what may pass (a lost server, a full disk, a fault), later each time; never a refusal."""

    def __init__(self, max_attempts: int) -> None:
        self._max_attempts = max_attempts

    def get_retry_decision(self, *, exception: BaseException, job: QueuedJob) -> RetryDecision | None:
        refused = isinstance(exception, SuzaniError) and not isinstance(exception, Unavailable)
        if refused or job.attempts + 1 >= self._max_attempts:
            return None
        return RetryDecision(retry_in={"seconds": _FIRST_RETRY_SECONDS * 4**job.attempts})


def work(settings: Settings) -> None:
    """Run a worker in this process until it is told to stop; blocks. One of the services of `suzani up`."""

    async def serve() -> None:
        async with running(settings) as platform:
            await run_worker(platform)

    asyncio.run(serve())
