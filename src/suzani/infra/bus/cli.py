"""`suzani bus`: what the log holds, and how far everybody has read it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated

import typer

from suzani.infra import console
from suzani.infra.bus.checkup import totals
from suzani.infra.bus.opening import open_bus
from suzani.infra.bus.positions import forget, lags
from suzani.infra.bus.types import Lag
from suzani.infra.commands import DataOption, JsonOption, with_platform
from suzani.infra.platform import Platform
from suzani.kernel import now


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: how many messages it keeps, and how many it has had."""

    topic: str
    partitions: int
    kept: int
    end: int


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("bus")(bus_command)


def bus_command(
    forget_consumer: Annotated[
        str | None, typer.Option("--forget", metavar="CONSUMER", help="A consumer that is gone for good.")
    ] = None,
    partitions: Annotated[bool, typer.Option("--partitions", help="Each partition on its own.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the topics of the log, who reads them, and how many messages wait for how long."""
    topics, found = with_platform(data, lambda platform: _look(platform, forget_consumer))
    if as_json:
        lag_rows = [asdict(lag) | {"behind": lag.behind} for lag in found]
        console.print_json({"topics": [asdict(topic) for topic in topics], "consumers": lag_rows})
        return
    rows = [[t.topic, str(t.partitions), f"{t.kept:,}", f"{t.end:,}"] for t in topics]
    console.print_table("Topics of the log", ["topic", "partitions", "messages kept", "ever"], rows)
    shown = (
        [_row(lag, str(lag.partition)) for lag in found]
        if partitions
        else [_row(lag, "all") for lag in totals(found)]
    )
    columns = ["consumer", "topic", "partition", "messages behind", "oldest waits for"]
    console.print_table("Consumers", columns, shown)


async def _look(platform: Platform, forget_consumer: str | None) -> tuple[list[Topic], list[Lag]]:
    async with open_bus(platform.db, platform.settings) as bus, platform.db.transaction() as tx:
        if forget_consumer is not None:
            await forget(tx, forget_consumer)
        topics = []
        for topic in await bus.topics(tx):
            starts, ends = await bus.starts(tx, topic), await bus.ends(tx, topic)
            kept, end = sum(ends.values()) - sum(starts.values()), sum(ends.values())
            topics.append(Topic(topic, len(ends), kept, end))
        return topics, await lags(tx, bus)


def _row(lag: Lag, partition: str) -> list[str]:
    return [lag.consumer, lag.topic, partition, f"{lag.behind:,}", _age(lag.since)]


def _age(since: datetime | None) -> str:
    return "" if since is None else f"{(now() - since).total_seconds():,.1f} s"
