"""What stewards decide about persons: join, separate, take back. In effect at once, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from suzani.identity.persons import lineage_store
from suzani.identity.persons.constraints import apart, chain
from suzani.identity.persons.decisions import (
    Claim,
    Decision,
    decide,
    hold_lock,
    require_live,
    require_persons,
    require_words,
)
from suzani.identity.persons.types import Cause, NewChange, Outcome
from suzani.infra.db import Tx
from suzani.infra.platform import Platform
from suzani.kernel import Conflict, InvalidInput, NotFound

Ints = npt.NDArray[np.int64]

MOST_PAIRS: Final = 10_000
"""Cannot-links that one decision may bring."""


async def join(
    platform: Platform,
    *,
    persons: Sequence[int] = (),
    records: Sequence[int] = (),
    actor: str,
    reason: str,
) -> Outcome:
    """Say that these persons, with all records they have now, and these records are one person.

    The persons of the records named are joined whole; only what is named is bound to stay. Raises NotFound,
    InvalidInput for fewer than two of them, and Conflict when something keeps them apart, which it names.
    """
    require_words(actor, reason)
    if len(set(persons)) + len(set(records)) < 2:
        raise InvalidInput("name at least two persons or records to join")
    async with platform.db.transaction() as tx:
        await hold_lock(tx)
        await require_persons(tx, persons)
        own, _ = await lineage_store.records_of_persons(tx, persons)
        named = sorted({*own.tolist(), *records})
        await require_live(tx, named)
        return await decide(tx, Decision(NewChange(Cause.STEWARD, None, actor, reason), said=chain(named)))


async def separate(
    platform: Platform,
    *groups: Sequence[int],
    person: int | None = None,
    actor: str,
    reason: str,
) -> Outcome:
    """Say that records of different groups are different persons.

    With `person`, the one group names records of that person which leave together; what stays keeps the id.
    Without, records that are in no group follow the side they are nearer to. Raises NotFound, InvalidInput,
    and Conflict when something keeps the records together, which it names.
    """
    require_words(actor, reason)
    change = NewChange(Cause.STEWARD, None, actor, reason)
    async with platform.db.transaction() as tx:
        await hold_lock(tx)
        for group in groups:
            await require_live(tx, group)
        if person is not None:
            return await decide(
                tx, await _leaving(tx, change, person, sorted({r for g in groups for r in g}))
            )
        _check_groups(groups)
        return await decide(tx, Decision(change, said=apart(groups)))


async def _leaving(tx: Tx, change: NewChange, person: int, leaving: Sequence[int]) -> Decision:
    """The decision that records leave their person."""
    await require_persons(tx, [person])
    own = (await lineage_store.records_of_persons(tx, [person]))[0].tolist()
    foreign = sorted(set(leaving) - set(own))
    if foreign:
        names = await lineage_store.record_names(tx, foreign)
        listed = ", ".join(f"{row['system']}/{row['key']}" for row in names.values())
        raise InvalidInput(f"not of person {person}: {listed}")
    staying = sorted(set(own) - set(leaving))
    if not leaving or not staying:
        raise InvalidInput(f"name some, but not all, of the {len(own)} records of person {person}")
    _check_groups([leaving, staying])
    return Decision(
        change,
        said=apart([leaving, staying]),
        together=[*chain(leaving), *chain(staying)],
        claim=_claim(staying, person),
    )


def _claim(staying: Sequence[int], person: int) -> Claim:
    """What stays keeps the id, however little it is."""

    def claim(record_id: Ints, before: Ints, cluster: Ints) -> Ints:
        return np.where(np.isin(record_id, staying), person, 0)

    return claim


def _check_groups(groups: Sequence[Sequence[int]]) -> None:
    sizes = [len(set(group)) for group in groups]
    if len(sizes) < 2 or not all(sizes):
        raise InvalidInput("name at least two groups of records to separate")
    if len({record for group in groups for record in group}) < sum(sizes):
        raise InvalidInput("a record is in two groups that are to be separated")
    pairs = (sum(sizes) ** 2 - sum(size**2 for size in sizes)) // 2
    if pairs > MOST_PAIRS:
        raise InvalidInput(
            f"this would take {pairs:,} cannot-links; at most {MOST_PAIRS:,} can be said at once",
            hint="Separate fewer records at a time.",
        )


async def revoke(platform: Platform, constraint_id: int, *, actor: str, reason: str) -> Outcome:
    """Take one constraint back; persons change when their records are resolved again, if at all.

    Raises NotFound for an unknown constraint, Conflict for one that was taken back before.
    """
    require_words(actor, reason)
    async with platform.db.transaction() as tx:
        await hold_lock(tx)
        known = await lineage_store.constraints(tx, ids=[constraint_id], active=False)
        if not known:
            raise NotFound(f"there is no constraint {constraint_id}")
        if known[0].revoked_at is not None:
            raise Conflict(f"constraint {constraint_id} was taken back by {known[0].revoked_by} already")
        active = await lineage_store.active_of_change(tx, known[0].change_id)
        own = [link for link in active if link.constraint_id == constraint_id]
        return await decide(tx, Decision(NewChange(Cause.STEWARD, None, actor, reason), taken_back=own))


async def record_ids(tx: Tx, names: Sequence[str]) -> list[int]:
    """Ids of records given as `system/key`. Raises InvalidInput for another form, NotFound for unknown."""
    pairs = []
    for name in names:
        system, slash, key = name.partition("/")
        if not (system and slash and key):
            raise InvalidInput(
                f"{name!r} is no record", hint="Name records as SYSTEM/KEY, such as cards/1001."
            )
        pairs.append((system, key))
    known = await lineage_store.records_named(tx, pairs)
    missing = [f"{system}/{key}" for system, key in pairs if (system, key) not in known]
    if missing:
        raise NotFound(f"there is no record {', '.join(missing)}")
    return [known[pair] for pair in pairs]
