"""The commands of `suzani bench`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from suzani.bench import contest_table
from suzani.bench.contest_runner import compare
from suzani.bench.event_load import Load as EventLoad
from suzani.bench.ingest import measure_ingest
from suzani.bench.machine import this_machine
from suzani.bench.online import Load, measure_online
from suzani.bench.profile_reads import measure_profile
from suzani.bench.runner import run
from suzani.bench.splink_settings import DEFAULT
from suzani.bench.types import Machine, Report
from suzani.infra import console
from suzani.kernel import InvalidInput

DEFAULT_SIZES = (20_000, 100_000, 400_000, 800_000)
IDENTITY_SIZES = (100_000, 400_000, 800_000)
_FEWEST = 1_000

Sizes = Annotated[list[int] | None, typer.Option("--records", help="A size to measure; may be repeated.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    bench = typer.Typer(no_args_is_help=True, help="Measure speed and quality on a generated bank.")
    bench.command("load")(load_command)
    bench.command("link")(link_command)
    bench.command("identity")(identity_command)
    bench.command("online")(online_command)
    bench.command("ingest")(ingest_command)
    bench.command("profile")(profile_command)
    app.add_typer(bench, name="bench")


def load_command(records: Sizes = None, as_json: AsJson = False) -> None:
    """Load seven extracts, resolve, build profiles: seconds per phase, records/s, memory, growth."""
    _measure("load", records, as_json)


def link_command(records: Sizes = None, as_json: AsJson = False) -> None:
    """Link a file of records: seconds per phase, records/s, memory, growth, and quality."""
    _measure("link", records, as_json)


def identity_command(
    records: Sizes = None,
    peer: Annotated[str, typer.Option("--peer", help="Measure a peer beside it: splink.")] = "",
    settings: Annotated[str, typer.Option("--peer-settings", help="Which settings the peer gets.")] = DEFAULT,
    repeat: Annotated[int, typer.Option("--repeat", min=1, help="Take the median of so many runs.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Resolve the same standardised columns as a peer: CPU seconds, memory, quality, growth."""
    with console.handled():
        sizes = _checked(records, IDENTITY_SIZES)
        contest = compare(sizes, console.note, peer=peer, settings=settings, repeat=repeat)
    if as_json:
        console.print_json(contest.as_dict())
    else:
        _print_machine(contest.machine)
        for size in contest.sizes:
            headings = contest_table.headings(contest, size)
            console.print_table("suzani bench identity", headings, contest_table.rows(contest, size))
        sizes_of = ["CPU seconds by phase", *(f"{size:,}" for size in contest.sizes)]
        console.print_table("phases", sizes_of, contest_table.phases(contest))


def online_command(
    records: Annotated[int, typer.Option("--records", min=_FEWEST, help="Size of the bank.")] = 800_000,
    rate: Annotated[float, typer.Option("--rate", min=1, help="Requests a second for the latency.")] = 200,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="How long that rate is held.")] = 30,
    clients: Annotated[int, typer.Option("--clients", min=1, help="Connections that send.")] = 32,
    store: Annotated[bool, typer.Option("--store/--read-only", help="Whether records are kept.")] = True,
    as_json: AsJson = False,
) -> None:
    """Ask a served bank about one record at a time: milliseconds at a rate, records/s, memory, start."""
    load = Load(rate=rate, seconds=seconds, clients=clients, store=store)
    with console.handled():
        figures = measure_online(records, load, console.note)
    machine = this_machine()
    if as_json:
        console.print_json(
            {"benchmark": "online", "machine": machine.as_dict(), "records": records, "facts": figures}
        )
    else:
        _print_machine(machine)
        rows = [[name.replace("_", " "), f"{value:,.5g}"] for name, value in figures.items()]
        console.print_table("suzani bench online", ["online", f"{records:,}"], rows)


Rate = Annotated[float, typer.Option("--rate", min=50, help="Events a second that must be held.")]
Steady = Annotated[float, typer.Option("--steady", min=50, help="Events a second where latency is measured.")]
Seconds = Annotated[float, typer.Option("--seconds", min=1, help="How long each phase takes.")]
EventWorkers = Annotated[int, typer.Option("--event-workers", min=1, help="Processes that process events.")]
Visitors = Annotated[int, typer.Option("--visitors", min=10, help="People who cause the events.")]


def ingest_command(
    rate: Rate = 10_000,
    steady: Steady = 2_000,
    seconds: Seconds = 60,
    soak: Annotated[float, typer.Option("--soak", min=0, help="Seconds of `--rate` for memory and lag.")] = 0,
    visitors: Visitors = 20_000,
    event_workers: EventWorkers = 2,
    as_json: AsJson = False,
) -> None:
    """Send events to a served platform: the ceiling and what binds it, a rate held, accepted to visible."""
    load = EventLoad(
        rate=rate, steady=steady, seconds=seconds, soak_seconds=soak, visitors=visitors,
        event_workers=event_workers,
    )  # fmt: skip
    with console.handled():
        figures = measure_ingest(load, console.note)
    setting = {"visitors": visitors, "seconds": seconds, "event workers": event_workers}
    _print_figures("ingest", setting, figures, as_json=as_json)


def profile_command(
    requests: Annotated[float, typer.Option("--requests", min=1, help="Reads a second.")] = 500,
    steady: Steady = 2_000,
    seconds: Seconds = 30,
    visitors: Visitors = 20_000,
    as_json: AsJson = False,
) -> None:
    """Read profiles from a served platform at a rate, in quiet and under events: milliseconds, CPU a read."""
    load = EventLoad(steady=steady, seconds=seconds, visitors=visitors)
    with console.handled():
        figures = measure_profile(load, requests, console.note)
    _print_figures("profile", {"visitors": visitors, "requests": requests}, figures, as_json=as_json)


def _print_figures(
    name: str, setting: Mapping[str, float], figures: Mapping[str, float], *, as_json: bool
) -> None:
    machine = this_machine()
    if as_json:
        console.print_json(
            {"benchmark": name, "machine": machine.as_dict(), "setting": setting, "facts": figures}
        )
        return
    _print_machine(machine)
    rows = [[label.replace("_", " "), f"{value:,.5g}"] for label, value in figures.items()]
    stated = ", ".join(f"{label} {value:,g}" for label, value in setting.items())
    console.print_table(f"suzani bench {name}", [name, stated], rows)


def _checked(records: list[int] | None, otherwise: Sequence[int]) -> list[int]:
    sizes = records or list(otherwise)
    if min(sizes) < _FEWEST:
        raise InvalidInput(f"{min(sizes)} records are too few to measure", hint=f"Give {_FEWEST} or more.")
    return sizes


def _measure(name: str, records: list[int] | None, as_json: bool) -> None:
    with console.handled():
        report = run(name, _checked(records, DEFAULT_SIZES), console.note)
    if as_json:
        console.print_json(report.as_dict())
    else:
        _print(report)


def _print_machine(machine: Machine) -> None:
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    console.note(f"{machine.processor}, {machine.cores} cores, {machine.memory_gib} GiB, {machine.system}")
    console.note(versions)


def _print(report: Report) -> None:
    _print_machine(report.machine)
    phases = list(report.samples[0].phases)
    facts = list(report.samples[0].facts)
    rows = [
        ["seconds", *(f"{sample.seconds:.1f}" for sample in report.samples)],
        *[[f"  {name}", *(f"{s.phases.get(name, 0):.2f}" for s in report.samples)] for name in phases],
        ["records/s", *(f"{sample.records_per_second:,.0f}" for sample in report.samples)],
        ["peak memory, MiB", *(f"{sample.peak_mib:,.0f}" for sample in report.samples)],
        ["growth (1 is linear)", *(f"{sample.growth:.2f}" for sample in report.samples)],
        *[[name, *(f"{s.facts.get(name, 0):,.5g}" for s in report.samples)] for name in facts],
    ]
    headings = [report.benchmark, *(f"{sample.records:,}" for sample in report.samples)]
    console.print_table(f"suzani bench {report.benchmark}", headings, rows)
