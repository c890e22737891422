"""The web application: pages and API on one platform, for this machine only."""

from __future__ import annotations

import gc
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI
from nicegui import ui
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from suzani import __version__, identity, profiles
from suzani.events import open_intake
from suzani.infra import loop
from suzani.infra.bus import open_bus
from suzani.infra.platform import Platform, running
from suzani.infra.settings import Settings
from suzani.kernel import NotFound, SuzaniError, Unavailable
from suzani.web import frame
from suzani.web.capture import capture_route
from suzani.web.collector import Collector
from suzani.web.collector_schema import document
from suzani.web.express import Express
from suzani.web.guard import Guard
from suzani.web.identity_routes import Online
from suzani.web.language import Texts
from suzani.web.limits import LARGEST_ID
from suzani.web.markup import Markup
from suzani.web.pages import customer, happened, notices, overview, search
from suzani.web.pages.explained import Explained
from suzani.web.readers import Readers
from suzani.web.routes import answer_with_problems, api
from suzani.web.timeline import Reading, Timeline

LOOPBACK: Final = "127.0.0.1"
AUDIT_SECONDS = 60.0
"""How long a first audit of a large bank may take before the page gives up."""

Content = tuple[str, Sequence[frame.Part]]
"""A page's title and its parts."""

ASSETS = Path(__file__).parent / "static"


def build_api(platform: Platform, online: Online | None = None, readers: Readers | None = None) -> ASGIApp:
    """The API alone, without pages. Who gives `online` and `readers` closes them."""
    online, readers = online or Online(platform), readers or Readers(platform)
    return _guarded(_described(platform, online, readers), online, readers)


def build(platform: Platform, online: Online, readers: Readers) -> ASGIApp:
    """The API and the pages. NiceGUI keeps one application per process, so this is called once in one."""
    app = _described(platform, online, readers)
    app.mount("/assets", StaticFiles(directory=ASSETS))
    pages = _Pages(platform)
    ui.page("/", response_timeout=AUDIT_SECONDS)(pages.overview)
    ui.page("/search")(pages.search)
    ui.page("/customers/{person_id}")(pages.customer)
    ui.run_with(
        app,
        root=pages.unknown,
        title="Suzani",
        favicon=ASSETS / "suzani.svg",
        tailwind=False,
        show_welcome_message=False,
        binding_refresh_interval=None,
    )
    return _guarded(app, online, readers)


def _described(platform: Platform, online: Online, readers: Readers) -> FastAPI:
    """The API as its document describes it."""
    app = FastAPI(
        title="Suzani",
        version=__version__,
        description="Records of many systems, one customer: identity audit, search and golden records.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    answer_with_problems(app)
    app.include_router(api(platform, online, readers))
    app.router.routes.append(capture_route())
    document(app)
    return app


def _guarded(app: FastAPI, online: Online, readers: Readers) -> ASGIApp:
    """The application, with what stands before it."""
    return Guard(Express(app, online, readers))


class _Pages:
    """The pages of one platform. Each reads in one transaction, and shows in the reader's language."""

    def __init__(self, platform: Platform) -> None:
        self._db = platform.db
        self._kept: tuple[profiles.Stamp, profiles.Audit] | None = None

    async def _audit(self) -> profiles.Audit:
        """The audit, counted again only when something changed."""
        async with self._db.transaction() as tx:
            stamp = await profiles.audit_stamp(tx)
            if self._kept is None or self._kept[0] != stamp:
                self._kept = stamp, await profiles.audit(tx)
            return self._kept[1]

    async def overview(self, request: Request) -> None:
        """The identity audit, or what to do when there is nothing to audit."""

        async def content(texts: Texts) -> Content:
            audit = await self._audit()
            body = overview.overview(texts, audit) if audit.persons else notices.empty(texts, audit.records)
            return texts("overview.title"), [body]

        await self._show(request, content)

    async def search(self, request: Request) -> None:
        """All results of `?q=`."""

        async def content(texts: Texts) -> Content:
            query = request.query_params.get("q", "")
            async with self._db.transaction() as tx:
                hits = await profiles.search(tx, query, search.SHOWN)
            return texts("search.title"), [search.results(texts, query, hits)]

        await self._show(request, content)

    async def customer(self, request: Request, person_id: str) -> Response | None:
        """One person; an id that was merged away leads to the person it went to."""
        number = int(person_id) if person_id.isdecimal() and int(person_id) <= LARGEST_ID else 0
        async with self._db.transaction() as tx:
            try:
                current = await profiles.current_id(tx, number)
            except NotFound:
                current = None
        if current is not None and str(current) != person_id:
            return RedirectResponse(f"/customers/{current}")

        async def content(texts: Texts) -> Content:
            if current is None:
                title = texts("error.unknown_person", id=person_id)
                return _missing(title, notices.missing(texts, title, texts("error.unknown_person_text")))
            compared = _compared(request)
            async with self._db.transaction() as tx:
                try:
                    found = await profiles.customer(tx, current)
                    story = await identity.story(tx, current, compared)
                    events = await identity.history(tx, current)
                except NotFound:
                    title = texts("error.no_profile", id=current)
                    return _missing(title, notices.missing(texts, title, texts("error.no_profile_text")))
            name = found.profile.display_name or texts("customer.unnamed")
            reading = Reading(self._db, texts, current, happened.of_systems(texts, found))
            timeline = Timeline(reading, await reading.page())
            bottom = customer.customer_bottom(texts, found, Explained(story, events, compared))
            return name, [customer.customer_top(texts, found), timeline.build, bottom]

        await self._show(request, content)
        return None

    async def unknown(self, request: Request) -> None:
        """Any other address."""

        async def content(texts: Texts) -> Content:
            title = texts("error.unknown_page")
            return _missing(title, notices.missing(texts, title, texts("error.unknown_page_text")))

        await self._show(request, content)

    async def _show(self, request: Request, content: Callable[[Texts], Awaitable[Content]]) -> None:
        """Title and content in the frame; what the domain refuses becomes a page that says so."""
        texts = frame.texts_of(request)
        try:
            title, parts = await content(texts)
        except SuzaniError as error:
            ui.status_code(error.status_code)
            away = isinstance(error, Unavailable)
            title = texts("error.unavailable") if away else error.message
            parts = [notices.missing(texts, title, texts("error.unavailable_text") if away else error.hint)]
        frame.page(request, texts, title, parts, lambda typed: self._suggest(texts, typed))

    async def _suggest(self, texts: Texts, typed: str) -> Markup:
        if not profiles.is_searchable(typed):
            return search.suggestions(texts, typed, [], searchable=False)
        async with self._db.transaction() as tx:
            hits = await profiles.search(tx, typed, search.SUGGESTED)
        return search.suggestions(texts, typed, hits, searchable=True)


def _compared(request: Request) -> tuple[int, int] | None:
    """The two different records of `?a=&b=`, if both are numbers."""
    asked = [request.query_params.get(name, "") for name in ("a", "b")]
    a, b = (int(text) if text.isdecimal() and int(text) <= LARGEST_ID else 0 for text in asked)
    return (a, b) if a and b and a != b else None


def _missing(title: str, body: Markup) -> Content:
    ui.status_code(404)
    return title, [body]


def serve(settings: Settings, port: int) -> None:
    """Serve pages and API on the loopback address until SIGTERM or SIGINT.

    Raises Unavailable when the port is taken or may not be used.
    """
    loop.run(_serve(settings, port))


async def _serve(settings: Settings, port: int) -> None:
    with _bound(port) as listener:
        async with running(settings) as platform:
            online, readers = Online(platform), Readers(platform)
            app = build(platform, online, readers)
            _keep()
            online.open()
            try:
                await _answer(platform, app, listener)
            finally:
                await online.close()
                await readers.close()


def _keep() -> None:
    """Let what is there now live as long as the process: to look through it for garbage takes a fifth of a
    second, for which nobody would be answered."""
    gc.collect()
    gc.freeze()


async def _answer(platform: Platform, app: ASGIApp, listener: socket.socket) -> None:
    """Answer requests; events are taken in front of everything else."""
    settings = platform.settings
    async with (
        open_bus(platform.db, settings) as bus,
        open_intake(platform, bus) as intake,
    ):
        config = uvicorn.Config(
            Collector(app, intake), log_level="warning", access_log=False, timeout_graceful_shutdown=3
        )
        await uvicorn.Server(config).serve(sockets=[listener])


def _bound(port: int) -> socket.socket:
    """A socket that holds the port; it answers only once the pages are ready."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise Unavailable(
            f"port {port} of {LOOPBACK} cannot be used: {error}",
            hint="Another program listens there, or it needs more rights; choose another with --port.",
        ) from error
    return listener
