"""`POST /v1/identity/resolve`: a record as typed in, the persons it could be out; stored, if it is to be.

Bodies are decoded by msgspec: at a thousand records a second the rest of the framework's care costs more than
the resolving.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response

from suzani import sources
from suzani.identity import MOST_AT_ONCE, Asked, Resolved, Resolver
from suzani.infra.platform import Platform
from suzani.kernel import Busy, InvalidInput, SuzaniError
from suzani.web.resolve_schema import DESCRIPTION, REQUEST_BODY, Answers, Candidate, Problem, ResolveAnswer

LARGEST_BODY: Final = 4 << 20
"""Bytes; 500 records with every attribute at length fit."""

PATH: Final = "/v1/identity/resolve"

_OPENING_SECONDS: Final = 5.0


class Malformed(InvalidInput):
    """A body that is no JSON."""

    status_code = 400


class TooLarge(InvalidInput):
    """A body that is larger than any sensible one."""

    status_code = 413


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    attributes: dict[str, str | None] | msgspec.UnsetType = msgspec.UNSET
    system: str | None = None
    key: str | None = None
    store: bool = False
    limit: int = 5


class _Body(_Record, forbid_unknown_fields=True):
    records: list[_Record] | msgspec.UnsetType = msgspec.UNSET


_decode = msgspec.json.Decoder(_Body).decode
_encode = msgspec.json.Encoder().encode


class Online:
    """The resolver of this process: opened in the background, used by requests, closed at the end."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._readers = sources.Readers(platform.data_dir)
        self._without_system = sources.Reader()
        self._opening: asyncio.Task[Resolver] | None = None

    def open(self) -> asyncio.Task[Resolver]:
        """Start to read all records into memory, unless that is under way or done; a failed one is redone."""
        task = self._opening
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._opening = asyncio.create_task(self._opened())
        return task

    async def _opened(self) -> Resolver:
        """What was read stays: the collector of garbage need not go through it again and again."""
        resolver = await Resolver.opened(self._platform)
        gc.collect()
        gc.freeze()
        return resolver

    async def resolver(self) -> Resolver:
        """The resolver. Raises Busy while all records are being read, Conflict before the first run."""
        task = self.open()
        if not task.done():
            await asyncio.wait([task], timeout=_OPENING_SECONDS)
            if not task.done():
                raise Busy("the records are being read into memory", 5)
        return task.result()

    async def answer(self, request: Request) -> Response:
        """The answer to a request of the route. Raises SuzaniError where it is wrong as a whole."""
        body = _decoded(await _read(request))
        if body.records is msgspec.UNSET:
            one = self._asked(body)
            [found] = await (await self.resolver()).resolve([one])
            if isinstance(found, SuzaniError):
                raise found
            return _json(_answer(one, found))
        taken = [self._tried(record, at) for at, record in enumerate(_several(body, body.records))]
        good = [one for one in taken if isinstance(one, Asked)]
        results = iter(await (await self.resolver()).resolve(good))
        return _json(
            Answers([_result(one, next(results) if isinstance(one, Asked) else one) for one in taken])
        )

    def _asked(self, record: _Record, where: str = "") -> Asked:
        reader = self._readers.of(record.system) if record.system else self._without_system
        return _checked(record, reader, where)

    def _tried(self, record: _Record, at: int) -> Asked | SuzaniError:
        try:
            return self._asked(record, f"records[{at}]")
        except SuzaniError as error:
            return error

    async def close(self) -> None:
        """Let go of everything."""
        task, self._opening = self._opening, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            await task.result().close()
            # Of what is frozen nothing would ever be let go, not at the end of the process either.
            gc.unfreeze()


def add_resolving(router: APIRouter, online: Online, problems: dict[Any, Any]) -> None:
    """Describe the route; what asks for it is answered before it comes here (`web.express`)."""
    router.add_api_route(
        "/identity/resolve", online.answer, methods=["POST"], tags=["identity"], description=DESCRIPTION,
        openapi_extra=REQUEST_BODY, responses={200: {"model": ResolveAnswer | Answers}, **problems},
        name="resolve",
    )  # fmt: skip


async def _read(request: Request) -> bytes:
    """The body. Raises TooLarge before more than `LARGEST_BODY` is in memory."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            raise TooLarge(
                f"the body has more than {LARGEST_BODY:,} bytes", hint="Send fewer records at once."
            )
        parts.append(part)
    return b"".join(parts)


def _decoded(body: bytes) -> _Body:
    try:
        return _decode(body)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"body: {error}", hint="It is described in /v1/openapi.json.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(
            f"the body is no JSON: {error}", hint="It is described in /v1/openapi.json."
        ) from None


def _several(body: _Body, records: Sequence[_Record]) -> Sequence[_Record]:
    if body.attributes is not msgspec.UNSET or body.key is not None or body.system is not None:
        raise InvalidInput(
            "body: `records` stands beside the fields of one record",
            hint="Send either one record or `records`.",
        )
    if len(records) > MOST_AT_ONCE:
        raise InvalidInput(
            f"records: {len(records):,} are too many at once", hint=f"Send {MOST_AT_ONCE:,} or fewer."
        )
    return records


def _checked(record: _Record, reader: sources.Reader, where: str) -> Asked:
    """The checked record. Raises InvalidInput with what is wrong, where, and what to do."""
    prefix = f"{where}." if where else ""
    if record.attributes is msgspec.UNSET:
        raise InvalidInput(f"{prefix}attributes: missing", hint="Give what is known, by attribute.")
    if not 0 <= record.limit <= 100:
        raise InvalidInput(f"{prefix}limit: {record.limit} is not from 0 to 100")
    if not record.store:
        values = reader.values(record.attributes, f"{prefix}attributes")
        return Asked(sources.attributes_of(values), record.limit)
    if not record.system:
        raise InvalidInput(
            f"{prefix}system: a record that is to be stored needs one",
            hint="Give the system that it is of, or `store: false`.",
        )
    typed = reader.record(record.key or "", record.attributes, where)
    return Asked(typed.attributes, record.limit, typed)


def _answer(asked: Asked, found: Resolved) -> ResolveAnswer:
    return ResolveAnswer(
        found.person_id,
        found.is_new,
        found.record_id,
        asked.store is not None,
        [
            Candidate(
                near.person_id,
                round(near.probability, 6),
                near.weight_bits,
                near.odds_bits,
                near.best_record_id,
                near.evidence,
            )
            for near in found.nearest
        ],
    )


def _result(asked: Asked | SuzaniError, found: Resolved | SuzaniError) -> ResolveAnswer | Problem:
    if isinstance(found, SuzaniError):
        return Problem.of(found)
    assert isinstance(asked, Asked)  # noqa: S101 - what was not asked has no answer
    return _answer(asked, found)


def _json(answer: ResolveAnswer | Answers) -> Response:
    return Response(_encode(answer), media_type="application/json")
