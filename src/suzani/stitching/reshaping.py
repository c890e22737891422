"""Carrying a change of evidence out: which identifiers go to which subject, kept so that it can be undone.

All who change what belongs to subjects hold their locks, taken in the order of ids, and then store new
identifiers in the order of names: so nobody waits in a circle. What turns out to need another lock is done
again
from the start, with that one too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeVar

from suzani.infra.db import Tx
from suzani.stitching import store
from suzani.stitching.rules import Rules
from suzani.stitching.shaping import Edge, Held, Pair, Scene, Shape, shape
from suzani.stitching.store import NewChange, NewIdentifier
from suzani.stitching.types import Cause, Verdict

R = TypeVar("R")


class Met(Exception):
    """Somebody else was at it, or these subjects are needed, too: to be done again."""

    def __init__(self, subjects: Iterable[int] = ()) -> None:
        super().__init__()
        self.subjects = frozenset(subjects)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What changed around some subjects: new identifiers, and links that are new or say something else.

    `again`: something that held them together was taken away, so that all evidence around them counts anew.
    `former` and `leaving`: see `Scene`.
    """

    subjects: Collection[int]
    new: Sequence[NewIdentifier] = ()
    links: Sequence[Edge] = ()
    again: bool = False
    former: Mapping[int, int] = field(default_factory=dict)
    leaving: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Reshaped:
    """What a change of evidence did: the subject of every identifier that it looked at, subjects that became
    part of another, those that won or lost some identifiers otherwise, the person of each, and what became of
    each link."""

    subject_of: Mapping[int, int] = field(default_factory=dict)
    merged: Sequence[tuple[int, int]] = ()
    reshaped: frozenset[int] = frozenset()
    persons: Mapping[int, int | None] = field(default_factory=dict)
    verdicts: Mapping[Pair, Verdict] = field(default_factory=dict)

    @property
    def changed(self) -> set[int]:
        """All subjects whose identifiers are others than before."""
        return {*self.reshaped, *(subject for pair in self.merged for subject in pair)}


async def until_alone(tx: Tx, work: Callable[[frozenset[int]], Awaitable[R]]) -> R:
    """What `work` gives once nobody interferes; it is given subjects that it has to lock with its own."""
    wanted: frozenset[int] = frozenset()
    while True:
        try:
            async with tx.transaction():
                return await work(wanted)
        except Met as met:
            wanted |= met.subjects


async def reshape(
    tx: Tx,
    rules: Rules,
    evidence: Evidence,
    locked: Collection[int],
    change: NewChange,
    change_id: int | None = None,
) -> Reshaped:
    """Give every identifier of the subjects its subject anew; `locked` are the subjects whose lock is held.

    Identifiers that events move get a change for each subject that they move to; else all belong to one
    change: `change_id`, or a new one. Raises Met when another subject has to be locked.
    """
    scene = await _scene(tx, rules, evidence, locked)
    found = await _numbered(tx, shape(rules, scene, count(-1, -1)))
    if needed := {*found.subject_of.values()} - {*locked} - {*found.created}:
        raise Met(needed)
    moves = {
        one.identifier_id: found.subject_of[one.identifier_id]
        for one in scene.held.values()
        if one.subject_id and found.subject_of[one.identifier_id] != one.subject_id
    }
    merged = _merged(scene, found, moves)
    await _write(tx, scene, found, evidence, moves, merged, change, change_id)
    whole = {*merged}
    partly = {
        subject
        for identifier_id, to in moves.items()
        for subject in (scene.held[identifier_id].subject_id, to)
        if scene.held[identifier_id].subject_id not in whole
    }
    persons = {**scene.persons, **found.created, **found.adopted}
    return Reshaped(found.subject_of, tuple(merged.items()), frozenset(partly), persons, found.verdicts)


async def _scene(tx: Tx, rules: Rules, evidence: Evidence, locked: Collection[int]) -> Scene:
    """Everything that the new shape depends on."""
    subjects = {*evidence.subjects}
    edges: dict[Pair, Edge] = {}
    if evidence.again and subjects:
        edges, touched = await store.around(tx, subjects)
        if touched - {*locked}:
            raise Met(touched)
        subjects |= touched
    held: dict[int, Held] = {}
    beyond: dict[int, Held] = {}
    if subjects:
        held = await store.held(tx, subjects)
        between, beyond = await store.between_anchors(tx, subjects, rules.anchors)
        edges |= await store.joining(tx, subjects) | between
    held |= {one.held.identifier_id: one.held for one in evidence.new}
    edges |= {edge.pair: edge for edge in evidence.links}
    beyond = {number: one for number, one in beyond.items() if number not in held}
    leading = {one.person_id for one in (*held.values(), *beyond.values()) if one.person_id is not None}
    persons = (
        await store.subjects_now(tx, subjects | {one.subject_id for one in beyond.values()})
        if subjects
        else {}
    )
    persons |= await store.subjects_of_persons(tx, leading - {*persons.values()})
    hubs = {edge.strong for edge in evidence.links if edge.verdict is None and held[edge.strong].subject_id}
    counts = await store.link_counts(tx, hubs)
    return Scene(held, list(edges.values()), persons, beyond, counts, evidence.former, evidence.leaving)


async def _numbered(tx: Tx, found: Shape) -> Shape:
    """The same shape, with ids that new subjects keep."""
    if not found.created:
        return found
    ids, _ = await store.reserve(tx, subjects=len(found.created))
    own = dict(zip(found.created, ids, strict=True))
    return replace(
        found,
        subject_of={one: own.get(subject, subject) for one, subject in found.subject_of.items()},
        created={own[subject]: person for subject, person in found.created.items()},
    )


def _merged(scene: Scene, found: Shape, moves: Mapping[int, int]) -> dict[int, int]:
    """Subjects without a person all whose identifiers went to one other, and which."""
    went: defaultdict[int, set[int]] = defaultdict(set)
    for one in scene.held.values():
        if one.subject_id:
            went[one.subject_id].add(moves.get(one.identifier_id, one.subject_id))
    return {
        subject: next(iter(to))
        for subject, to in went.items()
        if len(to) == 1 and subject not in to and scene.persons[subject] is None
    }


async def _write(
    tx: Tx, scene: Scene, found: Shape, evidence: Evidence, moves: Mapping[int, int], merged: Mapping[int,
    int], change: NewChange, change_id: int | None,
) -> None:  # fmt: skip
    """Store what follows from a shape. Raises Met when somebody else stored a new identifier meanwhile."""
    if found.created and await store.add_subjects(tx, found.created, change.at) < len(found.created):
        raise Met
    if evidence.new and await store.add_identifiers(tx, evidence.new, found.subject_of, change.at) < len(
        evidence.new
    ):
        raise Met
    change_of = await _changes(tx, {*moves.values()}, change, change_id)
    links = _links(evidence, scene, found, change_of if change.cause is Cause.EVENT else {})
    came = {*moves.values()}
    left = {scene.held[one].subject_id for one in moves}
    async with tx.pipeline():
        if found.adopted:
            await store.adopt(tx, found.adopted)
        if moves:
            await store.move_identifiers(tx, moves)
            await store.renew_subjects(tx, came | left, came, merged)
            await store.add_moves(
                tx, [(change_of[to], one, scene.held[one].subject_id, to) for one, to in moves.items()]
            )
        if links:
            await store.put_links(tx, links)


async def _changes(
    tx: Tx, targets: Collection[int], change: NewChange, change_id: int | None
) -> dict[int, int]:
    """The change that what moves to each subject belongs to."""
    if not targets:
        return {}
    if change.cause is Cause.EVENT:
        ids = await store.add_event_changes(tx, len(targets), change.at)
        return dict(zip(sorted(targets), ids, strict=True))
    return dict.fromkeys(targets, change_id or await store.add_change(tx, change))


def _links(
    evidence: Evidence, scene: Scene, found: Shape, change_of: Mapping[int, int]
) -> list[tuple[Edge, int | None]]:
    """Links that are new, or of which something else became than before; those that join subjects now belong
    to the change that moved these."""
    new = {edge.pair for edge in evidence.links}
    joining = [edge for edge in scene.edges if found.verdicts[edge.pair] is Verdict.JOINED]
    degree = Counter(end for edge in joining for end in edge.pair)
    written = []
    for edge in scene.edges:
        verdict = found.verdicts[edge.pair]
        if edge.pair in new or verdict is not edge.verdict:
            joins = verdict is Verdict.JOINED and edge.verdict is not Verdict.JOINED
            ends = [scene.held[end] for end in edge.pair if end in scene.held]
            # One that is new and hangs on nothing else joins nothing to it.
            bridges = joins and all(one.subject_id or degree[one.identifier_id] > 1 for one in ends)
            change = change_of.get(found.subject_of[edge.weak]) if bridges else None
            written.append((replace(edge, verdict=verdict), change))
    return written
