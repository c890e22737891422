from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from suzani.infra.db import Database, Tx
from suzani.kernel import now
from suzani.segments import Change, Facts, apply_changes, cli, load_rules, put_in_force
from suzani.traits import load_plan


async def everyone(tx: Tx, /) -> AsyncIterator[Sequence[tuple[int, Facts]]]:
    """Three subjects with one, two and three sessions."""
    await tx.execute("select 1")
    yield [(n, Facts(traits={"app_sessions_7d": n})) for n in (1, 2)]
    yield [(3, Facts(traits={"app_sessions_7d": 3}))]


APP = typer.Typer()
cli.register(APP, lambda settings: everyone)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with the shipped segments in force, and one member of one."""
    monkeypatch.setenv("SUZANI_DATABASE_URL", database_url)
    monkeypatch.setenv("SUZANI_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    asyncio.run(_fill(database_url))
    return tmp_path


async def _fill(url: str) -> None:
    db = await Database.connect(url)
    async with db.transaction() as tx:
        await put_in_force(tx, load_rules(None, load_plan()), now())
        await apply_changes(tx, [Change(7, "adults", entered=True, at=now())], now())
    await db.close()


def suzani(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(APP, ["segment", *map(str, arguments)])
    assert result.exit_code == code, result.output + result.stderr
    return result


def test_segments_are_listed_with_their_members(data: Path) -> None:
    (data / "segments.yaml").write_text("segments: {mine: {profile.city: Nukus}}")
    listed = {segment["name"]: segment for segment in json.loads(suzani("list", "--json").stdout)}
    assert (listed["adults"]["members"], listed["reachable"]["members"]) == (1, 0)
    assert listed["mine"]["members"] is None
    assert "not in force" in suzani("list").stdout


def test_a_segment_is_shown_with_its_rule() -> None:
    shown = json.loads(suzani("show", "loan_offer", "--json").stdout)
    assert shown["builds_on"] == ["adults", "loan_intent", "open_complaint", "reachable"]
    assert "segments.reachable: true" in suzani("show", "loan_offer").stdout
    assert "Did you mean 'adults'?" in suzani("show", "adult", code=3).stderr


def test_members_are_shown_a_page_at_a_time() -> None:
    (member,) = json.loads(suzani("members", "adults", "--json").stdout)
    assert member["subject_id"] == 7
    assert json.loads(suzani("members", "adults", "--after", 7, "--json").stdout) == []
    assert "7" in suzani("members", "adults").stdout
    suzani("members", "nobody", code=3)


def test_a_segment_is_previewed_before_it_is_put_in_force(data: Path) -> None:
    (data / "try.yaml").write_text("segments: {tried: {segments.active_app_users: false}}")
    found = json.loads(suzani("preview", "--file", data / "try.yaml", "--json").stdout)
    assert (found["subjects"], found["sizes"], found["sample"]) == (3, {"tried": 2}, {"tried": [1, 2]})
    assert "33.3%" in suzani("preview", "active_app_users").stdout
    suzani("preview", code=2)
    suzani("preview", "nobody", code=3)
    suzani("preview", "--file", data / "none.yaml", code=2)


def test_segments_are_checked_together_with_traits(data: Path) -> None:
    assert "segments are sound" in suzani("check").stderr
    (data / "traits.yaml").write_text("traits: {app_sessions_7d: null}")
    assert "active_app_users" in suzani("check", code=2).stderr
