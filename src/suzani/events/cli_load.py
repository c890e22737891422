"""`suzani events load`: files of events."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from suzani.events.loading import LoadOptions, LoadReport, load
from suzani.events.mapping import find_mapping, load_mapping
from suzani.infra import console
from suzani.infra.bus import open_bus
from suzani.infra.commands import DataOption
from suzani.infra.platform import running
from suzani.infra.settings import Settings


def load_command(
    files: Annotated[list[Path], typer.Argument(help="JSON Lines, Parquet, CSV or Excel; .gz too.")],
    source: Annotated[str, typer.Option(help="The source they are of.")],
    channel: Annotated[str, typer.Option(help="Their channel; else the source's name.")] = "",
    event: Annotated[str | None, typer.Option(help="The name of all of them: 'Card Authorised'.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="How columns become events; else intake/SOURCE.yaml, else guessed.")
    ] = None,
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Load files of events. Stopped, the same command goes on; repeated, it changes nothing."""

    async def work() -> list[LoadReport]:
        settings = Settings.from_environment(data)
        chosen = load_mapping(mapping) if mapping else find_mapping(settings.data_dir, source)
        options = LoadOptions(source, channel, chosen, event)
        reports = []
        with console.progress(quiet=as_json) as bars:
            async with running(settings) as platform, open_bus(platform.db, settings) as bus:
                for path in files:
                    bar = partial(_advance, bars, bars.add_task(path.name, total=None))
                    reports.append(await load(platform, bus, path, options, bar))
        return reports

    reports = console.run(work())
    if as_json:
        console.print_json([asdict(report) for report in reports])
        return
    rows = [
        [Path(r.file).name, f"{r.rows:,}", f"{r.accepted:,}", f"{r.quarantined:,}", _said(r)] for r in reports
    ]
    console.print_table(f"Events of {source}", ["file", "rows", "accepted", "in quarantine", ""], rows)
    if any(report.quarantined for report in reports):
        console.note(f"See `suzani events quarantine list --source {source}`.")


def _advance(bars: Progress, task: TaskID, rows: int) -> None:
    bars.update(task, completed=rows)


def _said(report: LoadReport) -> str:
    if report.known:
        return "loaded before; nothing to do"
    return f"{report.seconds:.1f} s{', gone on with' if report.resumed else ''}"
