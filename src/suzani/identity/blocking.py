"""Which pairs of records are worth comparing: blocking rules, their choice, and what they lose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels import blocks
from suzani.identity.kernels.blocks import Entries, Rules
from suzani.identity.keys import Source
from suzani.identity.packing import Packed
from suzani.kernel import InvalidInput

Hashes = npt.NDArray[np.uint64]

THREADS = 2
_ALONE = ("email", "mailbox", "phone", "address")
_COMBINED = (
    ("date", "name"), ("given", "family", "middle"), ("given", "family"), ("given", "family", "year"),
    ("given", "family", "month and day"),
    ("given", "family", "city"), ("given", "family", "postcode"), ("date", "postcode"), ("date", "city"),
    ("date", "address words"), ("date", "sex"), ("date",), ("name", "postcode"), ("name", "city", "year"),
    ("name", "year", "month and day"), ("family", "address words"), ("given", "address words"),
    ("name", "month and day"), ("name", "city"), ("name", "year"), ("postcode", "year"), ("family",),
    ("name", "occupation", "city"), ("address words", "year"), ("address words",), ("date", "occupation"),
    ("postcode", "sex"), ("city", "occupation", "year"),
    ("given",), ("city", "year"), ("city", "month and day"), ("year", "month and day"), ("postcode",),
)  # fmt: skip
_REFINING = ("given", "family", "year", "month and day", "city", "postcode", "sex")
_FEWEST_TRIED = 3
_MONSTROUS = 5_000
_SAMPLED_ABOVE = 100_000
_ONE_IN = 8


class Width(Enum):
    """How many pairs the blocking rules may give."""

    NARROW = "narrow"
    WIDE = "wide"

    def budget(self, rows: int) -> int:
        """Pairs that the rules may give in sum; small inputs can afford more per record."""
        if self is Width.NARROW:
            return max(4 * rows, 200_000)
        return int(max(16 * rows, 3_000_000 * min(1.0, 50_000 / max(rows, 1))))


@dataclass(frozen=True)
class Plan:
    """The rules to block by, each a combination of sources of keys, and the blocks that they refine.

    A pair is a candidate if one rule gives both records the same block: that depends on the two records and
    the plan alone. `oversized` holds, by rule, the sorted hashes of the blocks that one more key refines.
    """

    rules: tuple[tuple[str, ...], ...]
    oversized: tuple[Hashes, ...]

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


def block(packed: Packed, width: Width, rules: Sequence[Sequence[str]] | None = None) -> Blocked:
    """Choose rules from the most to the least selective until the budget of pairs is spent; block by them.

    `rules`: take these instead, as combinations of sources of keys, and refine only monstrous blocks.
    """
    cap = _MONSTROUS if rules is not None else 60 if packed.rows > 50_000 else 150
    with ThreadPoolExecutor(THREADS) as threads:
        chosen = list(map(tuple, rules)) if rules is not None else _chosen(packed, width, cap, threads)
        every = _unrefined(chosen, packed)
        built = list(threads.map(lambda r: _build(packed, every, r, cap, 1), range(len(chosen))))
    plan = Plan(tuple(chosen), tuple(b.oversized for b in built))
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
        entries = tuple(threads.map(lambda r: _sorted(packed, rules, r, 1), range(len(plan.rules))))
    return Blocked(plan, rules, entries, tuple(int(blocks.pairs_in(e)) for e in entries), 0)


def _unrefined(chosen: Sequence[tuple[str, ...]], packed: Packed) -> Rules:
    return Plan(tuple(chosen), tuple(np.empty(0, np.uint64) for _ in chosen)).compiled(packed.sources)


def _chosen(packed: Packed, width: Width, cap: int, threads: ThreadPoolExecutor) -> list[tuple[str, ...]]:
    """The rules that the budget allows, judged by a sample of their blocks where records are many."""
    possible = list(_possible(packed.sources))
    every = _unrefined(possible, packed)
    one_in = _ONE_IN if packed.rows > _SAMPLED_ABOVE else 1
    pairs = [
        built.pairs * one_in
        for built in threads.map(lambda r: _build(packed, every, r, cap, one_in), range(len(possible)))
    ]
    budget = width.budget(packed.rows)
    chosen: list[tuple[str, ...]] = []
    for r in np.argsort(pairs, kind="stable").tolist():
        if pairs[r] and (pairs[r] <= budget or len(chosen) < _FEWEST_TRIED):
            budget -= pairs[r]
            chosen.append(possible[r])
    return chosen


def _possible(sources: Sequence[Source]) -> Iterator[tuple[str, ...]]:
    """Every rule the sources allow: identifiers alone, names, dates and places in combinations."""
    names = [source.name for source in sources]
    for name in names:
        if name.startswith(("id:", "text:")) or name in _ALONE:
            yield (name,)
    for parts in _COMBINED:
        if all(part in names for part in parts):
            yield parts


def _sorted(packed: Packed, rules: Rules, r: int, one_in: int) -> Entries:
    entries = blocks.entries(rules, r, packed.keys, one_in)
    entries.sort()
    return np.asarray(entries)


def _build(packed: Packed, rules: Rules, r: int, cap: int, one_in: int) -> _Built:
    """The blocks of one rule that is not refined yet, those above `cap` refined by one more key in turn."""
    entries = _sorted(packed, rules, r, one_in)
    small, large, over, pairs = blocks.part(entries, cap)
    kept, oversized = [small], [over]
    for column in rules.refine:
        if not len(large):
            break
        entries = blocks.refine_entries(large, packed.keys, column)
        entries.sort()
        small, large, over, more = blocks.part(entries, cap)
        kept.append(small)
        oversized.append(over)
        pairs += more
    entries = kept[0] if len(kept) == 1 else np.sort(np.concatenate(kept))
    hashes = np.unique(np.concatenate(oversized))
    return _Built(entries, hashes, int(pairs), int(blocks.pairs_in(large)))


def estimated_recall(found_by: npt.NDArray[np.int64], probability: npt.NDArray[np.float64]) -> float | None:
    """Share of all true pairs that the rules found, by how often they found the same ones.

    `found_by`: how many rules found each pair; `probability` of being one person. None when too few true
    pairs were found. Bias-corrected form of Chao 1987.
    """
    once = float(probability[found_by == 1].sum())
    twice = float(probability[found_by == 2].sum())
    found = float(probability.sum())
    if found < _FEW_FOUND:
        return None
    return found / (found + once * max(once - 1, 0.0) / (2 * (twice + 1)))


_FEW_FOUND = 20
