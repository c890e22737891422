"""`GET /v1/profiles/{kind}:{value}`: what channels read about somebody in real time, each with its key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Any, Final, TypeAlias
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime

from suzani import activity, segments, stitching
from suzani.activity import Cursor, Rules, RulesFiles, TimelineFilter
from suzani.infra.db import Tx
from suzani.infra.keys import Key, KeyRing, secret_of
from suzani.infra.platform import Platform
from suzani.kernel import InvalidInput, now
from suzani.stitching import Subject
from suzani.web.direct import DirectRoute
from suzani.web.mask import masked_profile

_JSON: Final = "application/json"
_MOST_EVENTS: Final = 500

Problems: TypeAlias = dict[int | str, dict[str, Any]]

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Readers:
    """Who may read profiles, and by which rules they are computed."""

    def __init__(self, platform: Platform) -> None:
        self.db = platform.db
        self._keys = KeyRing(platform.db)
        self._rules = RulesFiles(platform.data_dir)

    async def admit(self, request: Request) -> tuple[Key, Rules]:
        """The key of a caller who may read, and the rules now. Raises Unauthorised and Forbidden."""
        key = await self._keys.find(secret_of(request.headers.get("authorization", "")), "channel")
        return key, self._rules()

    @asynccontextmanager
    async def found(self, request: Request, name: str) -> AsyncIterator[tuple[Tx, Subject]]:
        """A transaction in which somebody was found, for a caller who may read. Raises as `admit` does, and
        NotFound."""
        _, rules = await self.admit(request)
        async with self.db.transaction() as tx:
            yield tx, await activity.find_subject(tx, rules, name)

    async def close(self) -> None:
        """Let go of what was open."""
        await self._keys.close()


def add_profiles(router: APIRouter, readers: Readers, problems: Problems) -> None:
    """Put the routes on the router."""
    add = router.get
    options: dict[str, Any] = {"tags": ["profiles"], "responses": problems, "response_class": Response}

    async def profile(
        request: Request,
        name: str,
        fields: Annotated[str | None, Query(description="traits.spent_30_days,segments, …")] = None,
    ) -> Response:
        """A profile by any identifier: golden values, consent, products, traits, segments, identifiers."""
        key, rules = await readers.admit(request)
        asked = activity.selection(fields, activity.PARTS)
        async with readers.db.autocommit() as tx:
            found = await activity.profile_view(tx, rules, name, asked, now())
        return _answer(request, found if key.settings.get("personal") else masked_profile(found))

    router.add_api_route("/profiles/{name}", profile, route_class_override=DirectRoute, **options)

    @add("/profiles/{name}/events", **options)
    async def events(
        request: Request,
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
        async with readers.found(request, name) as (tx, subject):
            page = await activity.timeline(tx, subject.subject_id, wanted, cursor_of(before), limit)
        return _answer(request, {**_who(subject), "events": page.entries, "next": cursor_text(page.next)})

    @add("/profiles/{name}/segments", **options)
    async def its_segments(request: Request, name: str) -> Response:
        """The segments that somebody is in, and since when."""
        async with readers.found(request, name) as (tx, subject):
            found = await segments.segments_of(tx, subject.subject_id)
        return _answer(request, {**_who(subject), "segments": found})

    @add("/profiles/{name}/links", **options)
    async def links(request: Request, name: str) -> Response:
        """Which identifiers were seen together, and what became of it."""
        async with readers.found(request, name) as (tx, subject):
            found = await stitching.links(tx, subject.subject_id)
        return _answer(request, {**_who(subject), "links": found})


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


def _answer(request: Request, found: Any) -> Response:
    """JSON with an ETag; 304 when the reader has the same already."""
    body = _encode(found)
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=_JSON)
