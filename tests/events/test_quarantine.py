"""What could not be taken is kept as it came, and goes through the log again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from suzani.events import Origin, Reason, Violation, checkup, drop_settled, encode, quarantine
from suzani.events.replaying import changed, refused_later, replay
from suzani.infra.bus import Bus, open_bus
from suzani.infra.platform import Platform
from suzani.infra.settings import Settings
from suzani.kernel import InvalidInput, now
from suzani.main import app
from tests.events.collecting import collecting, log_of, quarantine_of

ORIGIN = Origin("web", "web", 1_795_340_000_000_000, context=b'{"a":{"event":1},"event":2}')
RAW = b'{"type":"track","event":"Card Authorised","userId":"u1","messageId":"m1"}'
WRONG = [Violation(Reason.SCHEMA, "properties", "amount is missing"), Violation(Reason.SCHEMA, "b", "c")]


@pytest.fixture
async def bus(platform: Platform) -> AsyncIterator[Bus]:
    async with open_bus(platform.db, platform.settings) as opened:
        yield opened


async def keep(platform: Platform, *values: bytes) -> None:
    async with platform.db.transaction() as tx:
        await quarantine(tx, [(value, WRONG) for value in values], now())


async def send_again(platform: Platform, bus: Bus, fixes: dict[int, bytes] | None = None) -> list[str]:
    events = await quarantine_of(platform, state=None)
    async with platform.db.transaction() as tx:
        return [one.state for one in await replay(tx, bus, events, now(), fixes)]


@given(st.binary() | st.just(RAW), st.sampled_from(["", "abc123"]))
def test_an_envelope_is_told_apart_without_loss(raw: bytes, message_id: str) -> None:
    value = encode(ORIGIN, raw, message_id)
    kept = refused_later(value, WRONG)
    if kept.head:
        assert (kept.head, kept.raw, kept.message_id) == (ORIGIN.head, raw.strip(), message_id)
    else:
        assert kept.raw == value


async def test_a_replayed_event_is_the_same_message_on_the_log(platform: Platform, bus: Bus) -> None:
    await keep(platform, encode(ORIGIN, RAW))
    [kept] = await quarantine_of(platform)
    assert (kept.raw, kept.source, kept.reason) == (RAW, "web", Reason.SCHEMA)
    assert kept.detail == "amount is missing; b: c"
    assert await send_again(platform, bus) == ["replayed"]
    [event] = await log_of(platform, bus)
    assert (event.message_id, event.context["event"]) == ("m1", 2)
    assert await quarantine_of(platform) == []


async def test_white_space_around_an_event_does_not_disturb_its_replay(platform: Platform, bus: Bus) -> None:
    await keep(platform, encode(ORIGIN, b"\n" + RAW + b"\r\n"), encode(ORIGIN, b" " + RAW + b" ", "abc"))
    assert await send_again(platform, bus) == ["replayed"]
    [event] = await log_of(platform, bus)
    assert (event.message_id, event.name) == ("m1", "Card Authorised")


async def test_a_second_replay_sends_nothing(platform: Platform, bus: Bus) -> None:
    await keep(platform, encode(ORIGIN, RAW))
    await send_again(platform, bus)
    assert await send_again(platform, bus) == ["replayed"]
    assert len(await log_of(platform, bus)) == 1


async def test_an_event_refused_again_is_open_again_and_counted(platform: Platform, bus: Bus) -> None:
    await keep(platform, encode(ORIGIN, RAW))
    await send_again(platform, bus)
    await keep(platform, encode(ORIGIN, RAW))
    [kept] = await quarantine_of(platform)
    assert kept.times == 2


async def test_what_is_still_wrong_stays_and_a_fix_lets_it_go(platform: Platform, bus: Bus) -> None:
    await keep(platform, encode(ORIGIN, b'{"type":"track"}'))
    assert await send_again(platform, bus) == ["open"]
    [kept] = await quarantine_of(platform)
    fixed = changed(kept, {"event": "Card Authorised", "userId": "u9", "properties.amount": 12.5})
    assert await send_again(platform, bus, {kept.quarantine_id: fixed}) == ["replayed"]
    [event] = await log_of(platform, bus)
    assert (event.user_id, event.properties) == ("u9", {"amount": 12.5})
    [settled] = await quarantine_of(platform, state=None)
    assert (settled.raw, settled.note) == (b'{"type":"track"}', "with a fix")


async def test_bytes_that_are_no_envelope_are_kept_too(platform: Platform, bus: Bus) -> None:
    await keep(platform, b"\x00\xff{", b"")
    assert {one.raw for one in await quarantine_of(platform)} == {b"\x00\xff{", b""}
    assert await send_again(platform, bus) == ["open", "open"]


def test_a_place_inside_a_value_cannot_be_set() -> None:
    kept: Any = type("Kept", (), {"raw": b'{"event":"x"}', "quarantine_id": 1})
    with pytest.raises(InvalidInput):
        changed(kept, {"event.name": 1})


async def test_commands_and_route_show_what_is_in_quarantine(platform: Platform) -> None:
    async with collecting(platform) as collector:
        await collector.post("/v1/batch", {"batch": [{"type": "page"}, {"type": "track", "userId": "u"}]})
        headers = {"host": "localhost"}
        listed = (await collector.http.get("/v1/events/quarantine", headers=headers)).json()
        raws = {one["reason"]: json.loads(one["raw"]) for one in listed["events"]}
        assert raws == {
            "missing_identity": {"type": "page"},
            "missing_name": {"type": "track", "userId": "u"},
        }
        assert listed["counts"][0]["events"] == 1
        one = await collector.http.get("/v1/events/quarantine?reason=missing_name&limit=1", headers=headers)
        assert len(one.json()["events"]) == 1
        wrong = await collector.http.get("/v1/events/quarantine?state=lost", headers=headers)
        assert wrong.status_code == 422


@pytest.fixture
def commands(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings.to_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "200")


def suzani(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["events", "quarantine", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.stdout


def test_from_a_refused_event_to_an_empty_quarantine(commands: None, settings: Settings) -> None:
    import asyncio

    from suzani.infra.db import Database

    async def fill() -> None:
        db = await Database.connect(settings.database_url or "")
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        await keep(Platform(settings, db), encode(ORIGIN, b'{"type":"track","userId":"u"}'), b"junk")
        await db.close()

    asyncio.run(fill())
    first, second = sorted(json.loads(suzani("list", "--json")), key=lambda one: one["raw"], reverse=True)
    assert "junk" in suzani("show", second["quarantine_id"])
    assert json.loads(suzani("show", first["quarantine_id"], "--json"))["raw_bytes"] == 29
    suzani("show", 999, code=3)
    suzani("list", "--state", "lost", code=3)
    suzani("replay", code=2)
    suzani("replay", "--all", code=2)
    suzani("replay", first["quarantine_id"], "--set", "event", code=2)
    suzani("replay", first["quarantine_id"], "--set", "event=Page Left")
    suzani("dismiss", second["quarantine_id"], "--reason", "not ours")
    assert json.loads(suzani("list", "--json")) == []
    assert {one["note"] for one in json.loads(suzani("list", "--state", "all", "--json"))} == {
        "with a fix",
        "not ours",
    }


async def test_what_was_settled_is_dropped_in_the_end_and_what_is_open_never(
    platform: Platform, bus: Bus
) -> None:
    await keep(platform, encode(ORIGIN, RAW))
    await send_again(platform, bus)
    await keep(platform, encode(ORIGIN, RAW.replace(b"m1", b"m2")))
    days = platform.settings.quarantine_days
    assert await drop_settled(platform, now() + timedelta(days=days - 1)) == 0
    assert await drop_settled(platform, now() + timedelta(days=days + 1)) == 1
    [kept] = await quarantine_of(platform, state=None)
    assert kept.state == "open"


async def test_the_doctor_says_how_much_there_is_and_complains_when_nobody_looks_after_it(
    platform: Platform,
) -> None:
    await keep(platform, *(encode(ORIGIN, RAW.replace(b"m1", b"m%d" % n)) for n in range(3)))
    findings = await checkup.look(platform)
    assert (findings.shown, findings.problems) == ({"quarantine": {"open": 3}}, [])
    [complaint] = checkup.judged({"open": 10_001, "dismissed": 3}).problems
    assert complaint.startswith("10,001 events are in quarantine")
