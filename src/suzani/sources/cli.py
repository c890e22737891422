"""Commands of sources: `load`, `source ...` and `quarantine ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from suzani.infra import console
from suzani.infra.commands import DataOption, JsonOption
from suzani.infra.platform import running
from suzani.infra.settings import Settings
from suzani.kernel import InvalidInput
from suzani.sources import cli_quarantine
from suzani.sources.catalogue import find_mapping, known_mappings
from suzani.sources.check import Check, check
from suzani.sources.infer import infer
from suzani.sources.mapping import Field, Mapping
from suzani.sources.mapping_file import load_mapping
from suzani.sources.service import LoadProgress, Progress, load
from suzani.sources.types import Limits, LoadOptions, LoadReport, Mode, Sql

source_app = typer.Typer(no_args_is_help=True, help="Mappings of the product systems.")


def register(app: typer.Typer) -> None:
    """Mount the commands of sources."""
    app.command("load")(load_command)
    app.add_typer(source_app, name="source")
    app.add_typer(cli_quarantine.app, name="quarantine")


def load_command(
    system: Annotated[str, typer.Argument(help="The system whose mapping reads the files.")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="Its extracts; together they are one snapshot.")
    ] = None,
    mode: Annotated[
        Mode | None, typer.Option(help="Read as a delta or a full snapshot; else as mapped.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="Use this mapping file.")] = None,
    sql: Annotated[
        str | None, typer.Option("--sql", help="Load the rows of a query in place of files.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option("--from", envvar="SUZANI_SOURCE_URL", help="The query's database (SQLAlchemy URL)."),
    ] = None,
    allow_deletes: Annotated[
        bool, typer.Option("--allow-deletes", help="Let a snapshot delete however many records it lacks.")
    ] = False,
    max_field_bytes: Annotated[
        int, typer.Option(min=1, help="Longest value in bytes; a row with a longer one goes to quarantine.")
    ] = Limits().field_bytes,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Load a system's extracts. Stopped, the same command goes on; repeated, it changes nothing."""
    if sql is not None and url is None:
        with console.handled():
            raise InvalidInput(
                "--sql needs the database's address", hint="Give --from, or set SUZANI_SOURCE_URL."
            )
    options = LoadOptions(
        mode=mode,
        allow_deletes=allow_deletes,
        limits=Limits(field_bytes=max_field_bytes, row_bytes=max(Limits().row_bytes, 2 * max_field_bytes)),
        mapping_file=str(mapping) if mapping else None,
        sql=Sql(sql, url) if sql is not None and url is not None else None,
    )
    report = console.run(_load(Settings.from_environment(data), system, files or [], options))
    _say_report(report, as_json)


async def _load(settings: Settings, system: str, files: list[Path], options: LoadOptions) -> LoadReport:
    if options.mapping_file is None:
        find_mapping(system, settings.data_dir)  # a wrong name is told before the server starts
    with console.progress() as bars:
        task = bars.add_task(f"load {system}", total=1000)

        def show(at: LoadProgress) -> None:
            done = int((at.file_no + at.share) / at.files * 1000)
            bars.update(task, completed=done, description=f"load {system}: {at.rows:,} rows")

        shown: Progress = show
        async with running(settings) as platform:
            return await load(platform, system, files, options, shown)


def _say_report(report: LoadReport, as_json: bool) -> None:
    if as_json:
        console.print_json(report.as_dict())
    else:
        counts = {
            "rows in": report.rows_in,
            "new": report.rows_new,
            "changed": report.rows_changed,
            "unchanged": report.rows_unchanged,
            "quarantined": report.rows_quarantined,
        }
        also = {
            "records deleted": report.records_deleted,
            "records restored": report.records_restored,
            "records re-keyed": report.records_rekeyed,
            "deletes held back": report.deletes_held,
        }
        shown = counts | {name: count for name, count in also.items() if count}
        title = f"{report.system}: load {report.load_id}, {report.mode}, {report.seconds:.1f} s"
        title += ", gone on with" if report.resumed else ""
        console.print_table(title, ["", "count"], [[name, f"{count:,}"] for name, count in shown.items()])
    for warning in report.warnings:
        console.note(f"Note: {warning}")
    if report.rows_in == 0:
        console.note("Note: there were no rows to load.")
    if report.rows_quarantined:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in report.quarantined_by_reason.items())
        console.note(f"In quarantine: {reasons}. See `suzani quarantine list --system {report.system}`.")


@source_app.command("list")
def list_command(data: DataOption = None, as_json: JsonOption = False) -> None:
    """The systems that have a mapping."""
    with console.handled():
        settings = Settings.from_environment(data)
        found = {
            name: find_mapping(name, settings.data_dir) for name in sorted(known_mappings(settings.data_dir))
        }
        if as_json:
            console.print_json({name: {"title": m.name(), "file": m.origin} for name, m in found.items()})
            return
        rows = [
            [name, m.name(), m.format.type or "by ending", str(m.mode), m.origin] for name, m in found.items()
        ]
        console.print_table("Systems", ["system", "title", "format", "mode", "mapping"], rows)


@source_app.command("show")
def show_command(system: str, data: DataOption = None) -> None:
    """How a system's columns become attributes and products."""
    with console.handled():
        mapping = find_mapping(system, Settings.from_environment(data).data_dir)
        rows = [[path, _source_of(place), _reading(place)] for path, place in mapping.places()]
        console.print_table(f"{mapping.name()} ({mapping.origin})", ["target", "column", "read as"], rows)


def _source_of(place: Field) -> str:
    return place.join.join(place.columns) if place.columns else f"always {place.constant!r}"


def _reading(place: Field) -> str:
    parts = [*place.formats]
    if place.values:
        parts.append(", ".join(f"{known}={meaning}" for known, meaning in place.values.items()))
    return "; ".join(parts)


@source_app.command("infer")
def infer_command(
    file: Annotated[Path, typer.Argument(help="A file of a system that has no mapping yet.")],
    system: Annotated[str | None, typer.Option(help="The system's name; else from the file's name.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the draft; else it is printed.")] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Keep it among the mappings of the data directory.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Draft a mapping by looking at names and content."""
    with console.handled():
        draft = infer(file, system)
        target = out
        if save:
            target = Settings.from_environment(data).data_dir / "mappings" / f"{draft.system}.yaml"
        if target is None:
            typer.echo(draft.text, nl=False)
            return
        if target.exists():
            raise InvalidInput(
                f"{target} is there already", hint="Remove it first, or give another --system."
            )
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(draft.text, encoding="utf-8")
        except OSError as error:
            raise InvalidInput(f"cannot write {target}: {error.strerror or error}") from error
        console.note(f"Drafted {target}. Check it with `suzani source check {target} {file}`.")


@source_app.command("check")
def check_command(
    mapping: Annotated[str, typer.Argument(help="A mapping file, or the name of a system.")],
    file: Annotated[Path, typer.Argument(help="An extract.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try a mapping on a file, writing nothing: how many rows would be refused, and why."""
    with console.handled():
        found = _mapping_of(mapping, data)
        result = check(found, file)
        if as_json:
            console.print_json(result)
        else:
            _say_check(found, result)


def _mapping_of(given: str, data: Path | None) -> Mapping:
    path = Path(given)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return load_mapping(path)
    return find_mapping(given, Settings.from_environment(data).data_dir)


def _say_check(mapping: Mapping, result: Check) -> None:
    rows = [
        ["rows", f"{result.rows:,}"],
        ["usable", f"{result.usable:,}"],
        ["products", f"{result.products:,}"],
    ]
    rows += [[f"refused: {reason}", f"{count:,}"] for reason, count in result.refused.items()]
    console.print_table(f"{mapping.system}: what a load would find", ["", "count"], rows)
    share = {name: f"{count:,}" for name, count in result.filled.items()}
    console.print_table("Filled", ["attribute", "rows"], [[name, count] for name, count in share.items()])
    for example in result.examples:
        console.note(f"row {example.row}: {example.reason}: {example.detail}")
