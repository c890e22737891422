"""Keys are told once, known by their digest, and bound to a role."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from typer.testing import CliRunner

from suzani.infra.db import Query, fetch
from suzani.infra.keys import KeyRing, create_key
from suzani.infra.platform import Platform
from suzani.infra.settings import Settings
from suzani.kernel import Busy, Forbidden, InvalidInput, NotFound, Unauthorised, now
from suzani.main import app
from tests.events.collecting import new_key


@pytest.fixture
async def ring(platform: Platform) -> AsyncIterator[KeyRing]:
    found = KeyRing(platform.db)
    yield found
    await found.close()


async def test_a_key_is_found_by_its_secret_and_nothing_keeps_the_secret(
    platform: Platform, ring: KeyRing
) -> None:
    secret = await new_key(platform, "web")
    assert (await ring.find(secret, "source")).name == "web"
    async with platform.db.transaction() as tx:
        rows = await fetch(tx, Query("select to_jsonb(key) as row from access.key as key"))
    assert secret not in json.dumps(rows[0]["row"])


async def test_a_new_key_is_known_at_once_even_where_keys_were_read_before(
    platform: Platform, ring: KeyRing
) -> None:
    with pytest.raises(Unauthorised):
        await ring.find("sz_write_nobody", "source")
    ring._read_at -= 1.0
    secret = await new_key(platform)
    assert await ring.find(secret, "source")


async def test_a_key_serves_its_own_role_alone(platform: Platform, ring: KeyRing) -> None:
    secret = await new_key(platform, "contact_centre", "channel")
    with pytest.raises(Forbidden):
        await ring.find(secret, "source")
    assert (await ring.find(secret, "channel")).role == "channel"


async def test_without_the_database_old_knowledge_of_keys_is_not_trusted(platform: Platform) -> None:
    clock = [0.0]
    ring = KeyRing(platform.db, lambda: clock[0])
    secret = await new_key(platform)
    await ring.find(secret, "source")
    await platform.db.close()
    clock[0] = 5.0
    assert await ring.find(secret, "source")
    clock[0] = 10.0
    with pytest.raises(Busy):
        await ring.find(secret, "source")
    await ring.close()


@pytest.mark.parametrize("name", ["", "A", "a b", "ж", "a" * 61, "-a"])
async def test_names_are_plain(platform: Platform, name: str) -> None:
    async with platform.db.transaction() as tx:
        with pytest.raises(InvalidInput):
            await create_key(tx, "source", name, now())
        with pytest.raises(NotFound):
            await create_key(tx, "king", "a", now())


def test_keys_are_made_listed_and_taken_back(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings.to_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "200")

    def suzani(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["key", *arguments])
        assert result.exit_code == code, result.output
        return result.stdout

    secret = suzani("create", "--source", "web").strip()
    assert secret.startswith("sz_write_")
    suzani("create", "--role", "channel", "--name", "contact_centre")
    suzani("create", "--role", "channel", code=2)
    suzani("create", "--role", "king", "--name", "x", code=3)
    listed = json.loads(suzani("list", "--json"))
    assert [(key["role"], key["name"]) for key in listed] == [
        ("source", "web"),
        ("channel", "contact_centre"),
    ]
    assert listed[0]["settings"]["channel"] == "web"
    suzani("revoke", str(listed[0]["key_id"]))
    suzani("revoke", "999", code=3)
    assert json.loads(suzani("list", "--json"))[0]["revoked_at"]
    assert "web" in suzani("list")
