from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from typer.testing import CliRunner, Result

from suzani.infra.platform import Platform
from suzani.main import app
from tests.stitching.stream import seen, take

Run = Callable[..., Awaitable[Result]]
WHY = ("--reason", "father and son", "--actor", "ann")


@pytest.fixture
async def subject(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`suzani subject` where a visitor joined a user."""
    await take(platform, seen(1, anonymous_id="a"))
    await take(platform, seen(2, user_id="u"))
    await take(platform, seen(3, user_id="u", anonymous_id="a"))
    monkeypatch.setenv("SUZANI_DATABASE_URL", platform.db.url)

    async def run(*words: object) -> Result:
        given = ["subject", *map(str, words), "--data", str(platform.data_dir)]
        return await asyncio.to_thread(CliRunner().invoke, app, given)

    return run


async def test_a_subject_is_shown_separated_and_put_together_again(subject: Run) -> None:
    shown = (await subject("show", "anonymous_id:a")).stdout
    assert "not known as a person" in shown
    assert "joined" in shown
    data = json.loads((await subject("show", "user_id:u", "--json")).stdout)
    assert {one["value"] for one in data["identifiers"]} == {"a", "u"}
    assert data["links"][0]["verdict"] == ""

    done = json.loads((await subject("separate", "anonymous_id:a", *WHY, "--json")).stdout)
    assert [move["value"] for move in done["moves"]] == ["a"]
    assert "steward by ann" in (await subject("history", "user_id:u")).stdout
    undone = await subject("undo", done["change_id"], *WHY)
    assert "To undo: suzani subject undo" in undone.stdout
    changes = json.loads((await subject("history", "anonymous_id:a", "--json")).stdout)["changes"]
    assert [change["cause"] for change in changes] == ["event", "steward", "undo"]
    again = await subject("undo", done["change_id"], *WHY)
    assert again.exit_code == 4


async def test_who_is_not_known_is_not_found(subject: Run) -> None:
    for name in ("user_id:nobody-has-this", "person:1", "subject:x", "shoe_size:44"):
        assert (await subject("show", name)).exit_code == 3


async def test_following_by_hand_says_what_it_did(subject: Run) -> None:
    assert "0 new subjects" in (await subject("follow")).stdout
