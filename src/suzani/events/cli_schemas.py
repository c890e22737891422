"""Commands of the catalogue: `suzani schema list | show | check | diff`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from suzani.events.compatibility import Effect, changes, is_breaking
from suzani.events.schemas import Schema, find_schema, load_catalogue, load_schema
from suzani.infra import console
from suzani.infra.commands import DataOption, JsonOption
from suzani.infra.settings import Settings
from suzani.kernel import Conflict

app = typer.Typer(no_args_is_help=True, help="Schemas of events: what their properties are.")


@app.command("list")
def list_command(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Every event of the catalogue, with its versions."""
    with console.handled():
        catalogue = load_catalogue(Settings.from_environment(data).data_dir)
        newest = {name: versions[max(versions)] for name, versions in catalogue.items()}
        if as_json:
            console.print_json(
                {
                    name: {
                        "event": schema.title,
                        "channel": schema.channel,
                        "versions": list(catalogue[name]),
                    }
                    for name, schema in newest.items()
                }
            )
            return
        rows = [
            [name, schema.title, schema.channel, ", ".join(map(str, catalogue[name])), schema.description]
            for name, schema in newest.items()
        ]
        console.print_table("Events", ["schema", "event", "channel", "versions", ""], rows)


@app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="card_authorised, card_authorised@1, or an event's name.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """The properties of an event, or its whole JSON Schema."""
    with console.handled():
        schema = find_schema(load_catalogue(Settings.from_environment(data).data_dir), name)
        if as_json:
            console.print_json(schema.tree)
            return
        rows = [
            [place, _kind(rule), "yes" if place in schema.tree.get("required", ()) else "", _text(rule)]
            for place, rule in schema.tree.get("properties", {}).items()
        ]
        console.print_table(f"{schema.title} ({schema.reference})", ["property", "type", "needed", ""], rows)
        console.note(f"{schema.description}\n{schema.origin}")
        for example in schema.examples:
            typer.echo(json.dumps(example, ensure_ascii=False))


def _kind(rule: object) -> str:
    kind = rule.get("type", "any") if isinstance(rule, dict) else "any"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _text(rule: object) -> str:
    return str(rule.get("description", "")) if isinstance(rule, dict) else ""


@app.command("check")
def check_command(
    file: Annotated[Path, typer.Argument(help="A schema: <name>/<version>.json.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """See whether a file is a sound schema, its examples pass, and it breaks no earlier version."""
    with console.handled():
        schema = load_schema(file)
        versions = load_catalogue(Settings.from_environment(data).data_dir).get(schema.name, {})
        earlier = [version for version in versions if version < schema.version]
        if earlier:
            _say_changes(versions[max(earlier)], schema, as_json)
        elif as_json:
            console.print_json({"schema": schema.reference, "changes": []})
        else:
            console.note(f"{schema.reference} is sound; it is the first of its name.")


@app.command("diff")
def diff_command(
    a: Annotated[str, typer.Argument(help="The earlier one: a file, a name, or name@version.")],
    b: Annotated[str, typer.Argument(help="The later one.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what changed between two schemas, and whether senders of the first are refused by the second."""
    with console.handled():
        data_dir = Settings.from_environment(data).data_dir
        _say_changes(_schema_of(a, data_dir), _schema_of(b, data_dir), as_json)


def _schema_of(given: str, data_dir: Path) -> Schema:
    if given.endswith(".json"):
        return load_schema(Path(given))
    return find_schema(load_catalogue(data_dir), given)


def _say_changes(old: Schema, new: Schema, as_json: bool) -> None:
    """Print what changed; the exit code tells a breaking change."""
    found = changes(old.tree, new.tree)
    verdict = Effect.BREAKING if is_breaking(found) else Effect.COMPATIBLE
    if as_json:
        console.print_json(
            {
                "from": old.reference,
                "to": new.reference,
                "verdict": str(verdict),
                "changes": [asdict(c) for c in found],
            }
        )
    else:
        rows = [[change.effect, change.place or "(the whole)", change.detail] for change in found]
        console.print_table(f"{old.reference} → {new.reference}: {verdict}", ["", "property", "change"], rows)
    if verdict is Effect.BREAKING:
        raise typer.Exit(Conflict.exit_code)
