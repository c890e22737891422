from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from suzani.identity import affected_persons, mark_read, prune_feed
from suzani.identity.persons.feed_store import feed_readers, forget_reader
from suzani.infra.db import Query, Tx, execute, fetch
from suzani.infra.platform import Platform
from suzani.kernel import NotFound
from suzani.main import app

OLD, YOUNG, BETWEEN = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 3, 2))
"""Five changes are old and five young; each affects the person of its number."""


@pytest.fixture
async def tx(platform: Platform) -> AsyncIterator[Tx]:
    async with platform.db.transaction() as tx:
        await execute(
            tx,
            Query(
                "insert into identity.change (change_id, at, cause) select n,"
                " case when n < 6 then %(old)s else %(young)s end, 'run' from generate_series(1, 10) n"
            ),
            old=OLD,
            young=YOUNG,
        )
        await execute(
            tx,
            Query(
                "insert into identity.person_change (change_id, person_id, kind)"
                " select change_id, change_id, 'changed' from identity.change order by change_id"
            ),
        )
        yield tx


async def kept(tx: Tx) -> list[int]:
    """The changes that the feed has."""
    rows = await fetch(tx, Query("select change_id from identity.person_change order by seq"))
    return [row["change_id"] for row in rows]


async def test_what_every_reader_passed_is_dropped_once_it_is_old(tx: Tx) -> None:
    await mark_read(tx, "profiles", 10)
    await mark_read(tx, "partners", 8)
    assert await prune_feed(tx, BETWEEN) == 5
    assert await kept(tx) == [6, 7, 8, 9, 10]
    assert await prune_feed(tx, BETWEEN) == 0
    assert (await affected_persons(tx, "partners")).persons == (9, 10)


async def test_a_reader_that_is_behind_holds_the_feed_until_it_is_forgotten(tx: Tx) -> None:
    await mark_read(tx, "profiles", 10)
    await mark_read(tx, "partners", 3)
    assert await prune_feed(tx, BETWEEN) == 3
    [partners, profiles] = await feed_readers(tx)
    assert (partners.consumer, partners.behind, partners.since) == ("partners", 7, OLD)
    assert (profiles.consumer, profiles.behind, profiles.since) == ("profiles", 0, None)
    await forget_reader(tx, "partners")
    assert await prune_feed(tx, BETWEEN) == 2
    assert (await affected_persons(tx, "partners")).persons is None


async def test_a_feed_that_is_dropped_whole_goes_on(tx: Tx) -> None:
    await mark_read(tx, "profiles", 10)
    assert await prune_feed(tx, datetime(2027, 1, 1, tzinfo=UTC)) == 10
    first = await affected_persons(tx, "partners")
    assert first.persons is None
    await mark_read(tx, "partners", first.up_to)
    insert = "insert into identity.person_change (change_id, person_id, kind) values (10, 77, 'changed')"
    await execute(tx, Query(insert))
    for reader in ("profiles", "partners"):
        assert (await affected_persons(tx, reader)).persons == (77,)


async def test_a_feed_that_nobody_reads_keeps_nothing_old(tx: Tx) -> None:
    assert await prune_feed(tx, BETWEEN) == 5
    assert (await affected_persons(tx, "profiles")).persons is None


async def test_an_unknown_reader_cannot_be_forgotten(tx: Tx) -> None:
    await mark_read(tx, "profiles", 1)
    with pytest.raises(NotFound, match="profile") as caught:
        await forget_reader(tx, "profile")
    assert "profiles" in caught.value.hint


async def test_the_command_shows_forgets_and_prunes(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with platform.db.transaction() as tx:
        await mark_read(tx, "profiles", 3)
    monkeypatch.setenv("SUZANI_DATABASE_URL", platform.db.url)

    async def told(*options: str) -> dict[str, Any]:
        words = ["feed", "--json", "--data", str(platform.data_dir), *options]
        done = await asyncio.to_thread(CliRunner().invoke, app, words)
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    assert await told() == {
        "readers": [{"consumer": "profiles", "behind": 0, "since": None}],
        "dropped": None,
    }
    assert await told("--forget", "profiles", "--prune") == {"readers": [], "dropped": 0}
