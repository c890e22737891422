"""`suzani feed`: who follows the changes of persons, and what of the feed can go."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from suzani.identity.persons.feed_store import FeedReader, feed_readers, forget_reader, prune_feed
from suzani.infra import console
from suzani.infra.commands import DataOption, JsonOption
from suzani.infra.platform import running
from suzani.infra.settings import Settings
from suzani.kernel import now


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("feed")(feed_command)


def feed_command(
    forget: Annotated[str | None, typer.Option(help="A reader that is gone for good.")] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Drop old entries that all have passed.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who follows the changes of persons, and how far each is."""
    settings = Settings.from_environment(data)
    readers, dropped = console.run(_tend(settings, forget, prune))
    if as_json:
        console.print_json({"readers": [asdict(one) for one in readers], "dropped": dropped})
        return
    if dropped is not None:
        console.note(f"{dropped:,} entries older than {settings.feed_days} days were dropped.")
    rows = [
        [one.consumer, f"{one.behind:,}", f"{one.since:%Y-%m-%d %H:%M}" if one.since else ""]
        for one in readers
    ]
    console.print_table("Readers of the feed", ["reader", "entries behind", "since"], rows)


async def _tend(settings: Settings, forget: str | None, prune: bool) -> tuple[list[FeedReader], int | None]:
    """Forget and prune as asked; the readers, and how many entries were dropped."""
    async with running(settings) as platform, platform.db.transaction() as tx:
        if forget is not None:
            await forget_reader(tx, forget)
        dropped = await prune_feed(tx, now() - timedelta(days=settings.feed_days)) if prune else None
        return await feed_readers(tx), dropped
