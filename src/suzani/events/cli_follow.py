"""`suzani events follow`: a topic of somebody else's Kafka."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from suzani.events.following import Following, follow
from suzani.events.mapping import find_mapping, load_mapping
from suzani.infra import console
from suzani.infra.bus import open_bus
from suzani.infra.bus_address import BusAddress
from suzani.infra.commands import DataOption
from suzani.infra.platform import running
from suzani.infra.settings import Settings
from suzani.kernel import InvalidInput


def follow_command(
    topic: Annotated[str, typer.Argument(help="The topic.")],
    source: Annotated[str, typer.Option(help="The source its messages are events of.")],
    kafka: Annotated[
        str,
        typer.Option(
            "--from", envvar="SUZANI_FOLLOW_KAFKA", help="kafka://host:9092, options as SUZANI_BUS."
        ),
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(help="How messages become events; else intake/SOURCE.yaml, else as they are."),
    ] = None,
    data: DataOption = None,
) -> None:
    """Take a foreign Kafka topic's JSON messages in, each once, until Ctrl-C."""

    async def work() -> None:
        settings = Settings.from_environment(data)
        address = BusAddress.parse(kafka).kafka
        if address is None:
            raise InvalidInput(f"{kafka!r} is no Kafka", hint="It looks like kafka://host:9092.")
        chosen = load_mapping(mapping) if mapping else find_mapping(settings.data_dir, source)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with running(settings) as platform, open_bus(platform.db, settings) as bus:
            console.note(f"Following {topic} as {source} (Ctrl-C stops it).")
            await follow(platform, bus, Following(address, topic, source, chosen), stop=stop)

    console.run(work())
