"""The commands of the infrastructure: `up`, `doctor`, `backup`, `restore`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from suzani.infra import backup as backups
from suzani.infra import console, supervisor
from suzani.infra.commands import DataOption, JsonOption
from suzani.infra.doctor import Report, examine
from suzani.infra.migrate import migrate
from suzani.infra.server import server_address
from suzani.infra.settings import Settings
from suzani.kernel import now

app = typer.Typer(no_args_is_help=True)

PortOption = Annotated[
    int, typer.Option("--port", help="Port of the pages and the API, on this machine only.")
]


@app.command()
def up(
    data: DataOption = None,
    port: PortOption = 8000,
    event_workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes in which events take effect.")
    ] = 1,
) -> None:
    """Run the platform on your own data: database, API, workers and pages. Ctrl-C stops it."""
    with console.handled():
        serve(Settings.from_environment(data), port, event_workers)


def serve(settings: Settings, port: int, event_workers: int = 1) -> None:
    """Run database and services until Ctrl-C, and say so."""
    services = dict(supervisor.SERVICES)
    for number in range(2, event_workers + 1):
        services[f"events {number}"] = services["events"]
    supervisor.supervise(settings, port, services, when_ready=_say_ready)
    console.note("Suzani is down.")


def _say_ready(address: str) -> None:
    console.note(f"Suzani is up at {address}  (Ctrl-C stops it)")


@app.command()
def doctor(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Show what runs, in which versions, where the data lies, and what is wrong. Starts nothing."""
    with console.handled():
        report = asyncio.run(examine(Settings.from_environment(data)))
    if as_json:
        console.print_json(report)
    else:
        _print_report(report)
    if report.problems:
        raise typer.Exit(1)


def _print_report(report: Report) -> None:
    rows = [
        ["Suzani", f"{report.suzani} on Python {report.python}, {report.system}"],
        ["Data", f"{report.data_dir}{'' if report.data_dir_exists else ' (not created yet)'}"],
        ["Size", f"{_bytes(report.data_bytes)}, {_bytes(report.disk_free_bytes)} free on its disk"],
        *[[f"Server: {name}", _shown(name, value)] for name, value in report.server.items()],
        *[[f"Database: {name}", _shown(name, value)] for name, value in report.database.items()],
        *[
            [f"{title.capitalize()}: {name}", _shown(name, value)]
            for title, shown in report.checkups.items()
            for name, value in shown.items()
        ],
    ]
    console.print_table("Suzani", ["", ""], rows)
    for problem in report.problems:
        console.note(f"Problem: {problem}")
    if not report.problems:
        console.note("Nothing is wrong.")


def _shown(name: str, value: Any) -> str:
    if name == "bytes":
        return _bytes(value)
    if isinstance(value, dict):
        return ", ".join(f"{count} {key}" for key, count in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "-" if value is None else str(value)


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write everything to one file, as of this moment, while the platform stays in use."""
    with console.handled():
        settings = Settings.from_environment(data)
        with server_address(settings) as url, console.progress(quiet=as_json) as bars:
            asyncio.run(migrate(url))
            task = bars.add_task("Writing", total=None)
            manifest = backups.back_up(
                settings, url, file.absolute(), now(), lambda done: bars.update(task, completed=done)
            )
    if as_json:
        console.print_json({"file": str(file), "bytes": file.stat().st_size, "suzani": manifest.suzani})
    else:
        console.note(f"Wrote {file} ({_bytes(file.stat().st_size)}).")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `suzani backup` wrote.")],
    data: DataOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the data that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in the place of what is there, whole or not at all."""
    with console.handled():
        settings = Settings.from_environment(data)
        expected = backups.read_manifest(file)
        with server_address(settings) as url, console.progress(quiet=as_json) as bars:
            task = bars.add_task("Reading", total=expected.dump_bytes)
            manifest = backups.restore(
                settings, url, file, force=force, progress=lambda done: bars.update(task, completed=done)
            )
    if as_json:
        console.print_json({"file": str(file), "created_at": manifest.created_at, "suzani": manifest.suzani})
    else:
        console.note(f"Restored {file}, written {manifest.created_at} by Suzani {manifest.suzani}.")
