"""Commands of traits: `trait list`, `trait check`."""

from __future__ import annotations

from typing import Any

import typer

from suzani.infra import console
from suzani.infra.commands import DataOption, JsonOption
from suzani.infra.settings import Settings
from suzani.traits.plan import load_plan
from suzani.traits.types import Definition


def register(app: typer.Typer) -> None:
    """Mount the commands of traits."""
    traits = typer.Typer(no_args_is_help=True, help="Traits: what is computed of customers' events.")
    traits.command("list")(list_command)
    traits.command("check")(check_command)
    app.add_typer(traits, name="trait")


def list_command(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List every trait: those shipped, with those of traits.yaml in the data directory."""
    with console.handled():
        plan = load_plan(Settings.from_environment(data).data_dir)
    if as_json:
        console.print_json([{"name": trait.name, **trait.declared} for trait in plan.definitions])
        return
    rows = [
        [trait.name, trait.kind, trait.measure.of, _events(trait), _text(trait.declared.get("window", ""))]
        for trait in plan.definitions
    ]
    console.print_table(f"{len(rows)} traits", ["trait", "kind", "of", "events", "window"], rows)


def check_command(data: DataOption = None) -> None:
    """Check the traits of the data directory; the first that is wrong is told, with what to do about it."""
    settings = Settings.from_environment(data)
    with console.handled():
        plan = load_plan(settings.data_dir)
    zone = plan.calendar.zone_name
    console.note(f"{len(plan.names)} traits are sound; {plan.cells} summaries a customer; days in {zone}.")


def _events(trait: Definition) -> str:
    """Which events count: names or types, then the conditions."""
    names = ", ".join(trait.measure.filter.names or trait.measure.filter.types) or "any"
    conditions = {key: trait.declared[key] for key in ("channel", "source", "where") if key in trait.declared}
    return " ".join([names, *(f"{key}: {_text(value)}" for key, value in conditions.items())])


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
