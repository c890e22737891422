"""What stitching promises: whatever order events come in, and however they are cut into batches, the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suzani.events import Event
from suzani.infra.db import Database, Query, Tx, execute, fetch
from suzani.stitching import Memory, stitch
from tests.conftest import copied_database
from tests.stitching.stream import NOW, RULES, cut, event, parts, seen, subjects

_few = st.sampled_from
_names = st.fixed_dictionaries(
    {},
    optional={
        "user_id": _few(["u1", "u2", "u3"]),
        "anonymous_id": _few(["a1", "a2", "a3", "a4"]),
        "device_id": _few(["d1", "d2"]),
        "email": _few(["e1@bank.uz", "e2@bank.uz"]),
        "product_number": _few(["p1", "p2"]),
    },
).filter(bool)
_aliases = st.tuples(_few(["u1", "u2", "u3"]), _few(["u2", "u3", "a1", "a2"]))
streams = st.lists(st.one_of(_names, _names, _names, _aliases), min_size=1, max_size=14)
cuts = st.lists(st.integers(0, 20), max_size=6)


def made(said: list[dict[str, str] | tuple[str, str]]) -> list[Event]:
    return [
        event(n, "alias", user_id=one[0], previous_id=one[1]) if isinstance(one, tuple) else seen(n, **one)
        for n, one in enumerate(said)
    ]


@pytest.fixture(scope="module")
def server(postgres_url: str, template_database: str) -> Iterator[asyncio.Runner]:
    """A loop that outlives examples, with a database that they empty again."""
    url = copied_database(postgres_url, template_database, "suzani_stitching_order")
    with asyncio.Runner() as runner:
        runner.db = runner.run(Database.connect(url, pool_size=2))  # type: ignore[attr-defined]
        yield runner
        runner.run(runner.db.close())  # type: ignore[attr-defined]


async def outcome(tx: Tx, batches: list[list[Event]], memory: Memory | None = None) -> set[frozenset[str]]:
    """Who is together once all batches are in."""
    assert await subjects(tx) == {}
    for batch in batches:
        found = await stitch(tx, RULES, batch, NOW, memory)
        rows = await fetch(tx, Query("select identifier_id, subject_id from stitching.identifier"))
        now = {row["identifier_id"]: row["subject_id"] for row in rows}
        assert [now[one] for one in found.identifier_of] == [*found.subject_of]
    await consistent(tx)
    return parts(await subjects(tx))


async def consistent(tx: Tx) -> None:
    """What must hold of the tables at any time."""
    wrong = Query(
        "select i.identifier_id from stitching.identifier i join stitching.subject s using (subject_id)"
        " where s.merged_into is not null"
        " union all select l.weak_id from stitching.link l"
        " join stitching.identifier a on a.identifier_id = l.weak_id"
        " join stitching.identifier b on b.identifier_id = l.strong_id"
        " where l.joined and a.subject_id <> b.subject_id"
    )
    assert await execute(tx, wrong) == 0


def run(
    server: asyncio.Runner, batches: list[list[Event]], memory: Memory | None = None
) -> set[frozenset[str]]:
    async def once() -> set[frozenset[str]]:
        async with server.db.pool.connection() as tx, tx.transaction(force_rollback=True):  # type: ignore[attr-defined]
            return await outcome(tx, batches, memory)

    return server.run(once())


_unhurried = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_unhurried
@given(said=streams, one=cuts, other=cuts)
def test_a_stream_cut_into_batches_differently_gives_the_same(
    server: asyncio.Runner, said: list[dict[str, str]], one: list[int], other: list[int]
) -> None:
    events = made(said)
    assert run(server, cut(events, one)) == run(server, cut(events, other))


@_unhurried
@given(said=streams, places=cuts, seed=st.integers())
def test_events_in_any_order_give_the_same(
    server: asyncio.Runner, said: list[dict[str, str]], places: list[int], seed: int
) -> None:
    events = made(said)
    shuffled = Random(seed).sample(events, len(events))
    assert run(server, cut(shuffled, places)) == run(server, [events])


@_unhurried
@given(said=streams, one=cuts, other=cuts)
def test_who_remembers_what_was_settled_says_the_same(
    server: asyncio.Runner, said: list[dict[str, str]], one: list[int], other: list[int]
) -> None:
    events = made(said)
    batches = [*cut(events, one), *cut(events, other), events]
    assert run(server, batches, Memory()) == run(server, batches)


@_unhurried
@given(said=streams, places=cuts)
def test_events_that_come_twice_change_nothing(
    server: asyncio.Runner, said: list[dict[str, str]], places: list[int]
) -> None:
    events = made(said)
    assert run(server, [*cut(events, places), *cut(events, places)]) == run(server, [events])
