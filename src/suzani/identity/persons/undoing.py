"""Undoing a merge or a split at any later time: who was together is together again, under the old ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from suzani.identity.persons import lineage_store
from suzani.identity.persons.constraints import Groups, Link, chain, link
from suzani.identity.persons.decisions import Claim, Decision, decide, hold_lock, require_words
from suzani.identity.persons.types import Cause, Change, Kind, NewChange, Outcome
from suzani.infra.db import Tx
from suzani.infra.platform import Platform
from suzani.kernel import Conflict, InvalidInput, NotFound

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Past:
    """The records that still live of the persons a change affected: their person before it (`then`), just
    `after` it, and `now`. `lasting`: nothing since parted the record from the person it had after the change.
    `retired` are those of the `affected` persons that have no records today."""

    record_id: Ints
    then: Ints
    after: Ints
    now: Ints
    lasting: npt.NDArray[np.bool_]
    affected: tuple[int, ...]
    retired: tuple[int, ...]

    def links(self) -> list[Link]:
        """Constraints under which the change is as if it had not been.

        Records that came from one person and are together today stay so, and are apart from those that came
        from others; what the change parted is linked again. What later changes parted is left as it is.
        """
        classes = self._classes()
        must = [item for records in classes.values() for item in chain(records)]
        cannot = [
            link(Kind.CANNOT, records[0], others[0])
            for (one, records), (other, others) in combinations(classes.items(), 2)
            if one[0] != other[0]
        ]
        return must + self._parted(classes) + cannot

    def _classes(self) -> dict[tuple[int, int], list[int]]:
        """Records by their person then and now."""
        classes: dict[tuple[int, int], list[int]] = {}
        rows = zip(self.record_id.tolist(), self.then.tolist(), self.now.tolist(), strict=True)
        for record, then, now in rows:
            classes.setdefault((then, now), []).append(record)
        return classes

    def _parted(self, classes: dict[tuple[int, int], list[int]]) -> list[Link]:
        """Links between the parts that the change made of each person: from the largest rest of each part."""
        best: dict[tuple[int, int], tuple[int, int]] = {}
        rows = zip(*(a.tolist() for a in (self.record_id, self.then, self.after, self.now)), strict=True)
        for record, then, after, now in rows:
            candidate = (-len(classes[then, now]), record)
            best[then, after] = min(best.get((then, after), candidate), candidate)
        return [
            item
            for then in sorted(set(self.then.tolist()))
            for item in chain(record for (person, _), (_, record) in best.items() if person == then)
        ]


async def undo(
    platform: Platform, change_id: int, *, actor: str, reason: str, persons: Sequence[int] | None = None
) -> Outcome:
    """Restore who was who before a change, among the records that still live.

    Of a run or a delta that changed several unrelated persons, `persons` says which to restore. What the
    engine did is kept from coming back by constraints; of what a steward did, the constraints are taken back
    (and what it took back is said again). Records that came since follow the side they are nearer to. The
    former ids come back, but where a later change that stands has merged a person into yet another one.

    Raises NotFound for an unknown change, InvalidInput when `persons` is needed or names others, Conflict
    when there is nothing to undo or decisions made since stand against it, which it names.
    """
    require_words(actor, reason)
    async with platform.db.transaction() as tx:
        await hold_lock(tx)
        change = await lineage_store.change(tx, change_id)
        if change is None:
            raise NotFound(f"there is no change {change_id}")
        past = await _past(tx, change, persons)
        await _refuse_undone(tx, change, past)
        return await decide(tx, await _decision(tx, change, past, actor, reason))


async def _decision(tx: Tx, change: Change, past: Past, actor: str, reason: str) -> Decision:
    """What undoing the change comes to."""
    by_steward = change.cause in (Cause.STEWARD, Cause.UNDO)
    taken_back = await _standing(tx, change.change_id) if by_steward else []
    said_again = await _said_again(tx, change.change_id) if by_steward else []
    if np.array_equal(past.then, past.now) and not taken_back and not said_again:
        raise Conflict(f"change {change.change_id} has nothing left to undo")
    links = past.links()
    return Decision(
        NewChange(Cause.UNDO, None, actor, reason, change.change_id, past.affected or None),
        said=said_again if by_steward else links,
        meanwhile=links if by_steward else (),
        taken_back=taken_back,
        about=past.record_id.tolist(),
        claim=_claim(past),
    )


async def _standing(tx: Tx, change_id: int) -> list[Link]:
    """What the change said and still stands, by itself or said again when an undo of it was undone."""
    same = {change_id}
    undos = {row["change_id"]: row["undoes"] for row in await lineage_store.undos(tx, change_id)}
    for undoing, undone in undos.items():
        if undos.get(undone) in same:
            same.add(undoing)
    return [item for own in sorted(same) for item in await lineage_store.active_of_change(tx, own)]


async def _said_again(tx: Tx, change_id: int) -> list[Link]:
    """What the change took back, as if it were new."""
    return [Link(old.kind, old.a, old.b) for old in await lineage_store.revoked_by_change(tx, change_id)]


async def _past(tx: Tx, change: Change, persons: Sequence[int] | None) -> Past:
    """The affected persons as they were: all, or those that exchanged records with `persons`."""
    pairs = await lineage_store.merges_and_splits(tx, change.change_id)
    if not pairs and change.cause not in (Cause.STEWARD, Cause.UNDO):
        raise Conflict(
            f"change {change.change_id} merged and split nobody", hint="To part records, use `separate`."
        )
    affected = _exchanging(pairs, persons, change.change_id)
    rows = await lineage_store.before_change(tx, change.change_id, affected)
    if pairs and not rows:
        raise Conflict(f"none of the records that change {change.change_id} moved still live")
    record_id, then, after, now = (
        np.array([row[name] for row in rows], dtype=np.int64)
        for name in ("record_id", "then_person", "after_person", "now_person")
    )
    heirs = {person: await lineage_store.survivor(tx, person) or 0 for person in set(after.tolist())}
    lasting = np.array([heirs[person] for person in after.tolist()], dtype=np.int64) == now
    retired = await lineage_store.retired_among(tx, affected)
    return Past(record_id, then, after, now, lasting, tuple(affected), retired)


def _exchanging(pairs: Sequence[tuple[int, int]], persons: Sequence[int] | None, change_id: int) -> list[int]:
    """Persons that records went between, directly or through others, starting from `persons`."""
    groups = Groups()
    for one, other in pairs:
        groups.join(one, other)
    known = {person for pair in pairs for person in pair}
    roots = {groups.of(person) for person in (known if persons is None else persons)}
    foreign = sorted(set(persons or ()) - known)
    if foreign:
        raise InvalidInput(f"change {change_id} neither merged nor split person {foreign[0]}")
    if persons is None and len(roots) > 1:
        raise InvalidInput(
            f"change {change_id} merged or split {len(known):,} persons in {len(roots):,} unrelated groups",
            hint="Say which persons to restore.",
        )
    return sorted(person for person in known if groups.of(person) in roots)


async def _refuse_undone(tx: Tx, change: Change, past: Past) -> None:
    """Raise Conflict when an undo of the same is in force."""
    undos = await lineage_store.undos(tx, change.change_id)
    for row in undos:
        same = row["undoes"] == change.change_id and _meets(row["persons"], past.affected)
        if same and _in_force(row["change_id"], undos):
            raise Conflict(f"change {change.change_id} was undone by change {row['change_id']} already")


def _meets(one: Sequence[int] | None, other: Sequence[int]) -> bool:
    return not one or not other or not set(one).isdisjoint(other)


def _in_force(change_id: int, undos: Sequence[dict[str, Any]]) -> bool:
    """Whether nothing, or only something that was undone itself, undid a change."""
    later = (row["change_id"] for row in undos if row["undoes"] == change_id)
    return not any(_in_force(undoing, undos) for undoing in later)


def _claim(past: Past) -> Claim:
    """Former persons get their ids back, unless a later change merged them on or gave records another one."""

    def claim(record_id: Ints, before: Ints, cluster: Ints) -> Ints:
        then = np.zeros(len(record_id), dtype=np.int64)
        of_past = np.isin(record_id, past.record_id)
        then[of_past] = np.where(past.lasting, past.then, 0)
        joined = cluster[~of_past & ~np.isin(before, past.affected)]
        elsewhere = (then != before) & np.isin(cluster, joined)
        free = np.isin(then, past.retired) | np.isin(then, before)
        return np.where(free & ~elsewhere, then, 0)

    return claim
