"""Commands of identity: `link`, `evaluate`, `resolve`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from suzani.identity import model_cli
from suzani.identity.cluster.cli import Engine, link_command_on_spark
from suzani.identity.evaluation_cli import evaluate_command
from suzani.identity.files.linking import Input, Linkage, link, read_fields, read_input
from suzani.identity.files.tables import check_writable, write_table, write_whole
from suzani.identity.learning.estimates import Estimate
from suzani.identity.model_cli import read_model
from suzani.identity.models.model import Model
from suzani.identity.resolving.service import RunReport, resolve
from suzani.infra import console
from suzani.infra.commands import DataOption
from suzani.infra.platform import running
from suzani.infra.settings import Settings
from suzani.kernel import InvalidInput


def register(app: typer.Typer) -> None:
    """Mount the commands of identity."""
    app.command("link")(link_command)
    app.command("evaluate")(evaluate_command)
    app.command("resolve")(resolve_command)
    app.add_typer(model_cli.app, name="model")


def _columns(given: list[str] | None) -> list[str]:
    """Column names given one by one or separated by commas."""
    return [name.strip() for text in given or [] for name in text.split(",") if name.strip()]


def _files_and_columns(files: list[Path], ignored: list[str]) -> tuple[list[Path], list[str]]:
    """`--ignore a b` gives b among the files; with no such file and no ending, it can only be a column."""
    columns = [path for path in files if ignored and not path.suffix and not path.exists()]
    return [path for path in files if path not in columns], [*ignored, *map(str, columns)]


def link_command(
    files: Annotated[list[Path], typer.Argument(help="Files of records: .csv, .parquet or .jsonl.")],
    id_column: Annotated[str, typer.Option("--id", help="The column that identifies a record in its file.")],
    ignore: Annotated[
        list[str] | None, typer.Option(help="A column that is no evidence; may be repeated or list several.")
    ] = None,
    fields: Annotated[Path | None, typer.Option(help="YAML file that says what each column is.")] = None,
    out: Annotated[Path, typer.Option(help="Where to write who is who.")] = Path("persons.parquet"),
    edges: Annotated[Path | None, typer.Option(help="Where to write the evidence between records.")] = None,
    model: Annotated[
        Path | None, typer.Option(help="Use this trained model instead of training one.")
    ] = None,
    save_model: Annotated[Path | None, typer.Option(help="Where to write the trained model.")] = None,
    engine: Annotated[Engine, typer.Option(help="Link on this machine or on Spark.")] = Engine.LOCAL,
    spark_master: Annotated[str | None, typer.Option(help="Spark's master, such as local[2].")] = None,
    spark_work: Annotated[
        Path | None, typer.Option(help="A folder that all of Spark's executors share, for what is between.")
    ] = None,
    learn_from: Annotated[
        int, typer.Option(help="With Spark: learn from a sample if there are more records.", min=1000)
    ] = 1_000_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> None:
    """Link and deduplicate the records of any files, without labels and without set-up."""
    with console.handled():
        for target in (out, edges):
            if target is not None:
                check_writable(target)
        files, ignored = _files_and_columns(files, _columns(ignore))
        learned = read_model(model) if model else None
        if engine is Engine.SPARK:
            if edges is not None:
                raise InvalidInput("edges are not written by Spark", hint="Leave out --edges.")
            linked = link_command_on_spark(
                files, id_column, ignored, fields, out, learned, spark_master, learn_from, spark_work, as_json
            )
            _save_model(save_model, linked.learned.knowledge.model)
            return
        stated = read_fields(fields) if fields else None
        data = read_input(files, id_column, ignored, stated)
        _say_columns(data)
        with console.progress() as bars:
            task = bars.add_task("link", total=None)
            linkage = link(data, learned, lambda phase: bars.update(task, description=phase))
        write_table(linkage.persons, out)
        if edges is not None:
            write_table(linkage.edges, edges)
        _save_model(save_model, linkage.resolution.model)
        _say_result(data, linkage, out, as_json)


def _save_model(path: Path | None, model: Model) -> None:
    if path is not None:
        write_whole(path, lambda part: part.write_text(model.to_json(), "utf-8"))


def _say_columns(data: Input) -> None:
    width = max(map(len, data.guesses), default=0)
    for source, count in data.repeated_ids.items():
        console.note(
            f"Note: {count:,} ids of {source} stand on more than one row; each row is its own record."
        )
    console.note("Columns were taken as:")
    for name, guess in data.guesses.items():
        console.note(f"  {name:<{width}}  {guess.kind.value:<13} {guess.why}")
    if all(guess.kind.value == "ignore" for guess in data.guesses.values()):
        console.note("No column is evidence: every record is a person of its own. Name fields with --fields.")


def _say_result(data: Input, linkage: Linkage, out: Path, as_json: bool) -> None:
    resolution = linkage.resolution
    if as_json:
        console.print_json(
            {
                "records": data.rows,
                "persons": resolution.persons,
                "candidates": resolution.candidates,
                "blocking_rules": resolution.rules,
                "lost_pairs": resolution.lost,
                "estimated_blocking_recall": resolution.estimated_blocking_recall,
                "estimate": asdict(resolution.estimate.rounded()) if resolution.estimate else None,
                "columns": {name: guess.kind.value for name, guess in data.guesses.items()},
                "seconds": resolution.seconds,
            }
        )
        return
    seconds = sum(resolution.seconds.values())
    console.OUT.print(
        f"{data.rows:,} records are {resolution.persons:,} persons "
        f"({resolution.candidates:,} pairs compared in {seconds:.1f} s); written to {out}.",
        highlight=False,
        soft_wrap=True,
    )
    _say_estimate(resolution.estimate)


def _say_estimate(estimate: Estimate | None) -> None:
    """The quality without labels, in a line, with nine-in-ten intervals."""
    if estimate is not None:
        console.OUT.print(f"{estimate}, over pairs of records.", highlight=False, soft_wrap=True)


def resolve_command(
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Resolve all loaded records into persons."""

    async def work() -> RunReport:
        async with running(Settings.from_environment(data)) as platform:
            with console.progress() as bars:
                task = bars.add_task("resolve", total=None)
                return await resolve(platform, progress=lambda phase: bars.update(task, description=phase))

    report = console.run(work())
    if as_json:
        console.print_json(report)
        return
    console.OUT.print(
        f"{report.records:,} records are {report.persons:,} persons "
        f"({report.new_persons:,} new, {report.retired_persons:,} retired).",
        highlight=False,
    )
    _say_estimate(report.estimate)
