"""`suzani events work`: processes in which events take effect join and leave a platform that is up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from suzani.activity import PROCESSOR
from suzani.infra.platform import Platform, running
from suzani.infra.settings import Settings
from tests.activity.stage import Stage, opened, track
from tests.activity.test_killing import drained
from tests.infra.test_supervisor import eventually, free_port

USERS = 30


@contextmanager
def working(settings: Settings, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command, or another one, in a process of its own."""
    program = [sys.executable, "-c", "from suzani.main import main; main()"]
    process = subprocess.Popen([*program, *(command or ("events", "work"))], env=settings.to_environment())
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def own_database(scratch: Path) -> Settings:
    """Settings with an embedded database in a folder that its user can enter."""
    folder = scratch / "workers"
    folder.mkdir()
    folder.chmod(0o711)
    return Settings(folder / "data", system_dir=folder / "system")


def number_of_workers(platform: Platform) -> Callable[[], int]:
    """How many share the events now."""

    def number() -> int:
        with psycopg.connect(platform.db.url) as connection:
            counted = "select count(*) from bus.worker where consumer = %s"
            [found] = connection.execute(counted, [PROCESSOR]).fetchone() or [0]
        return int(found)

    return number


async def everybody_opens_the_app(stage: Stage) -> None:
    await stage.send(*(track("App Opened", f"u{user}") for user in range(USERS)))
    await drained(stage.platform)


async def opened_by(stage: Stage) -> dict[str, int]:
    """How often each user opened the app."""
    found: dict[str, int] = {}
    for event in await stage.kept():
        user = event["body"]["user_id"]
        found[user] = found.get(user, 0) + 1
    return found


async def test_one_may_join_a_platform_that_is_up_and_another_goes_on_when_one_is_killed(
    scratch: Path,
) -> None:
    settings = own_database(scratch)
    async with running(settings) as platform, opened(platform) as stage:
        workers = number_of_workers(platform)
        with working(settings) as first:
            eventually(lambda: workers() == 1)
            await everybody_opens_the_app(stage)
            with working(settings):
                eventually(lambda: workers() == 2)
                await everybody_opens_the_app(stage)
                first.kill()
                await everybody_opens_the_app(stage)
        assert await opened_by(stage) == {f"u{user}": 3 for user in range(USERS)}


async def test_one_that_is_told_to_stop_signs_off_and_ends_well(settings: Settings) -> None:
    async with running(settings) as platform:
        workers = number_of_workers(platform)
        with working(settings) as process:
            eventually(lambda: workers() == 1)
        assert (process.returncode, workers()) == (0, 0)


async def test_up_starts_as_many_as_it_is_told(settings: Settings) -> None:
    async with running(settings) as platform:
        workers = number_of_workers(platform)
        with working(settings, "up", "--port", str(free_port()), "--event-workers", "2") as process:
            eventually(lambda: workers() == 2)
        assert process.returncode == 0
