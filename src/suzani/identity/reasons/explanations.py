"""Explanations of pairs and persons: read what is stored, explain, never write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import log2

from suzani import sources
from suzani.identity.pairs.partition import Options
from suzani.identity.reasons import store
from suzani.identity.reasons.assembly import Apart, How, JoinStep, Odds, Pair, Restraints, replay
from suzani.identity.reasons.clashes import clashes_between
from suzani.identity.reasons.comparing import compare_records
from suzani.identity.reasons.explaining import (
    Bond,
    Knowledge,
    Record,
    RecordName,
    Scored,
    Why,
    explain_pair,
    scored_of,
    strongest_against,
)
from suzani.identity.reasons.nearest import Gap, Neighbour, WhyNot, gaps, prevented
from suzani.infra.db import Tx
from suzani.kernel import ATTRIBUTES, InvalidInput, NotFound

Compare = Callable[[Tx, int, int], Awaitable[Scored | None]]
"""Compares two records whose comparison is not kept, as the latest run would; None if it cannot."""

REPLAYED_AT_MOST = 400
"""Records of a person whose joins are replayed; with more, not all pairs were scored."""

NEIGHBOURS = 10
"""How many nearest others are explained."""

WATERFALLS = 30
"""How many joins of a person are explained in full: so many first ones, and so many of the weakest."""


@dataclass(frozen=True, slots=True)
class Story:
    """One person explained: how it came to be, who came near, and the waterfalls of the pairs that decided
    (the strongest and the weakest of each step), by pair of record ids."""

    how: How
    why_not: WhyNot
    waterfalls: Mapping[Pair, Why]


async def why(tx: Tx, a: str, b: str, compare: Compare = compare_records) -> Why:
    """Why two records are one person or not; each named by its id or as system/key.

    A pair whose comparison is not kept goes to `compare`. Raises NotFound for an unknown record, InvalidInput
    for two names of one record and for what is no name.
    """
    first, second = await _record_id(tx, a), await _record_id(tx, b)
    if first == second:
        raise InvalidInput(f"{a} and {b} are the same record", hint="Name two different records.")
    records = await _records(tx, (first, second))
    pair = min(first, second), max(first, second)
    bond = await _bond_of_persons(tx, records[first], records[second])
    scored = (await _scored(tx, [pair])).get(pair)
    if scored is None:
        scored = await compare(tx, first, second)
    known = await _knowledge(tx)
    return explain_pair(records[first], records[second], scored, known, bond)


async def how(tx: Tx, person_id: int) -> How:
    """How a person came to be; an id that was merged away answers for the person it went to.

    Raises NotFound for an unknown person and for one without records.
    """
    return (await _view(tx, person_id)).how()


async def why_not(tx: Tx, person_id: int, compare: Compare = compare_records) -> WhyNot:
    """The persons nearest to one, and what keeps them apart; ids and errors as for `how`."""
    view = await _view(tx, person_id)
    nearest = view.gaps[:NEIGHBOURS]
    return await _why_not(tx, view, await _waterfalls(tx, view, [_pair(gap) for gap in nearest], compare))


async def story(
    tx: Tx, person_id: int, pair: Pair | None = None, compare: Compare = compare_records
) -> Story:
    """Everything a page shows of how a person came to be; `pair` is one more pair to explain in full.

    Ids and errors as for `how`.
    """
    view = await _view(tx, person_id)
    told = view.how()
    wanted = [_pair(gap) for gap in view.gaps[:NEIGHBOURS]]
    members = {name.record_id for name in view.names}
    if pair is not None and set(pair) <= members and pair[0] != pair[1]:
        wanted.append((min(pair), max(pair)))
    for step in _telling(told.steps):
        wanted += [(end.record_a, end.record_b) for end in (step.strongest, step.weakest)]
    waterfalls = await _waterfalls(tx, view, wanted, compare)
    return Story(told, await _why_not(tx, view, waterfalls), waterfalls)


def _telling(steps: Sequence[JoinStep]) -> list[JoinStep]:
    """The first steps and the weakest ones."""
    weakest = sorted(steps, key=lambda step: step.average_bits)[:WATERFALLS]
    return [step for step in steps if step.order <= WATERFALLS or step in weakest]


@dataclass(frozen=True, slots=True)
class _View:
    """A person with everybody near: names, odds of the stored pairs, and what stands above evidence."""

    person_id: int
    names: tuple[RecordName, ...]
    others: Mapping[int, tuple[RecordName, ...]]
    odds: Odds
    restraints: Restraints
    gaps: tuple[Gap, ...]
    known: Knowledge

    @property
    def own(self) -> tuple[int, ...]:
        """The person's record ids."""
        return tuple(name.record_id for name in self.names)

    def how(self) -> How:
        """The steps, unless there are too many records."""
        apart = prevented(self.gaps, Options())
        if len(self.own) > REPLAYED_AT_MOST:
            return How(self.person_id, self.names, (), apart, replayed=False)
        inside = set(self.own)
        must = [pair for pair in self.restraints.must if inside.issuperset(pair)]
        steps = replay(self.own, self.odds, must, Options())
        return How(self.person_id, self.names, steps, apart)


async def _view(tx: Tx, person_id: int) -> _View:
    current = await store.survivor(tx, person_id)
    if current is None:
        raise NotFound(
            f"no person has the id {person_id}", hint="Search by name, phone, document or product number."
        )
    names = (await store.members(tx, [current])).get(current)
    if not names:
        raise NotFound(f"person {current} has no records", hint="All of them went to others or were deleted.")
    own = [name.record_id for name in names]
    known = await _knowledge(tx)
    odds = {pair: round(bits + known.prior_bits, 2) for pair, bits in (await store.weights(tx, own)).items()}
    restraints = await store.restraints(tx, own)
    beyond = {end for pair in (*odds, *restraints.cannot) for end in pair} - set(own)
    persons = set((await store.persons_of_records(tx, beyond)).values()) - {current}
    others = await store.members(tx, persons)
    ids = {person: [name.record_id for name in found] for person, found in others.items()}
    records = await _records(tx, {*own, *(record for found in ids.values() for record in found)})
    clashes = clashes_between(own, [record for found in ids.values() for record in found], records)
    restraints = replace(restraints, clashes=clashes)
    near = gaps(own, ids, odds, restraints, Options())
    return _View(current, names, others, odds, restraints, near, known)


async def _why_not(tx: Tx, view: _View, waterfalls: Mapping[Pair, Why]) -> WhyNot:
    nearest = []
    for gap in view.gaps[:NEIGHBOURS]:
        full = waterfalls.get(_pair(gap))
        against = strongest_against(full) if full else ()
        names = view.others[gap.person_id]
        nearest.append(
            Neighbour(
                *(gap.person_id, names, gap.best, gap.average_bits, gap.because, gap.decided_by),
                against=against,
                why=full,
            )
        )
    return WhyNot(view.person_id, view.names, tuple(nearest))


def _pair(gap: Gap) -> Pair:
    return gap.best.record_a, gap.best.record_b


async def _waterfalls(tx: Tx, view: _View, pairs: Iterable[Pair], compare: Compare) -> dict[Pair, Why]:
    wanted = sorted(set(pairs))
    scored = await _scored(tx, wanted)
    records = await _records(tx, {end for pair in wanted for end in pair})
    found: dict[Pair, Why] = {}
    for pair in wanted:
        a, b = pair
        known = scored.get(pair)
        if known is None:
            known = await compare(tx, a, b)
        found[pair] = explain_pair(records[a], records[b], known, view.known, _bond(view, pair))
    return found


async def _record_id(tx: Tx, text: str) -> int:
    """The record that an id or system/key names."""
    if text.isdecimal():
        return min(int(text), 2**63 - 1)
    system, slash, key = text.partition("/")
    if not slash or not system or not key or "\0" in text:
        raise InvalidInput(
            f"{text!r} names no record", hint="Name a record by its id, or as system/key: cards/C-1001."
        )
    found = await store.record_id_of(tx, system, key)
    if found is None:
        raise NotFound(f"{system} has no record with the key {key}", hint="Check the system and the key.")
    return found


async def _records(tx: Tx, record_ids: Iterable[int]) -> dict[int, Record]:
    """Records with their persons. Raises NotFound when one is unknown."""
    wanted = sorted(set(record_ids))
    persons = await store.persons_of_records(tx, wanted)
    found = {
        row["record_id"]: Record(
            RecordName(row["record_id"], row["system"], row["key"]),
            persons.get(row["record_id"], 0),
            {name: str(row[name]) for name in ATTRIBUTES if row[name] is not None},
        )
        for row in await sources.records_of(tx, wanted)
    }
    for record_id in wanted:
        if record_id not in found:
            raise NotFound(f"no record has the id {record_id}", hint="Record ids stand on customer pages.")
    return found


async def _scored(tx: Tx, pairs: Iterable[Pair]) -> dict[Pair, Scored]:
    return {
        pair: scored_of(weight, fields)
        for pair, (weight, fields) in (await store.evidence(tx, pairs)).items()
    }


async def _knowledge(tx: Tx) -> Knowledge:
    """Prior and kinds of the latest model; nothing is known before the first run."""
    model = await store.model(tx)
    prior = model.get("prior")
    kinds = {field["name"]: field["kind"] for field in model.get("fields", ())}
    bits = round(log2(prior / (1 - prior)), 2) if prior and 0 < prior < 1 else 0.0
    return Knowledge(bits, kinds, Options().cut_bits)


async def _bond_of_persons(tx: Tx, a: Record, b: Record) -> Bond:
    """What stands above the evidence of two records, or of any others of their two persons."""
    members = await store.members(tx, {a.person_id, b.person_id} - {0})
    groups = [
        {one.name.record_id, *(name.record_id for name in members.get(one.person_id, ()))} for one in (a, b)
    ]
    records = await _records(tx, groups[0] | groups[1])
    said = await store.restraints(tx, sorted(records))
    if a.person_id and a.person_id == b.person_id:
        pair = min(a.name.record_id, b.name.record_id), max(a.name.record_id, b.name.record_id)
        return Bond(must=pair in said.must)
    across = {(min(x, y), max(x, y)) for x, y in product(*groups)}
    clashes = clashes_between(sorted(groups[0]), sorted(groups[1]), records)
    return Bond(cannot=bool(across & said.cannot), clash=bool(clashes))


def _bond(view: _View, pair: Pair) -> Bond:
    """The same for a pair of a person explained: of its own, or with a neighbour."""
    apart = next((gap.because for gap in view.gaps if _pair(gap) == pair), None)
    return Bond(
        must=pair in view.restraints.must,
        cannot=apart is Apart.CANNOT_LINK or pair in view.restraints.cannot,
        clash=apart is Apart.DIFFERENT_IDS or pair in view.restraints.clashes,
    )
