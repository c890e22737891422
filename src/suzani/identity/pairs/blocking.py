"""Which pairs of records are compared: those that one rule of a plan gives the same block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels import blocks
from suzani.identity.kernels.blocks import Entries, Rules
from suzani.identity.pairs.keys import Source
from suzani.identity.pairs.packing import Packed
from suzani.kernel import InvalidInput

Hashes = npt.NDArray[np.uint64]
Keys = npt.NDArray[np.uint32]
Rule = tuple[str, ...]

THREADS = 2
_REFINING = ("given", "family", "year", "month and day", "city", "postcode", "sex")
_MONSTROUS = 5_000
_FEW_ROWS = 50_000


@dataclass(frozen=True)
class Plan:
    """The rules to block by, each a combination of sources of keys, and the blocks that they refine.

    A pair is a candidate if one rule gives both records the same block: that depends on the two records and
    the plan alone. `oversized` holds, by rule, the sorted hashes of the blocks that one more key refines.
    """

    rules: tuple[Rule, ...]
    oversized: tuple[Hashes, ...]

    @classmethod
    def unrefined(cls, rules: Sequence[Rule]) -> Plan:
        """Rules that refine no block yet."""
        return cls(tuple(rules), tuple(np.empty(0, np.uint64) for _ in rules))

    def compiled(self, sources: Sequence[Source]) -> Rules:
        """The plan as the kernels read it."""
        known = {source.name: source for source in sources}
        table = np.zeros((len(self.rules), 6), dtype=np.int64)
        for r, parts in enumerate(self.rules):
            for p, part in enumerate(parts):
                if part not in known:
                    raise InvalidInput(
                        f"blocking rule {' + '.join(parts)!r}: there is no {part!r}",
                        hint=f"These records have: {', '.join(known)}.",
                    )
                table[r, 2 * p : 2 * p + 2] = known[part].first, known[part].count
        sizes = [len(hashes) for hashes in self.oversized]
        oversized = np.concatenate([*self.oversized, np.empty(0, np.uint64)]).astype(np.uint64)
        start = np.cumsum([0, *sizes]).astype(np.int64)
        refine = np.array([known[name].first for name in _REFINING if name in known], dtype=np.int64)
        return Rules(table, oversized, start, refine)


@dataclass(frozen=True)
class Blocked:
    """The blocks of every rule of a plan as sorted entries, with the pairs that each gives, and the pairs
    lost in blocks that stayed too large when every key had refined them."""

    plan: Plan
    rules: Rules
    entries: tuple[Entries, ...]
    pairs: tuple[int, ...]
    lost: int


@dataclass(frozen=True)
class _Built:
    entries: Entries
    oversized: Hashes
    pairs: int
    lost: int


def largest_block(rows: int, *, told: bool) -> int:
    """Records in a block above which it is refined; rules that were told refine only monstrous blocks."""
    return _MONSTROUS if told else 60 if rows > _FEW_ROWS else 150


def keyed(packed: Packed, rules: Sequence[Rule]) -> Packed:
    """The records with those keys alone that rules take. Raises InvalidInput for an unknown source."""
    Plan.unrefined(rules).compiled(packed.sources)
    taken = frozenset((*_REFINING, *(part for rule in rules for part in rule)))
    return replace(packed, makers=packed.makers.only(taken))


def block(packed: Packed, rules: Sequence[Rule], largest: int) -> Blocked:
    """Block by rules, each a combination of sources of keys; blocks of more rows than `largest` are refined.

    Raises InvalidInput for an unknown source.
    """
    unrefined = Plan.unrefined(rules).compiled(packed.sources)
    with ThreadPoolExecutor(THREADS) as threads:
        entries = list(_entries(unrefined, packed.keys, threads))
        build = partial(_build, packed.keys, unrefined, largest)
        built = list(threads.map(build, entries))
    plan = Plan(tuple(rules), tuple(b.oversized for b in built))
    return Blocked(
        plan,
        plan.compiled(packed.sources),
        tuple(b.entries for b in built),
        tuple(b.pairs for b in built),
        sum(b.lost for b in built),
    )


def block_as(packed: Packed, plan: Plan) -> Blocked:
    """Block by a plan made before, whatever the sizes of its blocks are now."""
    rules = plan.compiled(packed.sources)
    with ThreadPoolExecutor(THREADS) as threads:
        entries = tuple(threads.map(_in_order, _entries(rules, packed.keys, threads)))
    return Blocked(plan, rules, entries, tuple(int(blocks.pairs_in(e)) for e in entries), 0)


def _entries(rules: Rules, keys: Keys, threads: ThreadPoolExecutor) -> Iterator[Entries]:
    """The entries of all rows, rule by rule, unsorted."""
    cuts = np.linspace(0, len(rules.parts), THREADS + 1).astype(int).tolist()

    def some(first: int, last: int) -> list[Entries]:
        found, begins, ends = blocks.entries(rules, first, last, keys)
        return [found[b:e] for b, e in zip(begins.tolist(), ends.tolist(), strict=True)]

    for part in threads.map(some, cuts[:-1], cuts[1:]):
        yield from part


def _in_order(entries: Entries) -> Entries:
    entries.sort()
    return entries


def _build(keys: Keys, rules: Rules, largest: int, entries: Entries) -> _Built:
    """The blocks of one rule that is not refined yet, those too large refined by one more key in turn."""
    small, large, over, pairs = blocks.part(_in_order(entries), largest)
    kept, oversized = [small], [over]
    for column in rules.refine:
        if not len(large):
            break
        entries = blocks.refine_entries(large, keys, column)
        small, large, over, more = blocks.part(_in_order(entries), largest)
        kept.append(small)
        oversized.append(over)
        pairs += more
    entries = kept[0] if len(kept) == 1 else np.sort(np.concatenate(kept))
    hashes = np.unique(np.concatenate(oversized))
    return _Built(entries, hashes, int(pairs), int(blocks.pairs_in(large)))
