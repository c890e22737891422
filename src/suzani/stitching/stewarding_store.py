"""The SQL of what people ask of subjects and decide about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from suzani.infra.arrays import integers
from suzani.infra.db import Tx, execute, fetch, fetch_one, load_queries
from suzani.stitching.types import Cause, Change, Identifier, Moved, Name, Step, What

_queries = load_queries("suzani.stitching", "stewarding.sql")


async def identifier(tx: Tx, name: Name) -> Identifier | None:
    """The identifier of a name; None for one that no event has had."""
    row = await fetch_one(tx, _queries.identifier, kind=name.kind, value=name.value)
    return Identifier(**row) if row else None


async def joined_by(tx: Tx, change_id: int) -> list[tuple[int, int]]:
    """The links that a change joined subjects by, and that still do."""
    rows = await fetch(tx, _queries.joined_by, change_id=change_id)
    return [(row["weak_id"], row["strong_id"]) for row in rows]


async def change(tx: Tx, change_id: int) -> Change | None:
    """A change; None where there is none with this id."""
    found = await _changes(tx, await fetch(tx, _queries.change, change_id=change_id))
    return found[0] if found else None


async def changes_of(tx: Tx, subject_id: int) -> list[Change]:
    """The changes that moved identifiers that a subject has or had, the earliest first."""
    return await _changes(tx, await fetch(tx, _queries.changes_of, subject_id=subject_id))


async def _changes(tx: Tx, rows: Sequence[dict[str, Any]]) -> list[Change]:
    ids = integers(row["change_id"] for row in rows)
    steps: dict[int, list[Step]] = {}
    for row in await fetch(tx, _queries.steps, changes=ids):
        step = Step(What(row["what"]), row["weak_id"], row["strong_id"])
        steps.setdefault(row["change_id"], []).append(step)
    moves: dict[int, list[Moved]] = {}
    for row in await fetch(tx, _queries.moves, changes=ids):
        moves.setdefault(row.pop("change_id"), []).append(Moved(**row))
    return [
        Change(
            **{**row, "cause": Cause(row["cause"])},
            steps=tuple(steps.get(row["change_id"], ())),
            moves=tuple(moves.get(row["change_id"], ())),
        )
        for row in rows
    ]


async def undoing(tx: Tx, change_id: int) -> list[tuple[int, int]]:
    """All undos of a change, undos of these, and so on: each with what it undoes."""
    return [
        (row["change_id"], row["undoes"]) for row in await fetch(tx, _queries.undoing, change_id=change_id)
    ]


async def take(tx: Tx, change_id: int, steps: Sequence[Step]) -> None:
    """Do what a change does to evidence, and keep that it did."""
    what, weak, strong = (
        [step.what.value for step in steps],
        [step.weak_id for step in steps],
        [step.strong_id for step in steps],
    )
    await execute(
        tx,
        _queries.add_steps,
        change_id=change_id,
        what=what,
        weak=integers(weak),
        strong=integers(strong),
    )
    for one, query in _LINKS.items():
        if own := [step for step in steps if step.what is one]:
            pairs = (
                integers(step.weak_id for step in own),
                integers(step.strong_id for step in own),
            )
            await execute(tx, query, weak=pairs[0], strong=pairs[1])
    for one, query in _IDENTIFIERS.items():
        if own := [step for step in steps if step.what is one]:
            await execute(tx, query, identifiers=integers(step.weak_id for step in own))


_LINKS = {What.REVOKED: _queries.revoke_links, What.RESTORED: _queries.restore_links}
_IDENTIFIERS = {
    What.DENIED: _queries.deny, What.ALLOWED: _queries.allow, What.BLOCKED: _queries.block,
    What.CLEARED: _queries.clear,
}  # fmt: skip
