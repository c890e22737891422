from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suzani import events
from suzani.activity import SEGMENTS, accepted_of
from suzani.activity.processing import Processor
from suzani.activity.recomputing import recomputed
from suzani.activity.store import states
from suzani.infra.bus import Message
from tests.activity.stage import DAY, MINUTE, START, Stage, track


async def test_an_event_is_kept_and_counts_on_the_profile(stage: Stage) -> None:
    await stage.happen(track("App Opened", "u1", at=START - MINUTE))
    [kept] = await stage.kept()
    assert (kept["name"], kept["source"], kept["channel"], kept["at"]) == (
        "App Opened",
        "site",
        "web",
        START - MINUTE,
    )
    view = await stage.view("user_id:u1")
    assert view["events"] == 1
    assert view["traits"]["app_sessions_7d"] == 1
    assert view["last_event_at"] == START - MINUTE


async def test_the_same_message_counts_once_in_one_batch_and_in_later_ones(stage: Stage) -> None:
    again = track("App Opened", "u1", messageId="same")
    await stage.happen(dict(again), dict(again))
    await stage.happen(dict(again), track("App Opened", "u1"))
    assert len(await stage.kept()) == 2
    assert (await stage.view("user_id:u1"))["traits"]["app_sessions_7d"] == 2


async def test_what_the_catalogue_refuses_is_in_quarantine_and_the_rest_takes_effect(stage: Stage) -> None:
    await stage.happen(
        track("Card Authorised", "u1", properties={"amount": "a lot", "currency": "UZS"}),
        track("App Opened", "u1"),
    )
    [refused] = await stage.quarantined()
    assert refused["place"] == "properties.amount"
    assert [event["name"] for event in await stage.kept()] == ["App Opened"]


async def test_what_is_no_event_at_all_is_in_quarantine(stage: Stage) -> None:
    await stage.bus.send("events", [Message(b"k", b"\x00 no envelope")])
    await stage.happen(track("App Opened", "u1"))
    assert len(await stage.quarantined()) == 1
    assert len(await stage.kept()) == 1


async def test_the_history_of_a_visitor_becomes_that_of_the_user_who_signs_in(stage: Stage) -> None:
    await stage.happen(track("App Opened", anonymous="a1"), track("App Opened", anonymous="a1"))
    assert (await stage.view("anonymous_id:a1"))["events"] == 2
    await stage.happen(track("App Opened", "u1"))
    await stage.happen(track("", "u1", "a1", type="identify"))
    view = await stage.view("user_id:u1")
    assert (view["events"], view["traits"]["app_sessions_7d"]) == (4, 3)
    assert view["subject_id"] == (await stage.view("anonymous_id:a1"))["subject_id"]


async def test_who_enters_a_segment_is_told_on_the_log(stage: Stage) -> None:
    await stage.happen(*(track("App Opened", "u1") for _ in range(3)))
    [entered] = [msgspec.json.decode(message.value) for message in await stage.read(SEGMENTS)]
    assert (entered["segment"], entered["entered"]) == ("active_app_users", True)
    assert (await stage.view("user_id:u1"))["segments"].keys() == {"active_app_users"}


async def test_who_is_joined_to_another_leaves_segments_under_the_old_name(stage: Stage) -> None:
    for who in ({"anonymous": "a1"}, {"user": "u1"}):
        await stage.happen(*(track("App Opened", **who) for _ in range(3)))
    await stage.read(SEGMENTS)
    await stage.happen(track("", "u1", "a1", type="identify"))
    [left] = [msgspec.json.decode(message.value) for message in await stage.read(SEGMENTS)]
    assert (left["segment"], left["entered"]) == ("active_app_users", False)
    assert left["subject_id"] != (await stage.subject("user_id:u1")).subject_id


async def test_time_alone_takes_out_of_a_segment(stage: Stage) -> None:
    await stage.happen(*(track("App Opened", "u1", at=START) for _ in range(3)))
    await stage.refresh()
    stage.now = START + 8 * DAY
    await stage.refresh()
    assert "active_app_users" not in (await stage.view("user_id:u1"))["segments"]


async def test_what_took_effect_is_told_on_the_log_with_whose_it_is(stage: Stage) -> None:
    await stage.happen(track("App Opened", "u1"), track("App Opened", "u1", messageId="m1"))
    [message] = await stage.read("accepted")
    told = accepted_of(message.value)
    assert told.subject_id == (await stage.subject("user_id:u1")).subject_id
    assert told.event.user_id == "u1"


async def test_changed_rules_hold_for_everyone_and_new_traits_know_the_past(stage: Stage) -> None:
    await stage.happen(*(track("App Opened", "u1") for _ in range(2)))
    await stage.refresh()
    (stage.platform.data_dir / "traits.yaml").write_text(
        "traits:\n  visits: {title: Visits, kind: count, events: App Opened}\n"
    )
    (stage.platform.data_dir / "segments.yaml").write_text(
        "segments:\n  visitors: {traits.visits: {gte: 2}}\n"
    )
    stage.rules.look_again()
    await stage.rules.refresh()
    await stage.refresh()
    view = await stage.view("user_id:u1")
    assert view["traits"]["visits"] == 2
    assert "visitors" in view["segments"]


_USERS = st.sampled_from(["u1", "u2", None])
_VISITORS = st.sampled_from(["a1", "a2", "a3", None])
_NAMES = st.sampled_from(["App Opened", "Card Authorised", "Call Ended", "Branch Visited"])


@st.composite
def _events(draw: st.DrawFn) -> dict[str, object]:
    user, visitor = draw(_USERS), draw(_VISITORS)
    name = draw(_NAMES)
    properties = (
        {"amount": draw(st.integers(1, 10**6)) / 100, "currency": "UZS"} if name.startswith("Card") else {}
    )
    at = START - draw(st.integers(0, 60)) * DAY
    return track(name, user, visitor if user or visitor else "a1", at=at, properties=properties)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_events(), min_size=1, max_size=25), st.integers(1, 9))
async def test_a_stream_in_any_batches_leaves_what_recomputing_gives(
    stage: Stage, stream: list[dict[str, object]], batch: int
) -> None:
    await _same_when_recomputed(stage, stream, batch)


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_remembered_of_long_streams_is_what_recomputing_gives(stage: Stage, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(12):
        stream = []
        for _ in range(chance.randint(1, 25)):
            user, visitor = chance.choice(["u1", "u2", None]), chance.choice(["a1", "a2", "a3", None])
            at = START - chance.choice([0, 1, 5, 60, 1440]) * MINUTE
            stream.append(track("App Opened", user, visitor if user or visitor else "a1", at=at))
        await _same_when_recomputed(stage, stream, chance.randint(1, 9))


async def _same_when_recomputed(stage: Stage, stream: list[dict[str, object]], batch: int) -> None:
    await stage.send(*stream)
    await stage.process(batch)
    await stage.refresh()
    plan = stage.rules().traits
    async with stage.platform.db.transaction() as tx:
        rows = await (
            await tx.execute("select subject_id from stitching.subject where merged_into is null")
        ).fetchall()
        subjects = [row["subject_id"] for row in rows]
        kept = await states(tx, plan, subjects)
        again = await recomputed(tx, stage.rules(), subjects)
    at = 1_000_000 * int(stage.now.timestamp())
    for subject in subjects:
        assert plan.values(kept[subject].traits, at) == plan.values(again[subject].traits, at)
        assert kept[subject].events == again[subject].events
        assert (kept[subject].first_at, kept[subject].last_at) == (
            again[subject].first_at,
            again[subject].last_at,
        )
    assert sum(state.events for state in kept.values()) == len(await stage.kept())


@pytest.mark.parametrize("batch", [1, 7])
async def test_events_of_nobody_are_kept(stage: Stage, batch: int) -> None:
    await stage.send(track("App Opened", anonymous="anonymous"), track("App Opened", "undefined"))
    await stage.process(batch)
    assert [event["identifier_id"] for event in await stage.kept()] == [0, 0]


async def test_a_state_that_cannot_be_read_is_computed_anew(stage: Stage) -> None:
    await stage.happen(track("App Opened", "u1"), track("App Opened", "u2"))
    async with stage.platform.db.transaction() as tx:
        await tx.execute(
            "update activity.subject_state set state = '', events = 0, next_change = %s", [START]
        )
    await stage.happen(track("App Opened", "u1"))
    await stage.refresh()
    for name, times in (("u1", 2), ("u2", 1)):
        view = await stage.view(f"user_id:{name}")
        assert (view["events"], view["traits"]["app_sessions_7d"]) == (times, times)


async def test_what_was_not_committed_is_not_remembered(stage: Stage) -> None:
    await stage.happen(track("App Opened", "u1"))
    await stage.send(track("App Opened", "u1"), track("App Opened", "u2", "a2"))
    batch = await stage.read(events.TOPIC)
    async with stage.platform.db.pool.connection() as tx, tx.transaction(force_rollback=True):
        await stage.processor.handle(tx, batch)
    for _ in range(2):
        async with stage.platform.db.transaction() as tx:
            await stage.processor.handle(tx, batch)
    for name, times in (("user_id:u1", 2), ("anonymous_id:a2", 1)):
        view = await stage.view(name)
        assert (view["events"], view["traits"]["app_sessions_7d"]) == (times, times)


async def test_two_who_share_the_work_remember_nothing_that_the_other_changed(stage: Stage) -> None:
    other = Processor(stage.bus, stage.rules, lambda event: (), lambda: stage.now)
    for turn in range(6):
        await stage.happen(track("App Opened", "u1"), track("App Opened", anonymous="a1"))
        await stage.refresh()
        stage.processor, other = other, stage.processor
        if turn == 3:
            await stage.happen(track("", "u1", "a1", type="identify"))
    view = await stage.view("anonymous_id:a1")
    assert view["subject_id"] == (await stage.view("user_id:u1"))["subject_id"]
    assert (view["events"], view["traits"]["app_sessions_7d"]) == (13, 12)
    assert view["segments"].keys() == {"active_app_users"}
