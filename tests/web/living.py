"""Events of a person, put straight into the tables that the timeline is read from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from suzani.activity.rows import EVENT_COLUMNS
from suzani.traits import load_plan

PLAN = load_plan(None)
NO_TRAITS = PLAN.encode(PLAN.empty())
COLUMNS = ", ".join(EVENT_COLUMNS)


def happening(
    at: datetime, name: str, channel: str = "web", kind: str = "track", **properties: Any
) -> dict[str, Any]:
    """One event as it is put in."""
    body = {"message_id": f"m-{name}", "properties": properties}
    return {"at": at, "name": name, "channel": channel, "type": kind, "body": body}


def live(url: str, person_id: int, events: Sequence[Mapping[str, Any]]) -> None:
    """Let events happen to a person."""
    with psycopg.connect(url) as connection:
        subject, identifier = _known(connection, person_id)
        copying = f"copy activity.event ({COLUMNS}) from stdin"
        with connection.cursor() as cursor, cursor.copy(copying) as copy:
            for event in events:
                copy.write_row(_row(event, identifier))
        connection.execute(
            "insert into activity.subject_state (subject_id, state, events, version) values (%s, %s, %s, 1)"
            " on conflict (subject_id) do update set version = subject_state.version + 1",
            [subject, NO_TRAITS, len(events)],
        )


def _known(connection: psycopg.Connection[Any], person_id: int) -> tuple[int, int]:
    row = connection.execute(
        "select subject_id, identifier_id from stitching.subject join stitching.identifier using (subject_id)"
        " where person_id = %s",
        [person_id],
    ).fetchone()
    if row:
        return row[0], row[1]
    [subject] = connection.execute(
        "insert into stitching.subject (person_id, created_at) values (%s, now()) returning subject_id",
        [person_id],
    ).fetchone() or [0]
    [identifier] = connection.execute(
        "insert into stitching.identifier (kind, value, subject_id, first_seen)"
        " values ('user_id', %s, %s, now()) returning identifier_id",
        [f"c-{person_id}", subject],
    ).fetchone() or [0]
    return subject, identifier


def _row(event: Mapping[str, Any], identifier: int) -> tuple[Any, ...]:
    message: UUID = event.get("message") or uuid4()
    received = event["at"] + event.get("late", timedelta())
    texts = (event.get("source", "site"), event["type"], event["name"], event["channel"])
    return (message, identifier, event["at"], received, *texts, json.dumps(event["body"]))
