"""Looking at subjects, and what people decide about them: separate, undo. In effect at once, kept for
ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from suzani.infra import jobs
from suzani.infra.db import Tx
from suzani.kernel import Conflict, InvalidInput, NotFound
from suzani.stitching import following_store, stewarding_store, store
from suzani.stitching.finding import identifiers_by_id, links
from suzani.stitching.forest import spanning_forest
from suzani.stitching.reshaping import Evidence, Met, reshape, until_alone
from suzani.stitching.rules import Rules
from suzani.stitching.service import CHANGED, pointers_of
from suzani.stitching.store import NewChange
from suzani.stitching.types import Cause, Change, Identifier, Link, Name, Step, Verdict, What


async def separate(tx: Tx, rules: Rules, name: Name, change: NewChange) -> Change:
    """Say that an identifier is not whose it is taken for: what links it to the stronger ones of its subject
    is taken back, directly or through weaker ones; to the weaker ones, where there are no stronger.

    What hangs on it alone goes with it. It joins again only by others that it is seen with later. Raises
    NotFound, and Conflict where nothing links it or its record says whose it is.
    """
    _require_words(change)
    known = await stewarding_store.identifier(tx, Name(name.kind, rules.name(*name)))
    if known is None:
        raise NotFound(f"no event has had {name}")
    if known.record_by in ("key", "product"):
        raise Conflict(
            f"{name} leads to record {known.record_id}, which says whose it is",
            hint="Separate the record from its person: suzani person separate.",
        )
    evidence = await links(tx, known.subject_id)
    steps = [Step(What.REVOKED, *pair) for pair in _to_cut(rules, known, evidence)]
    if known.record_id is not None:
        steps.append(Step(What.DENIED, known.identifier_id))
    if not steps:
        raise Conflict(f"nothing links {name} to anybody")
    return await _carry_out(tx, rules, _Decision(change, steps, leaving=frozenset([known.identifier_id])))


def _to_cut(rules: Rules, leaving: Identifier, evidence: Sequence[Link]) -> list[tuple[int, int]]:
    """The links of an identifier to those of its subject that do not hang on it alone. Pure."""
    standing = [
        link
        for link in evidence
        if link.weak.subject_id == link.strong.subject_id
        and link.verdict not in (Verdict.LIMIT, Verdict.TAKEN_BACK)
    ]
    own = [link for link in standing if leaving in (link.weak, link.strong)]
    others = {one for link in standing for one in (link.weak, link.strong)} - {leaving}
    trees, _ = spanning_forest([(link.weak, link.strong) for link in standing if link not in own], ())
    surest = {one for one in others if rules.kinds[one.kind].anchor} or {
        min(others, key=lambda one: (-rules.kinds[one.kind].priority, one.identifier_id)) for _ in own[:1]
    }
    staying = {trees.root(one) for one in surest}
    return [
        (link.weak.identifier_id, link.strong.identifier_id)
        for link in own
        if trees.root(link.strong if link.weak == leaving else link.weak) in staying
    ]


async def undo(tx: Tx, rules: Rules, change_id: int, change: NewChange) -> Change:
    """Take a change back: evidence is as it was before it, and with that who belongs to whom, but for what
    came since. An undo can be undone. `change.undoes` is set here.

    Raises NotFound, and Conflict for what was undone already, what has nothing left to undo, and what
    identity resolution did.
    """
    _require_words(change)
    past = await stewarding_store.change(tx, change_id)
    if past is None:
        raise NotFound(f"there is no change {change_id}")
    if past.cause is Cause.IDENTITY:
        raise Conflict(
            f"change {change_id} followed persons that changed", hint="Undo that: suzani person undo."
        )
    undos = await stewarding_store.undoing(tx, change_id)
    if (by := _in_force(change_id, undos)) is not None:
        raise Conflict(f"change {change_id} was undone by change {by} already")
    steps = [Step(step.what.opposite, step.weak_id, step.strong_id) for step in past.steps]
    if past.cause is Cause.EVENT:
        steps = [Step(What.REVOKED, *pair) for pair in await stewarding_store.joined_by(tx, change_id)]
    if not steps:
        raise Conflict(f"change {change_id} has nothing left to undo")
    new = NewChange(Cause.UNDO, change.at, change.actor, change.reason, change_id)
    former = {move.identifier_id: move.from_subject for move in past.moves}
    return await _carry_out(tx, rules, _Decision(new, steps, former))


async def block_shared(
    tx: Tx, rules: Rules, identifier_ids: Sequence[int], change: NewChange
) -> Change | None:
    """Let identifiers that are seen with too many count for nothing: each belongs to itself from then on.
    None if they are blocked already."""
    known = await identifiers_by_id(tx, identifier_ids)
    steps = [Step(What.BLOCKED, number) for number, one in known.items() if not one.blocked]
    leaving = frozenset(step.weak_id for step in steps)
    return await _carry_out(tx, rules, _Decision(change, steps, leaving=leaving)) if steps else None


@dataclass(frozen=True, slots=True)
class _Decision:
    """What is to be done to evidence, and why; `former` and `leaving` as a scene has them."""

    change: NewChange
    steps: Sequence[Step]
    former: Mapping[int, int] = field(default_factory=dict)
    leaving: frozenset[int] = frozenset()


async def _carry_out(tx: Tx, rules: Rules, decision: _Decision) -> Change:
    """Change evidence, and give everybody whom that concerns their subject anew."""
    named = {end for step in decision.steps for end in (step.weak_id, step.strong_id) if end is not None}

    async def attempt(wanted: frozenset[int]) -> int:
        subjects = {one.subject_id for one in (await identifiers_by_id(tx, named)).values()}
        locked = await store.lock(tx, {*subjects, *decision.former.values(), *wanted})
        if {one.subject_id for one in (await identifiers_by_id(tx, named)).values()} != subjects:
            raise Met
        change_id = await store.add_change(tx, decision.change)
        await stewarding_store.take(tx, change_id, decision.steps)
        await _point_again(tx, rules, decision.steps)
        evidence = Evidence(
            {*subjects, *decision.former.values()},
            again=True,
            former=decision.former,
            leaving=decision.leaving,
        )
        found = await reshape(tx, rules, evidence, locked, decision.change, change_id)
        await store.affect(tx, found.changed, moved=True)
        await jobs.publish(tx, CHANGED)
        return change_id

    done = await stewarding_store.change(tx, await until_alone(tx, attempt))
    assert done is not None  # noqa: S101 - it was stored
    return done


async def _point_again(tx: Tx, rules: Rules, steps: Sequence[Step]) -> None:
    """Let identifiers lead to records that may do so again."""
    allowed = [step.weak_id for step in steps if step.what is What.ALLOWED]
    for one in (await identifiers_by_id(tx, allowed)).values():
        found = (await pointers_of(tx, rules, one.kind, [one.value])).get(one.value)
        await following_store.point(tx, {one.identifier_id: found})


def _in_force(change_id: int, undos: Sequence[tuple[int, int]]) -> int | None:
    """The undo of a change that nothing undid itself, or None."""
    for undo_id, undone in undos:
        if undone == change_id and _in_force(undo_id, undos) is None:
            return undo_id
    return None


def _require_words(change: NewChange) -> None:
    if not change.actor.strip() or not change.reason.strip():
        raise InvalidInput("say who decides this and why")
