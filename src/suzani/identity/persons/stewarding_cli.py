"""Commands about single persons: `person show | history | join | separate | undo | constraints`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from suzani.identity.persons import lineage_store
from suzani.identity.persons.lineage import Event, Whereabouts, history, whereabouts
from suzani.identity.persons.stewarding import join, record_ids, revoke, separate
from suzani.identity.persons.types import Constraint, Outcome
from suzani.identity.persons.undoing import undo
from suzani.infra import console
from suzani.infra.commands import (
    ActorOption,
    DataOption,
    JsonOption,
    ReasonOption,
    in_transaction,
    with_platform,
)
from suzani.infra.db import Tx
from suzani.infra.platform import Platform

PersonArgument = Annotated[int, typer.Argument(help="The person's id.")]


def register(app: typer.Typer) -> None:
    """Mount the commands about persons."""
    person = typer.Typer(
        no_args_is_help=True, help="Single persons: where they came from, join, separate, undo."
    )
    person.command("show")(show_command)
    person.command("history")(history_command)
    person.command("join")(join_command)
    person.command("separate")(separate_command)
    person.command("undo")(undo_command)
    person.command("constraints")(constraints_command)
    app.add_typer(person, name="person")


def show_command(person: PersonArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Show what an id stands for today: its records, or where they went."""
    found = in_transaction(data, lambda tx: whereabouts(tx, person))
    if as_json:
        console.print_json(found)
        return
    console.OUT.print(_state(found), highlight=False)
    rows = [[f"{system}/{key}", str(record)] for record, system, key in found.records]
    if rows:
        console.print_table("Records", ["record", "id"], rows)
    for other, count in found.went_to.items():
        console.OUT.print(f"{count:,} of its records are with person {other} now.", highlight=False)


def _state(found: Whereabouts) -> str:
    if found.retired_at is None:
        also = ", ".join(map(str, found.taken_over))
        return f"Person {found.person_id} has {len(found.records):,} records." + (
            f" It took over {also}." if also else ""
        )
    where = f"person {found.current} took over" if found.current else "all its records are gone"
    return f"Person {found.person_id} was retired on {found.retired_at:%Y-%m-%d %H:%M}: {where}."


def history_command(person: PersonArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Show every change of a person: when, why, by whom, which records came and left."""
    events = in_transaction(data, lambda tx: history(tx, person))
    if as_json:
        console.print_json([asdict(event) for event in events])
        return
    rows = [
        [
            str(event.change.change_id),
            f"{event.change.at:%Y-%m-%d %H:%M}",
            _cause(event),
            _moves(event.came, "from"),
            _moves(event.left, "to"),
        ]
        for event in events
    ]
    console.print_table(f"Person {person}", ["change", "at", "cause", "came", "left"], rows)


def _cause(event: Event) -> str:
    change = event.change
    what = f"undo of {change.undoes}" if change.undoes else change.cause.value
    return f"{what} by {change.actor}: {change.reason}" if change.actor else what


def _moves(moved: tuple[Any, ...], way: str) -> str:
    others = [(f"{m.system}/{m.key}", m.from_person if way == "from" else m.to_person) for m in moved]
    return ", ".join(f"{name} {way} {other}" if other else name for name, other in others)


def join_command(
    persons: Annotated[list[int], typer.Argument(help="Ids of the persons that are one.")],
    reason: ReasonOption,
    actor: ActorOption,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that persons are one: at once, and in every later run."""
    _say(with_platform(data, lambda p: join(p, persons=persons, actor=actor, reason=reason)), as_json)


def separate_command(
    person: PersonArgument,
    records: Annotated[list[str], typer.Option(help="A record that leaves, as SYSTEM/KEY; may be repeated.")],
    reason: ReasonOption,
    actor: ActorOption,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that records of a person are someone else: at once, and in every later run."""

    async def work(platform: Platform) -> Outcome:
        async with platform.db.transaction() as tx:
            leaving = await record_ids(tx, records)
        return await separate(platform, leaving, person=person, actor=actor, reason=reason)

    _say(with_platform(data, work), as_json)


def undo_command(
    change: Annotated[int, typer.Argument(help="The change to undo; `person history` lists them.")],
    reason: ReasonOption,
    actor: ActorOption,
    person: Annotated[
        list[int] | None, typer.Option(help="Of a run: a person to restore; may be repeated.")
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Undo a merge or a split: who was who before is so again, under the old ids."""
    _say(with_platform(data, lambda p: undo(p, change, actor=actor, reason=reason, persons=person)), as_json)


def constraints_command(
    actor: ActorOption,
    take_back: Annotated[int | None, typer.Option("--revoke", help="Take this constraint back.")] = None,
    reason: Annotated[str, typer.Option(help="Why it is taken back.")] = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what stewards said about records, or take one constraint back."""
    if take_back is not None:
        _say(with_platform(data, lambda p: revoke(p, take_back, actor=actor, reason=reason)), as_json)
        return

    async def work(tx: Tx) -> tuple[list[Constraint], dict[int, dict[str, Any]]]:
        known = await lineage_store.constraints(tx)
        records = {record for one in known for record in (one.record_a, one.record_b)}
        return known, await lineage_store.record_names(tx, sorted(records))

    known, names = in_transaction(data, work)
    if as_json:
        console.print_json([asdict(one) for one in known])
        return
    named = {record: f"{row['system']}/{row['key']}" for record, row in names.items()}
    rows = [
        [
            str(one.constraint_id),
            "are one" if one.kind == "must" else "are two",
            named.get(one.record_a, str(one.record_a)),
            named.get(one.record_b, str(one.record_b)),
            f"{one.actor}, {one.at:%Y-%m-%d}: {one.reason}",
            str(one.change_id),
        ]
        for one in known
    ]
    console.print_table("Constraints", ["id", "says", "record", "and record", "by", "change"], rows)


def _say(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        console.print_json(outcome)
        return
    persons = ", ".join(map(str, outcome.persons)) or "nobody"
    lines = [f"Change {outcome.change_id}: {outcome.moves:,} records moved; these are now: {persons}."]
    if outcome.retired:
        lines.append(f"Retired: {', '.join(map(str, outcome.retired))}.")
    if outcome.revived:
        lines.append(f"Back again: {', '.join(map(str, outcome.revived))}.")
    lines.append(f"To undo: suzani person undo {outcome.change_id} --reason …")
    for line in lines:
        console.OUT.print(line, highlight=False, soft_wrap=True)
