"""Commands on trained models: `suzani model show | diff | export | import`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from suzani.identity.files.linking import read_fields
from suzani.identity.files.tables import write_whole
from suzani.identity.models.file import Model
from suzani.identity.models.report import ModelChanges, compare_models, model_data, model_rows, summary_rows
from suzani.identity.models.splink import expected_columns, left_behind, to_splink
from suzani.identity.models.splink_import import from_splink
from suzani.identity.models.store import model_of_run
from suzani.infra import console
from suzani.infra.commands import DataOption
from suzani.infra.platform import running
from suzani.infra.settings import Settings
from suzani.kernel import InvalidInput, NotFound

app = typer.Typer(no_args_is_help=True, help="Trained models: show, compare, exchange with Splink.")

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_SHOWN_CHANGES = 40


def read_model(path: Path) -> Model:
    """The model in a file; raises InvalidInput that names the file and what is wrong."""
    return Model.from_json(_text(path), str(path))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise InvalidInput(f"there is no file {path}", hint="Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}", hint="Give a JSON file in UTF-8.") from None


def _check_target(path: Path) -> None:
    """Raise before any work when a result could not be written to `path` later."""
    if not path.parent.is_dir():
        raise NotFound(f"there is no folder {path.parent} to write {path.name} into", hint="Make it first.")
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder; name a file", hint="For example model.json in it.")


@app.command("show")
def show_command(
    file: Annotated[
        Path | None, typer.Argument(help="A model file; without it, the platform's model.")
    ] = None,
    run: Annotated[int | None, typer.Option(help="The model of this run instead of the last one's.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what each level of each field weighs, in bits, and how likely matches are."""
    with console.handled():
        if file is not None and run is not None:
            raise InvalidInput("give a file or --run, not both", hint="--run asks the platform.")
        model = read_model(file) if file is not None else None
    title = str(file)
    if model is None:
        number, model = console.run(_of_platform(run, data))
        title = f"Model of run {number}"
    if as_json:
        console.print_json(model_data(model))
        return
    console.print_table(title, ["", ""], summary_rows(model))
    console.print_table("Weights", ["field", "level", "m", "u", "h", "bits", "−   │   +"], model_rows(model))


async def _of_platform(run: int | None, data: Path | None) -> tuple[int, Model]:
    async with running(Settings.from_environment(data)) as platform, platform.db.transaction() as tx:
        return await model_of_run(tx, run)


@app.command("diff")
def diff_command(
    first: Annotated[Path, typer.Argument(help="A model file.")],
    second: Annotated[Path, typer.Argument(help="Another model file.")],
    as_json: JsonOption = False,
) -> None:
    """Show what weighs more or less in the second model; exits with 0 if the two are equal, else with 1."""
    with console.handled():
        changes = compare_models(read_model(first), read_model(second))
    if as_json:
        console.print_json(changes.as_dict())
    else:
        _say_changes(changes, first, second)
    if not changes.none:
        raise typer.Exit(1)


def _say_changes(changes: ModelChanges, first: Path, second: Path) -> None:
    if changes.none:
        console.OUT.print("The models are equal.", highlight=False)
        return
    said = [f"prior: {changes.prior_bits:+.2f} bits"] if changes.prior_bits else []
    said += [f"households: {changes.household_bits:+.2f} bits"] if changes.household_bits else []
    said += [f"only in {first}: {name}" for name in changes.only_before]
    said += [f"only in {second}: {name}" for name in changes.only_after]
    for line in [*said, *changes.other]:
        console.OUT.print(line, highlight=False, markup=False, soft_wrap=True)
    rows = [
        [c.field, c.level, f"{c.before_bits:+.2f}", f"{c.after_bits:+.2f}", f"{c.change_bits:+.2f}"]
        for c in changes.levels[:_SHOWN_CHANGES]
    ]
    if rows:
        console.print_table("Weights in bits", ["field", "level", "before", "after", "change"], rows)
    if len(changes.levels) > len(rows):
        console.note(f"{len(changes.levels) - len(rows)} smaller changes are left out; --json has all.")


@app.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(help="A model file.")],
    splink: Annotated[Path, typer.Option(help="Where to write settings for Splink 5.")],
) -> None:
    """Write a model as settings that Splink loads."""
    with console.handled():
        _check_target(splink)
        model = read_model(file)
        text = json.dumps(to_splink(model), indent=1, ensure_ascii=False)
        write_whole(splink, lambda part: part.write_text(text, "utf-8"))
    console.note(f"Written to {splink}. Columns it reads: {', '.join(expected_columns(model))}.")
    for lost in left_behind(model):
        console.note(f"Splink has no place for: {lost}.")


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="Settings or a trained model that Splink saved.")],
    out: Annotated[Path, typer.Option(help="Where to write the model.")],
    fields: Annotated[Path | None, typer.Option(help="YAML file that says what each column is.")] = None,
) -> None:
    """Make a model of Splink's settings with trained m and u; says what was taken for what."""
    with console.handled():
        _check_target(out)
        imported = from_splink(_text(file), str(file), read_fields(fields) if fields else None)
        text = imported.model.to_json()
        write_whole(out, lambda part: part.write_text(text, "utf-8"))
    for note in imported.notes:
        console.note(note)
    console.OUT.print(
        f"{len(imported.model.fields)} fields written to {out}.", highlight=False, soft_wrap=True
    )
