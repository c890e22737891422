"""What follows when subjects, persons or rules change without a new event."""

from __future__ import annotations

from suzani import segments, stitching
from suzani.activity import SEGMENTS, every_subject
from suzani.stitching import Cause, Name, NewChange
from tests.activity.stage import START, Stage, track, with_a_bank
from tests.profiles import bank


def by_steward(stage: Stage) -> NewChange:
    return NewChange(Cause.STEWARD, stage.now, "ann", "seen the logs")


async def test_events_traits_and_segments_follow_a_separation_and_its_undo(stage: Stage) -> None:
    await stage.happen(*(track("App Opened", anonymous="a1") for _ in range(3)))
    await stage.happen(track("", "u1", "a1", type="identify"), track("App Opened", "u1"))
    joined = await stage.view("user_id:u1")
    assert (joined["events"], joined["traits"]["app_sessions_7d"]) == (5, 4)
    rules = stage.rules().identifiers
    async with stage.platform.db.transaction() as tx:
        change = await stitching.separate(tx, rules, Name("anonymous_id", "a1"), by_steward(stage))
    await stage.refresh()
    user, visitor = await stage.view("user_id:u1"), await stage.view("anonymous_id:a1")
    assert user["subject_id"] != visitor["subject_id"]
    assert (user["traits"]["app_sessions_7d"], visitor["traits"]["app_sessions_7d"]) == (1, 3)
    assert ("active_app_users" in user["segments"], "active_app_users" in visitor["segments"]) == (
        False,
        True,
    )
    async with stage.platform.db.transaction() as tx:
        await stitching.undo(tx, rules, change.change_id, by_steward(stage))
    await stage.refresh()
    again = await stage.view("user_id:u1")
    assert again | {"subject_id": 0} == joined | {"subject_id": 0}
    assert again == await stage.view("anonymous_id:a1")


async def test_persons_without_events_are_in_segments_too(stage: Stage) -> None:
    await with_a_bank(stage)
    view = await stage.view(f"person:{bank.KARIMOV}")
    assert view["person_id"] == bank.KARIMOV
    assert "adults" in view["segments"]
    assert view["profile"]["family_name"]
    assert view["consent"]["marketing"] == "denied"


async def test_a_changed_profile_changes_segments_without_an_event(stage: Stage) -> None:
    await with_a_bank(stage)
    await stage.read(SEGMENTS)
    async with stage.platform.db.transaction() as tx:
        await tx.execute(
            "update profiles.profile set birth_date = %s where person_id = %s", [START.date(), bank.KARIMOV]
        )
        await tx.execute(
            "insert into stitching.affected (subject_id, moved) "
            "select subject_id, false from stitching.subject where person_id = %s",
            [bank.KARIMOV],
        )
    await stage.refresh()
    assert "adults" not in (await stage.view(f"person:{bank.KARIMOV}"))["segments"]
    assert await stage.read(SEGMENTS)


async def test_a_preview_counts_persons_and_visitors(stage: Stage) -> None:
    await with_a_bank(stage)
    await stage.happen(track("App Opened", anonymous="a1"))
    async with stage.platform.db.transaction() as tx:
        reader = every_subject(stage.platform.settings)
        found = await segments.preview(tx, stage.rules().segments, ["adults"], reader, stage.now)
        subjects = await (await tx.execute("select count(*) as n from stitching.subject")).fetchone()
    assert subjects is not None
    assert found.subjects == subjects["n"]
    assert 4 <= found.sizes["adults"] < found.subjects
