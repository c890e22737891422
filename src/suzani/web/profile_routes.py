"""`GET /v1/profiles/{kind}:{value}`: what channels read about somebody in real time, each with its key."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime

from suzani import activity, segments, stitching
from suzani.activity import Cursor, TimelineFilter
from suzani.kernel import InvalidInput
from suzani.stitching import Subject
from suzani.web.readers import Caller, Readers, answer

_MOST_EVENTS: Final = 500

Problems: TypeAlias = dict[int | str, dict[str, Any]]


def _caller(request: Request) -> Caller:
    return Caller(request.headers.get("authorization", ""), request.headers.get("if-none-match", ""))


Calling: TypeAlias = Annotated[Caller, Depends(_caller)]


def add_profiles(router: APIRouter, readers: Readers, problems: Problems) -> None:
    """Put the routes on the router."""
    add = router.get
    options: dict[str, Any] = {"tags": ["profiles"], "responses": problems, "response_class": Response}

    @add("/profiles/{name}", **options)
    async def profile(
        caller: Calling,
        name: str,
        fields: Annotated[str | None, Query(description="traits.spent_30_days,segments, …")] = None,
    ) -> Response:
        """A profile by any identifier: golden values, consent, products, traits, segments, identifiers."""
        return await readers.profile(caller, name, fields)

    @add("/profiles/{name}/events", **options)
    async def events(
        caller: Calling,
        name: str,
        limit: Annotated[int, Query(ge=1, le=_MOST_EVENTS)] = 50,
        before: Annotated[str | None, Query(max_length=100, description="`next` of the last page")] = None,
        channel: Annotated[list[str] | None, Query(max_length=50)] = None,
        type: Annotated[list[str] | None, Query(max_length=10)] = None,  # noqa: A002 - the parameter's name
        event: Annotated[list[str] | None, Query(max_length=50, description="Names")] = None,
        text: Annotated[str, Query(max_length=200)] = "",
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
    ) -> Response:
        """The events of somebody, newest first."""
        wanted = TimelineFilter(
            frozenset(channel or ()), frozenset(type or ()), frozenset(event or ()), text, since, until
        )
        async with readers.found(caller, name) as (tx, subject):
            page = await activity.timeline(tx, subject.subject_id, wanted, cursor_of(before), limit)
        return answer(caller, {**_who(subject), "events": page.entries, "next": cursor_text(page.next)})

    @add("/profiles/{name}/segments", **options)
    async def its_segments(caller: Calling, name: str) -> Response:
        """The segments that somebody is in, and since when."""
        async with readers.found(caller, name) as (tx, subject):
            found = await segments.segments_of(tx, subject.subject_id)
        return answer(caller, {**_who(subject), "segments": found})

    @add("/profiles/{name}/links", **options)
    async def links(caller: Calling, name: str) -> Response:
        """Which identifiers were seen together, and what became of it."""
        async with readers.found(caller, name) as (tx, subject):
            found = await stitching.links(tx, subject.subject_id)
        return answer(caller, {**_who(subject), "links": found})


def cursor_text(cursor: Cursor | None) -> str | None:
    """A place in a timeline as text for an address."""
    return f"{cursor.at.isoformat()}_{cursor.message.hex}" if cursor else None


def cursor_of(text: str | None) -> Cursor | None:
    """The place that a text stands for. Raises InvalidInput."""
    if text is None:
        return None
    at, _, message = text.partition("_")
    try:
        found = Cursor(datetime.fromisoformat(at), UUID(message))
    except ValueError:
        found = None
    if found is None or found.at.tzinfo is None:
        raise InvalidInput(
            f"before: {text!r} is no place in a timeline", hint="Give `next` of the last page."
        )
    return found


def _who(subject: Subject) -> dict[str, Any]:
    return {"subject_id": subject.subject_id, "person_id": subject.person_id}
