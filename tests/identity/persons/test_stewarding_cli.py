from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from suzani.infra.platform import Platform
from suzani.main import app
from tests.profiles import bank
from tests.profiles.bank import KARIMOV, KIM, KIM_TWIN

Person = Callable[..., Awaitable[Result]]
WHY = ("--reason", "seen the papers", "--actor", "ann")


@pytest.fixture
async def person(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Person:
    """`suzani person` on the tiny bank."""
    async with platform.db.transaction() as tx:
        await bank.fill(tx)
    monkeypatch.setenv("SUZANI_DATABASE_URL", platform.db.url)

    async def run(*words: object) -> Result:
        given = ["person", *map(str, words), "--data", str(platform.data_dir)]
        return await asyncio.to_thread(CliRunner().invoke, app, given)

    return run


async def data_of(asked: Awaitable[Result]) -> Any:
    """What a command with --json printed."""
    result = await asked
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


async def test_a_join_is_shown_and_undone(person: Person) -> None:
    done = await data_of(person("join", KIM, KIM_TWIN, *WHY, "--json"))
    assert (done["persons"], done["retired"]) == ([KIM], [KIM_TWIN])
    assert f"person {KIM} took over" in (await person("show", KIM_TWIN)).stdout
    assert "steward by ann" in (await person("history", KIM)).stdout
    listed = await person("constraints")
    assert "are one" in listed.stdout
    undone = await person("undo", done["change_id"], *WHY)
    assert f"Back again: {KIM_TWIN}." in undone.stdout
    assert await data_of(person("constraints", "--json")) == []


async def test_separated_records_are_told_and_a_constraint_is_taken_back(person: Person) -> None:
    done = await data_of(person("separate", KARIMOV, "--records", "cards/K102", *WHY, "--json"))
    assert done["moves"] == 1
    again = await person("join", *done["persons"], *WHY)
    assert again.exit_code == 4
    for number in done["constraints"]:
        assert (await person("constraints", "--revoke", number, *WHY)).exit_code == 0
    assert (await person("join", *done["persons"], *WHY)).exit_code == 0


async def test_who_decides_is_the_user(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "bob")
    await data_of(person("join", KIM, KIM_TWIN, "--reason", "x", "--json"))
    assert (await data_of(person("constraints", "--json")))[0]["actor"] == "bob"


async def test_where_nobody_knows_the_user_the_actor_must_be_named(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", nobody)
    assert (await person("constraints")).exit_code == 0
    refused = await person("join", KIM, KIM_TWIN, "--reason", "x")
    assert refused.exit_code == 2
    assert "needs an actor" in refused.stderr


def nobody() -> str:
    raise KeyError("getpwuid(): uid not found")


async def test_what_is_wrong_is_said_with_an_exit_code(person: Person) -> None:
    for words, code in (
        (("show", 999), 3),
        (("undo", 999, *WHY), 3),
        (("separate", KIM, "--records", "nonsense", *WHY), 2),
        (("constraints", "--revoke", 999, *WHY), 3),
    ):
        assert (await person(*words)).exit_code == code
