"""Where the capabilities are put together into one program: commands, jobs and services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from suzani import __version__
from suzani.activity import every_subject
from suzani.activity import service as activity
from suzani.bench import cli as bench
from suzani.demo import cli as demo
from suzani.events import checkup as events_checkup
from suzani.events import cli as events
from suzani.identity import cli as identity
from suzani.identity.persons import feed_cli as feed
from suzani.identity.persons import stewarding_cli as stewarding
from suzani.identity.reasons import cli as explaining
from suzani.identity.resolving import jobs as identity_jobs
from suzani.infra import cli as infra
from suzani.infra import memory, worker
from suzani.infra.bus import checkup as log_checkup
from suzani.infra.bus import cli as bus
from suzani.infra.doctor import CHECKUPS
from suzani.infra.lake import cli as lake
from suzani.infra.settings import Settings
from suzani.infra.supervisor import SERVICES, Service
from suzani.profiles import cli as profiles
from suzani.profiles import jobs as profile_jobs
from suzani.segments import cli as segments
from suzani.sources import checkup as sources_checkup
from suzani.sources import cli as sources
from suzani.stitching import cli as stitching
from suzani.stitching import jobs as stitching_jobs
from suzani.traits import cli as traits

app = infra.app
app.info.help = "Suzani: many systems, one customer."


@app.callback(invoke_without_command=True)
def program(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Suzani: a customer data platform for banks. Many systems, one customer."""
    if version:
        typer.echo(f"suzani {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def register_jobs() -> None:
    """Make every kind of work known, and what it runs on."""
    identity_jobs.register()
    profile_jobs.register()
    stitching_jobs.register()


def serve_pages(settings: Settings, port: int) -> None:
    """The service of pages and API."""
    # Imported here because it takes longer to import than most commands take to run.
    from suzani.web import app as web

    register_jobs()
    web.serve(settings, port)


def serve_events(settings: Settings, port: int) -> None:
    """The service by which events take effect."""
    register_jobs()
    activity.serve(settings)


def serve_lake(settings: Settings, port: int) -> None:
    """The service that writes events to the lake."""
    activity.serve(settings, activity.fill)


def serve_jobs(settings: Settings, port: int) -> None:
    """The service that runs queued work."""
    register_jobs()
    worker.work(settings)


def say(explanation: explaining.Explanation, language: str) -> Sequence[str]:
    """An explanation in sentences."""
    # Imported here for the same reason.
    from suzani.web.explanations import sentences
    from suzani.web.language import Texts

    return sentences(Texts.of(language), explanation)


register_jobs()
# The others give way to those who wait for an answer.
SERVICES.update(
    web=Service(serve_pages),
    events=Service(serve_events, niceness=5),
    lake=Service(serve_lake, niceness=10),
    worker=Service(serve_jobs, niceness=10),
)
CHECKUPS.update(log=log_checkup.look, sources=sources_checkup.look, events=events_checkup.look)
bus.register(app)
lake.register(app)
sources.register(app)
events.register(app, work=activity.serve)
identity.register(app)
stewarding.register(app)
feed.register(app)
explaining.register(app, say)
profiles.register(app)
stitching.register(app)
traits.register(app)
segments.register(app, every_subject)
demo.register(app, serve=infra.serve)
bench.register(app)


def main() -> None:
    """Run the command line."""
    memory.share()
    app()
