"""Jobs: queued with the caller's transaction, run once, and run again when their worker was killed."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest

from suzani.infra import jobs
from suzani.infra.db import Database, Query, execute, fetch, fetch_one
from suzani.infra.jobs import enqueue, publish, register, subscribe
from suzani.infra.platform import Platform
from suzani.infra.worker import recover_dead_jobs, run_worker
from suzani.kernel import Conflict, InvalidInput, NotFound

STATES = Query("select task_name, status::text, attempts, args from procrastinate_jobs order by id")


class Recorder:
    """A job function that keeps what it was called with."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    async def __call__(self, platform: Platform, **args: Any) -> None:
        self.calls.append(args)


@pytest.fixture(autouse=True)
def _registry() -> Iterator[None]:
    known, subscribed = dict(jobs.JOBS), {event: list(names) for event, names in jobs.SUBSCRIPTIONS.items()}
    jobs.JOBS.clear()
    jobs.SUBSCRIPTIONS.clear()
    yield
    jobs.JOBS.clear()
    jobs.JOBS.update(known)
    jobs.SUBSCRIPTIONS.clear()
    jobs.SUBSCRIPTIONS.update(subscribed)


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Database]:
    database = await Database.connect(database_url, pool_size=2)
    yield database
    await database.close()


async def states(platform: Platform) -> list[tuple[str, str]]:
    async with platform.db.transaction() as tx:
        return [(row["task_name"], row["status"]) for row in await fetch(tx, STATES)]


async def test_a_published_event_runs_the_subscribed_jobs_with_its_arguments(platform: Platform) -> None:
    first, second = Recorder(), Recorder()
    register("first", first)
    register("second", second)
    subscribe("happened", "first")
    subscribe("happened", "second")
    subscribe("happened", "second")
    async with platform.db.transaction() as tx:
        await publish(tx, "happened", system="cards", keys=[1, None, "ж"])
    await run_worker(platform, wait=False)
    assert first.calls == second.calls == [{"system": "cards", "keys": [1, None, "ж"]}]


async def test_an_event_without_subscribers_queues_nothing(platform: Platform) -> None:
    async with platform.db.transaction() as tx:
        await publish(tx, "unheard")
    assert await states(platform) == []


async def test_a_job_of_a_rolled_back_transaction_never_runs(platform: Platform) -> None:
    recorder = Recorder()
    register("work", recorder)

    async def fail() -> None:
        async with platform.db.transaction() as tx:
            await enqueue(tx, "work")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await run_worker(platform, wait=False)
    assert recorder.calls == []
    assert await states(platform) == []


async def test_a_job_that_waits_once_is_queued_once_and_the_callers_transaction_goes_on(
    platform: Platform,
) -> None:
    register("resolve", Recorder(), waits_once=True)
    async with platform.db.transaction() as tx:
        first = await enqueue(tx, "resolve")
        assert await enqueue(tx, "resolve") == first
        await execute(tx, Query("create table still_usable (a int)"))
    async with platform.db.transaction() as tx:
        assert await enqueue(tx, "resolve") == first
    assert await states(platform) == [("resolve", "todo")]


async def test_a_waiting_job_does_not_start_before_the_transaction_that_relies_on_it_ends(
    platform: Platform, other: Database
) -> None:
    recorder = Recorder()
    register("resolve", recorder, waits_once=True)
    async with platform.db.transaction() as tx:
        await enqueue(tx, "resolve")
    async with other.transaction() as tx:
        await enqueue(tx, "resolve")
        await run_worker(platform, wait=False)
        assert recorder.calls == []
    await run_worker(platform, wait=False)
    assert recorder.calls == [{}]


async def test_a_fault_is_tried_again_later_and_a_refusal_is_not(platform: Platform) -> None:
    async def fault(platform: Platform) -> None:
        raise OSError("flaky")

    async def refusal(platform: Platform) -> None:
        raise InvalidInput("never right")

    register("fault", fault)
    register("refusal", refusal)
    async with platform.db.transaction() as tx:
        await enqueue(tx, "fault")
        await enqueue(tx, "refusal")
    await run_worker(platform, wait=False)
    assert await states(platform) == [("fault", "todo"), ("refusal", "failed")]


async def test_attempts_are_limited(platform: Platform) -> None:
    async def fault(platform: Platform) -> None:
        raise OSError("broken")

    register("fault", fault, max_attempts=2)
    async with platform.db.transaction() as tx:
        await enqueue(tx, "fault")
    for _ in range(3):
        await run_worker(platform, wait=False)
        async with platform.db.transaction() as tx:
            await execute(tx, Query("update procrastinate_jobs set scheduled_at = now()"))
    async with platform.db.transaction() as tx:
        rows = await fetch(tx, STATES)
    assert [(row["status"], row["attempts"]) for row in rows] == [("failed", 2)]


async def test_a_failed_job_stays_failed_when_another_of_its_kind_waits(platform: Platform) -> None:
    async def fault_and_queue_another(platform: Platform) -> None:
        async with platform.db.transaction() as tx:
            await enqueue(tx, "resolve")
            await execute(tx, Query("update procrastinate_jobs set scheduled_at = now() + interval '1 day'"))
        raise OSError("broken")

    register("resolve", fault_and_queue_another, waits_once=True)
    async with platform.db.transaction() as tx:
        await enqueue(tx, "resolve")
    await run_worker(platform, wait=False)
    assert await states(platform) == [("resolve", "failed"), ("resolve", "todo")]


def test_two_functions_cannot_share_a_name() -> None:
    first = Recorder()
    register("work", first)
    register("work", first)
    with pytest.raises(Conflict, match="twice"):
        register("work", Recorder())


async def test_an_unknown_job_is_refused_with_the_nearest_name(platform: Platform) -> None:
    register("identity.resolve", Recorder())
    with pytest.raises(NotFound, match=r"identity\.resolve"):
        subscribe("sources.changed", "identity.resolv")
    async with platform.db.transaction() as tx:
        with pytest.raises(NotFound, match="unknown job 'nothing'"):
            await enqueue(tx, "nothing")


WORKER = """
import asyncio, sys
from pathlib import Path
from suzani.infra.db import Query, execute
from suzani.infra.jobs import register
from suzani.infra.platform import running
from suzani.infra.settings import Settings
from suzani.infra.worker import run_worker

async def work(platform):
    async with platform.db.transaction() as tx:
        await execute(tx, Query("insert into attempt default values"))
    await asyncio.sleep(600)

async def main():
    async with running(Settings(Path(sys.argv[1]), database_url=sys.argv[2])) as platform:
        register("work", work)
        await run_worker(platform)

asyncio.run(main())
"""


def worker_process(platform: Platform) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER, str(platform.data_dir), platform.db.url])


async def started_worker(platform: Platform) -> subprocess.Popen[bytes]:
    """A worker process that is in the middle of a job which will not end."""
    async with platform.db.transaction() as tx:
        await execute(tx, Query("create table attempt (id int generated always as identity)"))
        await enqueue(tx, "work")
    process = worker_process(platform)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        async with platform.db.transaction() as tx:
            row = await fetch_one(tx, Query("select count(*) as n from attempt"))
        if row == {"n": 1}:
            return process
        await asyncio.sleep(0.05)
    process.kill()
    raise AssertionError("the worker did not start its job")


async def test_the_job_of_a_killed_worker_is_run_again_and_that_of_a_live_one_is_left(
    platform: Platform,
) -> None:
    recorder = Recorder()
    register("work", recorder)
    process = await started_worker(platform)
    try:
        assert await recover_dead_jobs(platform) == 0
        process.send_signal(signal.SIGKILL)
        process.wait()
        await recovered(platform)
        await run_worker(platform, wait=False)
    finally:
        process.kill()
        process.wait()
    assert recorder.calls == [{}]
    assert await states(platform) == [("work", "succeeded")]


async def recovered(platform: Platform) -> None:
    """Wait for the server to notice that the killed worker's session is gone."""
    for _ in range(600):
        if await recover_dead_jobs(platform) == 1:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the job was not recovered")


async def test_a_job_that_keeps_killing_its_worker_fails_in_the_end(platform: Platform) -> None:
    register("work", Recorder())
    jobs.JOBS["work"] = replace(jobs.JOBS["work"], max_attempts=1)
    process = await started_worker(platform)
    process.kill()
    process.wait()
    await recovered(platform)
    assert await states(platform) == [("work", "failed")]


async def test_a_stopped_worker_ends_cleanly(platform: Platform) -> None:
    register("work", Recorder())
    process = await started_worker(platform)
    async with platform.db.transaction() as tx:
        await execute(
            tx, Query("select procrastinate_cancel_job_v1(id, true, false) from procrastinate_jobs")
        )
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 60) == 0
    async with platform.db.transaction() as tx:
        assert await fetch(tx, Query("select * from procrastinate_workers")) == []
