"""Commands about subjects: `subject show | history | separate | undo`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from suzani.infra import console
from suzani.infra.commands import ActorOption, DataOption, JsonOption, ReasonOption, with_platform
from suzani.infra.platform import Platform
from suzani.kernel import NotFound, now
from suzani.stitching.finding import current_subject, find, history, identifiers, links, subject_of_person
from suzani.stitching.following import follow
from suzani.stitching.rules import load_identifiers
from suzani.stitching.stewarding import separate, undo
from suzani.stitching.store import NewChange
from suzani.stitching.types import Cause, Change, Identifier, Link, Name, Subject

NameArgument = Annotated[
    str, typer.Argument(metavar="KIND:VALUE", help="Such as email:ann@bank.uz, person:17 or subject:42.")
]


def register(app: typer.Typer) -> None:
    """Mount the commands about subjects."""
    subject = typer.Typer(no_args_is_help=True, help="Whose events are: identifiers, separate, undo.")
    subject.command("show")(show_command)
    subject.command("history")(history_command)
    subject.command("separate")(separate_command)
    subject.command("undo")(undo_command)
    subject.command("follow")(follow_command)
    app.add_typer(subject, name="subject")


async def _named(platform: Platform, name: str) -> tuple[Subject, list[Identifier], list[Link], list[Change]]:
    """Who a name stands for, with everything about that. Raises NotFound."""
    kind, _, value = name.partition(":")
    async with platform.db.transaction() as tx:
        if kind in ("subject", "person"):
            of = current_subject if kind == "subject" else subject_of_person
            found = await of(tx, int(value)) if value.isascii() and value.isdecimal() else None
        else:
            found = await find(tx, load_identifiers(platform.data_dir), kind, value)
        if found is None:
            raise NotFound(f"nobody is known as {name}", hint="Give a kind and a value, as in user_id:42.")
        own = found.subject_id
        return found, await identifiers(tx, [own]), await links(tx, own), await history(tx, own)


def show_command(name: NameArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Show whose an identifier is: all identifiers of that subject, and the evidence."""
    found, own, evidence, _ = with_platform(data, lambda platform: _named(platform, name))
    if as_json:
        shown = [{**asdict(link), "message": link.message.hex()} for link in evidence]
        console.print_json(
            {"subject": asdict(found), "identifiers": [asdict(one) for one in own], "links": shown}
        )
        return
    person = f"person {found.person_id}" if found.person_id is not None else "not known as a person"
    console.OUT.print(f"Subject {found.subject_id}: {person}.", highlight=False)
    rows = [
        [
            one.kind, one.value, f"{one.record_id} by {one.record_by}" if one.record_id else "",
            "blocked" if one.blocked else "", f"{one.first_seen:%Y-%m-%d %H:%M}",
        ]
        for one in own
    ]  # fmt: skip
    console.print_table("Identifiers", ["kind", "value", "record", "", "first seen"], rows)
    seen = [
        [f"{Name(link.weak.kind, link.weak.value)}", f"{Name(link.strong.kind, link.strong.value)}",
         f"{link.at:%Y-%m-%d %H:%M}", link.verdict.value or "joined", str(link.change_id or "")]
        for link in evidence
    ]  # fmt: skip
    if seen:
        console.print_table("Seen together", ["identifier", "with", "first", "came of it", "change"], seen)


def history_command(name: NameArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Show every change of a subject: when, why, by whom, which identifiers moved."""
    found, _, _, changes = with_platform(data, lambda platform: _named(platform, name))
    if as_json:
        console.print_json({"subject": asdict(found), "changes": [_plain(change) for change in changes]})
        return
    rows = [
        [str(change.change_id), f"{change.at:%Y-%m-%d %H:%M}", _cause(change), _moves(change)]
        for change in changes
    ]
    console.print_table(f"Subject {found.subject_id}", ["change", "at", "cause", "moved"], rows)


def separate_command(
    name: NameArgument,
    reason: ReasonOption,
    actor: ActorOption,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that an identifier is not whose it is taken for; its events go with it."""

    async def work(platform: Platform) -> Change:
        kind, _, value = name.partition(":")
        async with platform.db.transaction() as tx:
            rules = load_identifiers(platform.data_dir)
            return await separate(
                tx, rules, Name(kind, value), NewChange(Cause.STEWARD, now(), actor, reason)
            )

    _say(with_platform(data, work), as_json)


def undo_command(
    change: Annotated[int, typer.Argument(help="The change to undo; `subject history` lists them.")],
    reason: ReasonOption,
    actor: ActorOption,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a change of subjects back; an undo can be undone."""

    async def work(platform: Platform) -> Change:
        async with platform.db.transaction() as tx:
            rules = load_identifiers(platform.data_dir)
            return await undo(tx, rules, change, NewChange(Cause.UNDO, now(), actor, reason))

    _say(with_platform(data, work), as_json)


def follow_command(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Let subjects follow the persons that changed; a worker does that by itself."""
    found = with_platform(data, follow)
    if as_json:
        console.print_json(found)
        return
    console.OUT.print(
        f"{found.created:,} new subjects of persons; {found.pointed:,} identifiers lead elsewhere; "
        f"{found.moved:,} subjects changed.",
        highlight=False,
    )


def _plain(change: Change) -> dict[str, object]:
    """A change as JSON has it."""
    moves, steps = [move._asdict() for move in change.moves], [step._asdict() for step in change.steps]
    return {**asdict(change), "moves": moves, "steps": steps}


def _cause(change: Change) -> str:
    what = f"undo of {change.undoes}" if change.undoes else change.cause.value
    return f"{what} by {change.actor}: {change.reason}" if change.actor else what


def _moves(change: Change) -> str:
    return ", ".join(f"{Name(m.kind, m.value)} from {m.from_subject} to {m.to_subject}" for m in change.moves)


def _say(change: Change, as_json: bool) -> None:
    if as_json:
        console.print_json(_plain(change))
        return
    for line in (
        f"Change {change.change_id}: {_moves(change) or 'nothing moved'}.",
        f"To undo: suzani subject undo {change.change_id} --reason …",
    ):
        console.OUT.print(line, highlight=False, soft_wrap=True)
