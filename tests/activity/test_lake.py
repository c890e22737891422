"""Events in the lake: what the log accepted, each event once, in columns that any engine reads."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from suzani.activity.accepted import ACCEPTED, Accepted, accepted_messages, accepted_of
from suzani.activity.lake import EVENT_SCHEMA, events_table, fill_lake
from suzani.activity.rows import body_of
from suzani.events import Event, EventType
from suzani.infra.bus import Message, Received
from suzani.infra.bus.postgres import PostgresBus
from suzani.infra.db import Database
from suzani.infra.lake import Lake

AT = int(datetime(2026, 11, 22, 9, tzinfo=UTC).timestamp() * 1_000_000)


def event(number: int, **more: object) -> Event:
    given = {"message_id": f"m{number}", "source": "app", "type": EventType.TRACK, "name": "Payment Made"}
    return Event(
        message=number.to_bytes(16),
        at=AT + number,
        received_at=AT + number + 5,
        **given | more,  # type: ignore[arg-type]
    )


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.dictionaries(texts, st.none() | texts | st.integers(-(2**60), 2**60) | st.lists(texts, max_size=3)))
def test_an_event_comes_back_from_its_row(properties: dict[str, object]) -> None:
    known = event(1, properties=properties, user_id="u", context={"ip": "10.0.0.1"}, channel="web")
    [message] = accepted_messages([known], [body_of(known)], [7], [8])
    assert accepted_of(message.value) == Accepted(7, 8, known)
    table = events_table([Received(0, 0, *message)])
    assert table.schema == EVENT_SCHEMA
    [row] = table.to_pylist()
    assert (row["identifier_id"], row["subject_id"]) == (7, 8)
    assert json.loads(row["properties"]) == properties
    assert json.loads(row["context"]) == {"ip": "10.0.0.1"}
    assert (row["message"], row["type"], row["user_id"], row["anonymous_id"]) == (
        known.message,
        "track",
        "u",
        None,
    )
    assert int(row["at"].timestamp() * 1_000_000) == known.at


def test_an_event_that_says_nothing_is_a_message_too() -> None:
    known = event(1, message_id="")
    [message] = accepted_messages([known], [body_of(known)], [0], [0])
    assert accepted_of(message.value) == Accepted(0, 0, known)


async def test_every_accepted_event_is_in_the_lake_once(database: Database, tmp_path: Path) -> None:
    lake, stop = Lake(tmp_path / "lake"), asyncio.Event()
    bus = PostgresBus(database, partitions=4, keep_hours=24)
    events = [event(number, properties={"amount": number}) for number in range(500)]
    async with asyncio.TaskGroup() as group:
        group.create_task(fill_lake(database, bus, lake, stop=stop, pace_seconds=0.05))
        for start in range(0, 500, 100):
            some = events[start : start + 100]
            bodies = list(map(body_of, some))
            async with database.transaction() as tx:
                await bus.append(tx, ACCEPTED, accepted_messages(some, bodies, [1] * 100, list(range(100))))
        await bus.send(ACCEPTED, [Message(b"", b"no event")])
        async with asyncio.timeout(60):
            while len(seen(lake)) < 500 or not list(lake.folder.glob("events_refused/*/*")):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        stop.set()
    assert sorted(seen(lake)) == list(range(500))


def seen(lake: Lake) -> list[int]:
    """The amounts in the lake, as an engine reads them that knows of nothing but the folder."""
    if not list(lake.folder.glob("events/*/*.parquet")):
        return []
    query = f"select (properties::json ->> 'amount')::integer from '{lake.folder}/events/**/*.parquet'"
    return [amount for (amount,) in duckdb.connect().execute(query).fetchall()]
