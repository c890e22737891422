"""`suzani lake`: what the lake holds, by dataset and day."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from suzani.infra import console
from suzani.infra.commands import DataOption, JsonOption, with_platform
from suzani.infra.lake.compacting import compact
from suzani.infra.lake.showing import show
from suzani.infra.lake.store import days
from suzani.infra.lake.types import Lake, LakeDay
from suzani.infra.platform import Platform


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("lake")(lake_command)


def lake_command(
    compact_now: Annotated[
        bool, typer.Option("--compact", help="Make one file of each day's small ones now.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the lake: its folder, and the files, rows and bytes of each day."""
    folder, found = with_platform(data, lambda platform: _look(platform, compact_now))
    if as_json:
        console.print_json({"folder": str(folder), "days": [asdict(day) for day in found]})
        return
    rows = [[d.dataset, str(d.day), f"{d.files:,}", f"{d.rows:,}", f"{d.bytes:,}"] for d in found]
    console.print_table(f"The lake in {folder}", ["dataset", "day", "files", "rows", "bytes"], rows)


async def _look(platform: Platform, compact_now: bool) -> tuple[Path, list[LakeDay]]:
    lake = Lake(platform.settings.lake_dir)
    if compact_now:
        await show(platform.db, lake)
        await compact(platform.db, lake, quiet_seconds=0)
    async with platform.db.transaction() as tx:
        return lake.folder, await days(tx)
