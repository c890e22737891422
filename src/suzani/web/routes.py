"""The HTTP API: the identity audit, search and customers, as JSON described by OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from suzani import __version__, profiles
from suzani.identity import Contradicted
from suzani.infra.platform import Platform
from suzani.kernel import Busy, NotFound, SuzaniError
from suzani.profiles import Audit, Customer, Hit
from suzani.web.event_routes import add_events
from suzani.web.explaining_routes import add_explanations
from suzani.web.identity_routes import Online, add_resolving
from suzani.web.limits import LARGEST_ID
from suzani.web.person_routes import add_persons
from suzani.web.profile_routes import add_profiles
from suzani.web.readers import Readers

PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong (RFC 9457): `title` names the kind, `detail` what was wrong, `hint` what to do.

    `constraints`: ids of the constraints that a decision contradicts; left out otherwise.
    """

    type: str
    title: str
    status: int
    detail: str
    hint: str = ""
    constraints: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """That the server and its database answer."""

    status: Literal["ok"]
    version: str


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """The persons found for a text, best first."""

    query: str
    hits: list[Hit]


def problem(
    status: int,
    detail: str,
    hint: str = "",
    headers: Mapping[str, str] | None = None,
    constraints: tuple[int, ...] = (),
) -> JSONResponse:
    """An error as problem JSON."""
    body = Problem("about:blank", HTTPStatus(status).phrase, status, detail, hint, constraints)
    return JSONResponse(
        {name: getattr(body, name) for name in Problem.__slots__ if constraints or name != "constraints"},
        status_code=status,
        media_type=PROBLEM,
        headers=headers,
    )


def refusal(error: SuzaniError) -> JSONResponse:
    """What the domain refuses, and when to come again where that helps."""
    wait = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, Busy) else None
    against = error.constraints if isinstance(error, Contradicted) else ()
    return problem(error.status_code, error.message, error.hint, wait, against)


def answer_with_problems(app: FastAPI) -> None:
    """Errors of the domain, and bad parameters, become problem JSON."""

    @app.exception_handler(SuzaniError)
    async def of_domain(request: Request, error: SuzaniError) -> JSONResponse:
        return refusal(error)

    @app.exception_handler(RequestValidationError)
    async def of_parameters(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return problem(422, f"{where}: {first['msg']}", "The parameters are described in /v1/openapi.json.")


def _described(texts: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Problems by status, as OpenAPI describes them."""
    return {
        status: {"model": Problem, "description": text, "content": {PROBLEM: {}}}
        for status, text in texts.items()
    }


_PROBLEMS = _described(
    {404: "No such person or record", 422: "A wrong parameter", 503: "The database is away"}
)
_COME_AGAIN = "Busy, or the database is away; Retry-After says when to come again"
_REFUSALS = _described(
    {
        400: "No JSON",
        409: "Records have never been resolved",
        413: "Too large a body",
        422: "A wrong record: what, where, and what to do",
        503: _COME_AGAIN,
    }
)
_KEYED = _described(
    {401: "No key, or none that is known", 403: "A key that may not read profiles", 422: "A wrong parameter"}
)
_DECISIONS = _described(
    {
        404: "No such person, record, change or constraint",
        409: "It contradicts what stands (`constraints` names it), was done before, or its records are gone",
        422: "A wrong body: what, where, and what to do",
        503: _COME_AGAIN,
    }
)


def api(platform: Platform, online: Online, readers: Readers) -> APIRouter:
    """The routes under /v1; single records are resolved by `online`, profiles are read by `readers`."""
    router = APIRouter(prefix="/v1")
    add_resolving(router, online, _PROBLEMS | _REFUSALS)
    add_profiles(router, readers, _PROBLEMS | _KEYED)

    @router.get("/health", tags=["platform"], responses={503: _PROBLEMS[503]})
    async def health() -> Health:
        """Whether the server and its database answer."""
        async with platform.db.transaction() as tx:
            await tx.execute("select 1")
        return Health("ok", __version__)

    @router.get("/audit", tags=["identity"], responses={503: _PROBLEMS[503]})
    async def audit() -> Audit:
        """The identity audit: records, persons, duplicates, systems, loads, quarantine and consent."""
        async with platform.db.transaction() as tx:
            return await profiles.audit(tx)

    @router.get("/search", tags=["profiles"], responses={422: _PROBLEMS[422]})
    async def search(
        q: Annotated[str, Query(max_length=200, description="A name in any script, phone, e-mail, number")],
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> SearchAnswer:
        """Persons by name in any script, phone, e-mail, document, national id, product number or birth
        date."""
        async with platform.db.transaction() as tx:
            return SearchAnswer(q, await profiles.search(tx, q, limit))

    @router.get(
        "/persons/{person_id}", tags=["profiles"], responses={404: _PROBLEMS[404], 422: _PROBLEMS[422]}
    )
    async def person(person_id: Annotated[int, Path(ge=1, le=LARGEST_ID)]) -> Customer:
        """A customer: golden record with provenance, source records, products, evidence and history.

        An id that was merged away answers with the person it went to.
        """
        async with platform.db.transaction() as tx:
            return await profiles.customer(tx, person_id)

    add_explanations(router, platform, _PROBLEMS)
    add_events(router, platform, _PROBLEMS)
    add_persons(router, platform, _PROBLEMS, _DECISIONS)

    @router.get("/{path:path}", include_in_schema=False)
    async def unknown(path: str) -> None:
        raise NotFound(f"there is no /v1/{path}", hint="The routes are described in /v1/openapi.json.")

    return router
