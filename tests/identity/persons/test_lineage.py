from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from suzani.identity import affected_persons, history, persons_at, record_history, resolve, whereabouts
from suzani.identity.persons.stewarding import join
from suzani.infra.db import Database
from suzani.infra.migrate import migrate
from suzani.infra.platform import Platform
from suzani.infra.settings import Settings
from suzani.kernel import NotFound
from suzani.main import app
from tests.identity.persons.test_stewarding import WHO, Town, town
from tests.identity.resolving.test_service import add, change, persons_of, records_of_town, rows

__all__ = ["town"]


async def test_a_persons_history_tells_what_came_and_left_and_why(town: Town) -> None:
    a, b = town.ids[:2]
    await join(town.platform, persons=[a, b], **WHO)
    async with town.platform.db.transaction() as tx:
        first, second = await history(tx, a)
        assert first.change.cause == "run"
        assert {moved.record_id for moved in first.came} == set(town.records[a])
        assert (second.change.actor, second.change.reason, second.change.cause) == (
            "ann",
            "seen the papers",
            "steward",
        )
        assert {(moved.record_id, moved.from_person) for moved in second.came} == {
            (record, b) for record in town.records[b]
        }
        assert second.came[0].system == "bank"
        _, left = await history(tx, b)
        assert {moved.to_person for moved in left.left} == {a}
        with pytest.raises(NotFound, match="no person has the id 999999"):
            await history(tx, 999999)


async def test_a_records_history_has_every_person_it_was_with(town: Town) -> None:
    a, b = town.ids[:2]
    record = town.records[b][0]
    await join(town.platform, persons=[a, b], **WHO)
    async with town.platform.db.transaction() as tx:
        first, second = await record_history(tx, record)
        assert (first.person_id, second.person_id, second.until) == (b, a, None)
        assert first.since is not None
        assert first.until == second.since
        assert first.change is not None
        assert second.change is not None
        assert (first.change.cause, second.change.actor) == ("run", "ann")
        assert await persons_at(tx, [record, 999999], first.until or first.since) == {record: a}
        assert await persons_at(tx, [record], first.since) == {record: b}
        with pytest.raises(NotFound, match="no record 999999"):
            await record_history(tx, 999999)


async def test_a_retired_id_says_where_it_went_even_after_a_split(town: Town) -> None:
    a, b = town.ids[:2]
    await join(town.platform, persons=[a, b], **WHO)
    async with town.platform.db.transaction() as tx:
        gone, there = await whereabouts(tx, b), await whereabouts(tx, a)
    assert (gone.current, gone.merged_into, gone.records) == (a, a, ())
    assert gone.went_to == {a: len(town.records[b])}
    assert (there.current, there.taken_over) == (a, (b,))
    assert len(there.records) == len(town.records[a]) + len(town.records[b])


@pytest.fixture
def of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package of the migrations up to 0004."""
    folder = tmp_path / "of_before"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    for file in resources.files("suzani.migrations").iterdir():
        if file.name.endswith(".sql") and file.name < "0005":
            shutil.copy(str(file), folder)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "of_before"
    sys.modules.pop("of_before", None)


async def test_persons_of_a_database_of_before_are_kept_and_go_on(
    empty_database_url: str, of_before: str, tmp_path: Path
) -> None:
    await migrate(empty_database_url, of_before)
    db = await Database.connect(empty_database_url, pool_size=2)
    try:
        platform = Platform(Settings(tmp_path, database_url=empty_database_url), db)
        records = await add(platform, records_of_town(6)[0])
        await change(
            platform,
            "insert into identity.run (state, started_at, finished_at) values ('done', now(), now())",
        )
        await change(
            platform,
            "insert into identity.person (created_at, run_id) select now(), 1 from sources.record",
        )
        await change(
            platform,
            "insert into identity.membership (record_id, person_id, run_id, since)"
            " select record_id, record_id, 1, now() from sources.record",
        )
        assert (await migrate(empty_database_url))[0] == "0005_lineage.sql"
        before = await persons_of(platform)
        assert before == {record: record for record in records}
        async with db.transaction() as tx:
            [first] = await history(tx, records[0])
            assert (first.change.cause, first.change.run_id) == ("run", 1)
            assert [moved.record_id for moved in first.came] == records[:1]
            assert (await affected_persons(tx, "new")).persons is None
        report = await resolve(platform)
        after = await persons_of(platform)
        assert report.new_persons == 0
        assert set(after.values()) < set(before.values())
        moved = {record for record in records if before[record] != after[record]}
        found = await rows(platform, "select record_id, from_since from identity.move")
        assert {row["record_id"] for row in found} == moved
        assert all(row["from_since"] is not None for row in found)
    finally:
        await db.close()


def run(data: Path, *arguments: object) -> Result:
    words = [*map(str, arguments), "--data", str(data)]
    return CliRunner().invoke(app, ["person", *words], catch_exceptions=False)


def json_of(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def commands(town: Town, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> tuple[Town, Path]:
    monkeypatch.setenv("SUZANI_DATABASE_URL", settings.database_url or "")
    return town, settings.data_dir


def names(url: str) -> dict[int, str]:
    with psycopg.connect(url) as connection:
        return dict(
            connection.execute("select record_id, system || '/' || key from sources.record").fetchall()
        )


async def _in_thread(*arguments: Any) -> Result:
    return await asyncio.to_thread(run, *arguments)


async def test_a_steward_works_from_the_command_line(commands: tuple[Town, Path], settings: Settings) -> None:
    town, data = commands
    a, b = town.ids[:2]
    joined = json_of(await _in_thread(data, "join", a, b, "--reason", "same passport", "--json"))
    assert (joined["persons"], joined["retired"]) == ([a], [b])
    shown = json_of(await _in_thread(data, "show", b, "--json"))
    assert shown["current"] == a
    assert f"person {a} took over" in (await _in_thread(data, "show", b)).stdout
    assert f"It took over {b}" in (await _in_thread(data, "show", a)).stdout
    assert "passport" in (await _in_thread(data, "history", a)).stdout
    events = json_of(await _in_thread(data, "history", a, "--json"))
    assert events[-1]["change"]["change_id"] == joined["change_id"]
    listed = json_of(await _in_thread(data, "constraints", "--json"))
    assert [one["constraint_id"] for one in listed] == joined["constraints"]
    assert "are one" in (await _in_thread(data, "constraints")).stdout
    undone = await _in_thread(data, "undo", joined["change_id"], "--reason", "wrong")
    assert undone.exit_code == 0
    assert f"Back again: {b}." in undone.stdout
    record = names(settings.database_url or "")[town.records[a][0]]
    parted = json_of(
        await _in_thread(data, "separate", a, "--records", record, "--reason", "a namesake", "--json")
    )
    assert parted["created"] == 1
    taken = await _in_thread(
        data, "constraints", "--revoke", parted["constraints"][0], "--reason", "sure now", "--json"
    )
    assert json_of(taken)["revoked"] == parted["constraints"][:1]


async def test_wrong_commands_say_why(commands: tuple[Town, Path]) -> None:
    town, data = commands
    a, b = town.ids[:2]
    await join(town.platform, persons=[a, b], **WHO)
    for arguments, code, words in (
        (("show", 999999), 3, "no person has the id 999999"),
        (("join", a, b, "--reason", "x"), 4, f"person {b} was retired: person {a} has taken over"),
        (("separate", a, "--records", "bank/none", "--reason", "x"), 3, "there is no record bank/none"),
        (("separate", a, "--records", "none", "--reason", "x"), 2, "is no record"),
        (("undo", 999, "--reason", "x"), 3, "there is no change 999"),
        (("constraints", "--revoke", 999, "--reason", "x"), 3, "there is no constraint 999"),
        (("constraints", "--revoke", 1), 2, "needs a reason"),
    ):
        result = await _in_thread(data, *arguments)
        assert result.exit_code == code, result.output
        assert words in result.output.replace("\n", " ")
