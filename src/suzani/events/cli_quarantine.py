"""Commands of the quarantine of events: `suzani events quarantine list | show | replay | dismiss`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from suzani.events import store
from suzani.events.replaying import changed, replay
from suzani.events.store import Asked, Quarantined
from suzani.events.types import Reason
from suzani.infra import console
from suzani.infra.bus import open_bus
from suzani.infra.commands import DataOption, JsonOption
from suzani.infra.platform import Platform, running
from suzani.infra.quarantine import Replay, legible, report, state_asked
from suzani.infra.settings import Settings
from suzani.kernel import InvalidInput, NotFound, now

app = typer.Typer(
    no_args_is_help=True, help="Events that could not be taken: see, fix, replay or dismiss them."
)

OfSource = Annotated[str | None, typer.Option(help="Only events of this source.")]
ForReason = Annotated[Reason | None, typer.Option(help="Only events with this reason.")]
Ids = Annotated[list[int] | None, typer.Argument(help="Numbers of events in quarantine.")]

_AT_ONCE = 1000


@app.command("list")
def list_command(
    source: OfSource = None,
    reason: ForReason = None,
    state: Annotated[str, typer.Option(help="open, replayed, dismissed or all.")] = "open",
    limit: Annotated[int, typer.Option(min=1, help="At most so many events.")] = 100,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """The events in quarantine, oldest first."""

    async def work() -> list[Quarantined]:
        asked = Asked(source, reason, state_asked(state), limit=limit)
        async with running(Settings.from_environment(data)) as platform, platform.db.transaction() as tx:
            return await store.quarantined(tx, asked)

    found = console.run(work())
    if as_json:
        console.print_json([plain(event) for event in found])
        return
    rows = [
        [
            str(e.quarantine_id),
            e.source,
            str(e.reason),
            e.place,
            e.detail,
            str(e.times),
            f"{e.last_at:%m-%d %H:%M}",
        ]
        for e in found
    ]
    console.print_table(
        "Events in quarantine", ["id", "source", "reason", "place", "", "times", "last"], rows
    )
    if len(found) == limit:
        console.note(f"The first {limit:,} events; --limit shows more.")


def plain(event: Quarantined) -> dict[str, Any]:
    """An event in quarantine as plain values; `raw` is cut, and what is no text in it is escaped."""
    given = {name: value for name, value in asdict(event).items() if name != "head"}
    return given | {"raw": legible(event.raw), "raw_bytes": len(event.raw)}


@app.command("show")
def show_command(quarantine_id: int, data: DataOption = None, as_json: JsonOption = False) -> None:
    """One event in quarantine, as its sender wrote it."""

    async def work() -> Quarantined:
        async with running(Settings.from_environment(data)) as platform:
            return (await _chosen(platform, [quarantine_id]))[0]

    event = plain(console.run(work()))
    if as_json:
        console.print_json(event)
        return
    rows = [[name, str(value)] for name, value in event.items() if value not in ("", None)]
    console.print_table(f"Event {quarantine_id} in quarantine", ["", ""], rows)


@app.command("replay")
def replay_command(
    ids: Ids = None,
    everything: Annotated[bool, typer.Option("--all", help="All open events.")] = False,
    source: OfSource = None,
    reason: ForReason = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="PLACE=JSON: put a value in place; may be repeated.")
    ] = None,
    raw: Annotated[str | None, typer.Option(help="The event's whole JSON as it should have been.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put events on the log again, with or without a fix. What is still wrong stays in quarantine."""

    async def work() -> list[Replay]:
        if not ids and not everything and source is None and reason is None:
            raise InvalidInput("say which events", hint="Give ids, --source, --reason or --all.")
        wanted = changes_of(changes or [])
        results: list[Replay] = []
        async with running(Settings.from_environment(data)) as platform:
            async for events in _pages(platform, ids, Asked(source, reason, limit=_AT_ONCE)):
                fixes = {} if raw is None else {one.quarantine_id: raw.encode() for one in events}
                if wanted:
                    fixes = {one.quarantine_id: changed(one, wanted) for one in events}
                async with (
                    open_bus(platform.db, platform.settings) as bus,
                    platform.db.transaction() as tx,
                ):
                    results += await replay(tx, bus, events, now(), fixes)
        return results

    report(console.run(work()), as_json=as_json)


async def _pages(
    platform: Platform, ids: Sequence[int] | None, asked: Asked
) -> AsyncIterator[list[Quarantined]]:
    """The events asked for, a page at a time."""
    if ids:
        yield await _chosen(platform, ids)
        return
    after = 0
    while True:
        async with platform.db.transaction() as tx:
            page = await store.quarantined(
                tx, Asked(asked.source, asked.reason, after=after, limit=asked.limit)
            )
        if page:
            yield page
        if len(page) < asked.limit:
            return
        after = page[-1].quarantine_id


def changes_of(changes: Sequence[str]) -> dict[str, Any]:
    """Values by place of `--set PLACE=JSON`; what is no JSON is a text. Raises InvalidInput."""
    found: dict[str, Any] = {}
    for change in changes:
        place, sign, value = change.partition("=")
        if not sign or not place:
            raise InvalidInput(f"--set {change!r} is not PLACE=JSON", hint="As in properties.amount=12.5.")
        try:
            found[place] = json.loads(value)
        except ValueError:
            found[place] = value
    return found


@app.command("dismiss")
def dismiss_command(
    ids: Annotated[list[int], typer.Argument(help="Numbers of events in quarantine.")],
    reason: Annotated[str, typer.Option(help="Why they are not needed.")],
    data: DataOption = None,
) -> None:
    """Settle events that are not to be taken; they stay on record with the reason."""

    async def work() -> int:
        async with running(Settings.from_environment(data)) as platform:
            await _chosen(platform, ids)
            async with platform.db.transaction() as tx:
                return await store.settle(tx, ids, "dismissed", reason, now())

    console.note(f"Dismissed {console.run(work()):,} events.")


async def _chosen(platform: Platform, ids: Sequence[int]) -> list[Quarantined]:
    """The events with these numbers. Raises NotFound for one that is not there."""
    async with platform.db.transaction() as tx:
        found = await store.quarantined(tx, Asked(state=None, ids=ids, limit=len(ids)))
    missing = sorted(set(ids) - {event.quarantine_id for event in found})
    if missing:
        raise NotFound(
            f"no event {missing[0]} in quarantine", hint="See `suzani events quarantine list --state all`."
        )
    return found
