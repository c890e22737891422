"""What people decide about subjects takes effect at once, and can be taken back."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suzani.events import Event
from suzani.infra.db import Tx
from suzani.infra.platform import Platform
from suzani.kernel import Conflict, InvalidInput, NotFound
from suzani.stitching import (
    Cause,
    Change,
    Memory,
    Name,
    NewChange,
    Verdict,
    current_subject,
    find,
    history,
    identifiers,
    links,
    separate,
    stitch,
    undo,
)  # fmt: skip
from suzani.stitching.stewarding import block_shared
from tests.stitching.stream import NOW, RULES, cut, parts, rows, seen, subjects, take, together
from tests.stitching.test_order import consistent, cuts, made, server, streams

__all__ = ["server"]

A, U = Name("anonymous_id", "a"), Name("user_id", "u")


def by(reason: str = "father and son") -> NewChange:
    return NewChange(Cause.STEWARD, NOW, "ann", reason)


async def apart(platform: Platform, name: Name) -> Change:
    async with platform.db.transaction() as tx:
        return await separate(tx, RULES, name, by())


async def taken_back(platform: Platform, change_id: int) -> Change:
    async with platform.db.transaction() as tx:
        return await undo(tx, RULES, change_id, by("a mistake"))


async def test_who_remembers_notices_what_people_decide(platform: Platform) -> None:
    memory, said = Memory(), {"user_id": "u", "anonymous_id": "a"}

    async def again(*events: Event) -> list[int]:
        async with platform.db.transaction() as tx:
            return [*(await stitch(tx, RULES, events, NOW, memory)).subject_of]

    first = await again(seen(1, **said), seen(2, anonymous_id="a"))
    assert first == await again(seen(3, **said), seen(4, anonymous_id="a"))
    await apart(platform, A)
    user, visitor = await again(seen(5, **said), seen(6, anonymous_id="a"))
    assert user == first[0] != visitor
    assert [user, visitor] == await again(seen(7, **said), seen(8, anonymous_id="a"))
    async with platform.db.transaction() as tx:
        [alone] = [one for one in await identifiers(tx, [visitor]) if one.value == "a"]
        await block_shared(tx, RULES, [alone.identifier_id], by())
    assert [user, visitor] == await again(seen(9, **said), seen(10, anonymous_id="a"))
    async with platform.db.transaction() as tx:
        assert (
            alone.identifier_id
            not in (await stitch(tx, RULES, [seen(11, **said)], NOW, memory)).identifier_of
        )


async def test_a_separated_visitor_leaves_with_what_hangs_on_it(platform: Platform) -> None:
    found = await take(
        platform,
        seen(1, user_id="u", anonymous_id="a", email="u@bank.uz"),
        seen(2, anonymous_id="a", device_id="d"),
    )
    change = await apart(platform, A)
    assert await together(platform) == {frozenset({"u", "u@bank.uz"}), frozenset({"a", "d"})}
    assert (change.cause, change.actor, change.reason) == (Cause.STEWARD, "ann", "father and son")
    assert {move.value: move.from_subject for move in change.moves} == dict.fromkeys(
        "ad", found.subject_of[0]
    )
    again = await take(
        platform, seen(3, user_id="u", anonymous_id="a"), seen(0, user_id="u", anonymous_id="a")
    )
    assert await together(platform) == {frozenset({"u", "u@bank.uz"}), frozenset({"a", "d"})}
    assert again.subject_of[0] == found.subject_of[0]


async def test_what_was_separated_goes_to_whom_it_was_seen_with_next(platform: Platform) -> None:
    await take(platform, seen(1, user_id="u", anonymous_id="a"), seen(2, user_id="son", anonymous_id="a"))
    change = await apart(platform, A)
    assert await together(platform) == {frozenset({"u"}), frozenset({"a", "son"})}
    await taken_back(platform, change.change_id)
    assert await together(platform) == {frozenset({"u", "a"}), frozenset({"son"})}


async def test_joining_by_an_event_can_be_undone_and_that_too(platform: Platform) -> None:
    [user] = (await take(platform, seen(1, user_id="u", email="u@bank.uz"))).subject_of
    [visitor] = (await take(platform, seen(2, anonymous_id="a", device_id="d"))).subject_of
    found = await take(platform, seen(3, user_id="u", anonymous_id="a"))
    [change] = await rows(platform, "select * from stitching.change")
    undone = await taken_back(platform, change["change_id"])
    assert undone.undoes == change["change_id"]
    async with platform.db.transaction() as tx:
        now = await subjects(tx)
    assert (now[U], now[A], now[Name("device_id", "d")]) == (user, visitor, visitor)
    with pytest.raises(Conflict, match="already"):
        await taken_back(platform, change["change_id"])
    again = await taken_back(platform, undone.change_id)
    assert await together(platform) == {frozenset({"u", "u@bank.uz", "a", "d"})}
    await taken_back(platform, change["change_id"])
    assert await together(platform) == {frozenset({"u", "u@bank.uz"}), frozenset({"a", "d"})}
    async with platform.db.transaction() as tx:
        told = await history(tx, found.subject_of[0])
    assert [one.cause for one in told] == [Cause.EVENT, Cause.UNDO, Cause.UNDO, Cause.UNDO]
    assert again.change_id in [one.change_id for one in told]


async def test_undoing_one_join_leaves_the_others_of_its_batch(platform: Platform) -> None:
    await take(
        platform,
        seen(1, user_id="u"),
        seen(2, user_id="v"),
        seen(3, anonymous_id="a"),
        seen(4, anonymous_id="b"),
    )
    await take(
        platform, seen(5, user_id="u", anonymous_id="a"), seen(6, user_id="v", anonymous_id="b"),
        seen(7, user_id="u", anonymous_id="new"),
    )  # fmt: skip
    joined = {
        row["value"]: row["change_id"]
        for row in await rows(
            platform,
            "select * from stitching.move join stitching.identifier using (identifier_id)",
        )
    }
    await taken_back(platform, joined.get("a") or joined["u"])
    assert await together(platform) == {frozenset({"u", "new"}), frozenset({"a"}), frozenset({"v", "b"})}


async def test_evidence_is_shown_with_what_became_of_it(platform: Platform) -> None:
    found = await take(
        platform, seen(1, user_id="u", anonymous_id="a"), seen(2, user_id="v", anonymous_id="a")
    )
    async with platform.db.transaction() as tx:
        subject = await find(tx, RULES, "anonymous_id", " a ")
        assert subject
        assert subject.subject_id == found.subject_of[0]
        assert [one.value for one in await identifiers(tx, [subject.subject_id])] == ["u", "a"]
        shown = [
            (one.weak.value, one.strong.value, one.verdict) for one in await links(tx, subject.subject_id)
        ]
        assert shown == [("a", "u", Verdict.JOINED), ("a", "v", Verdict.TWO_KNOWN)]


async def test_what_became_part_of_another_is_found_as_that(platform: Platform) -> None:
    [visitor] = (await take(platform, seen(1, anonymous_id="a"))).subject_of
    [user] = (await take(platform, seen(2, user_id="u"))).subject_of
    await take(platform, seen(3, user_id="u", anonymous_id="a"))
    async with platform.db.transaction() as tx:
        one, other = await current_subject(tx, visitor), await current_subject(tx, user)
    assert one
    assert other
    assert one.subject_id == other.subject_id
    assert (one.asked_id, other.asked_id) == (visitor, user)


async def test_who_is_not_known_is_not_found(platform: Platform) -> None:
    async with platform.db.transaction() as tx:
        assert await find(tx, RULES, "user_id", "nobody-has-this") is None
        assert await current_subject(tx, 17) is None
        with pytest.raises(NotFound, match="shoe_size"):
            await find(tx, RULES, "shoe_size", "44")
        with pytest.raises(InvalidInput):
            await find(tx, RULES, "email", "no address")


async def test_what_cannot_be_is_refused(platform: Platform) -> None:
    await take(platform, seen(1, user_id="u"))
    with pytest.raises(Conflict, match="nothing links"):
        await apart(platform, U)
    with pytest.raises(NotFound):
        await apart(platform, A)
    with pytest.raises(NotFound):
        await taken_back(platform, 17)
    async with platform.db.transaction() as tx:
        with pytest.raises(InvalidInput, match="who decides"):
            await separate(tx, RULES, U, NewChange(Cause.STEWARD, NOW, "", "because"))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=streams, places=cuts, seed=st.integers())
def test_whatever_is_separated_comes_back_by_undoing(
    server: asyncio.Runner,
    said: list[dict[str, str] | tuple[str, str]],
    places: list[int],
    seed: int,
) -> None:
    async def decide(tx: Tx) -> None:
        for batch in cut(made(said), places):
            await stitch(tx, RULES, batch, NOW)
        before = await subjects(tx)
        source = Random(seed)
        done = []
        for name in source.sample(sorted(before), min(3, len(before))):
            try:
                done.append((await separate(tx, RULES, name, by())).change_id)
            except Conflict:
                continue
            await consistent(tx)
        for change_id in reversed(done):
            await undo(tx, RULES, change_id, by())
            await consistent(tx)
        assert parts(await subjects(tx)) == parts(before)

    async def once() -> None:
        async with server.db.pool.connection() as tx, tx.transaction(force_rollback=True):  # type: ignore[attr-defined]
            await decide(tx)

    server.run(once())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=streams, places=cuts)
def test_undoing_a_join_and_undoing_that_gives_the_same(
    server: asyncio.Runner,
    said: list[dict[str, str] | tuple[str, str]],
    places: list[int],
) -> None:
    async def decide(tx: Tx) -> None:
        for batch in cut(made(said), places):
            await stitch(tx, RULES, batch, NOW)
        before = await subjects(tx)
        for change in {
            change.change_id for subject in {*before.values()} for change in await history(tx, subject)
        }:
            try:
                undone = await undo(tx, RULES, change, by())
            except Conflict:
                continue
            await consistent(tx)
            await undo(tx, RULES, undone.change_id, by())
            assert parts(await subjects(tx)) == parts(before)

    async def once() -> None:
        async with server.db.pool.connection() as tx, tx.transaction(force_rollback=True):  # type: ignore[attr-defined]
            await decide(tx)

    server.run(once())
