"""The first look at a pair: the most that its evidence can be, from codes and marks alone.

Most candidates are strangers, and a look at what lies side by side in two rows tells. A *card* holds the
marks of a record's values in the order of comparing: first the fields in which unlike values tell most for
what they cost.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from suzani.identity.kernels.arrays import Bools, Bytes, Codes, Floats, Hashes32, Hashes64, Ints, Singles
from suzani.identity.kernels.compiling import inlined, kernel, summing
from suzani.identity.kernels.hashing import STRETCH
from suzani.identity.kernels.marks import UNTOLD, mark_of, may_be_near, told_by_marks

SAME = 254
"""In place of a level: the records share a value."""


class Cards(NamedTuple):
    """Codes (−1: none) of records, rows × columns, and the marks of those that have any."""

    codes: Codes
    marks: Hashes64


class Look(NamedTuple):
    """What a first look at cards goes by.

    For each field in the order of comparing: `field`, its number; `first`, its first column; `way` to compare
    it; `more`, how many further alternatives it has; `mark`, where its marks begin in a card (anywhere if it
    has none); `same`, the bits of evidence of its levels. For each column: the bits that an equal value adds
    (without its `rarity`, a column of rarities, −1 for none), and the most that `unlike` ones add; further
    alternatives count nowhere. Pairs below `least` are not worth a closer look. `given`, `family`: the places
    of these names in the order of comparing, −1 without.
    """

    field: Ints
    first: Ints
    way: Ints
    more: Ints
    mark: Ints
    same: Floats
    equal: Singles
    unlike: Singles
    rarity: Ints
    least: float
    given: int
    family: int


class Found(NamedTuple):
    """What a first look found: `levels` of the places that both rows fill with unlike first values (SAME,
    UNTOLD or theirs), and those UNTOLD: untold[:many[0]]."""

    levels: Bytes
    untold: Ints
    many: Ints


@kernel
def deal(codes: Codes, columns: Ints, form: Hashes32, wanted: Bools) -> Hashes64:
    """The marks of the values in some columns of codes (records × columns), 0 for none; 0 in all columns of a
    record that is not wanted."""
    marks = np.empty((len(codes), len(columns)), dtype=np.uint64)
    for begin in range(0, len(codes), STRETCH):
        for m in range(len(columns)):
            for row in range(begin, min(begin + STRETCH, len(codes))):
                value = codes[row, columns[m]] if wanted[row] else -1
                marks[row, m] = mark_of(form, value) if value >= 0 else np.uint64(0)
    return marks


@inlined
def weigh_own(look: Look, rarity: Singles, cards: Cards, a: int, own: Singles) -> None:
    """Write what agreement with row a on its own values would add, by column."""
    for c in range(len(own)):
        own[c] = look.equal[c]
    for p in range(len(look.field)):
        c = look.first[p]
        value = cards.codes[a, c]
        if look.rarity[c] >= 0 and value >= 0:
            rare = rarity[value, look.rarity[c]]
            # Of several values another than the first may be the one in common, which counts plainly.
            own[c] += max(rare, np.float32(0)) if look.more[p] else rare


@summing
def _by_codes(look: Look, own: Singles, codes: Codes, a: int, b: int) -> float:
    """The most that the evidence can be as equal codes tell it."""
    total = np.float32(0)
    for c in range(len(own)):
        # All is read before anything is chosen: without branches several columns go at once.
        x, y, equal, unlike = codes[a, c], codes[b, c], own[c], look.unlike[c]
        most = equal if x == y else unlike
        total += most if (x | y) >= 0 else np.float32(0)
    return float(total)


@inlined
def _by_marks(look: Look, cards: Cards, p: int, a: int, b: int) -> int:
    """The level of a field whose first values differ: SAME, UNTOLD, or as marks tell it."""
    codes, marks, c, m = cards.codes, cards.marks, look.first[p], look.mark[p]
    if look.more[p] == 0:
        return told_by_marks(look.way[p], marks[a, m], marks[b, m])
    best = 0
    for i in range(look.more[p] + 1):
        for j in range(look.more[p] + 1):
            if codes[a, c + i] >= 0 and codes[b, c + j] >= 0:
                if codes[a, c + i] == codes[b, c + j]:
                    return SAME
                best = max(best, told_by_marks(look.way[p], marks[a, m + i], marks[b, m + j]))
    return best


@inlined
def rest_of(look: Look, own: Singles, cards: Cards, a: int, b: int, found: Found) -> float:
    """The most that the evidence of a pair can be, as codes and marks tell it; below `least`: not worth more.

    Otherwise `found` says what was found.
    """
    codes = cards.codes
    rest = _by_codes(look, own, codes, a, b)
    untold = 0
    for p in range(len(look.field)):
        if rest < look.least:
            return rest
        c = look.first[p]
        x, y = codes[a, c], codes[b, c]
        if (x | y) < 0 or x == y:
            continue
        level = _by_marks(look, cards, p, a, b)
        found.levels[p] = level
        if level == SAME:
            rest += look.equal[c] - look.unlike[c]
        elif level != UNTOLD:
            rest += look.same[p, level] - look.unlike[c]
        else:
            found.untold[untold] = p
            untold += 1
    found.many[0] = untold
    return rest


@inlined
def may_be_crossed(look: Look, cards: Cards, a: int, b: int) -> bool:
    """Whether given and family name may stand in each other's place."""
    if look.given < 0 or look.family < 0:
        return False
    codes, marks = cards.codes, cards.marks
    g, f = look.first[look.given], look.first[look.family]
    if codes[a, g] == codes[b, g] >= 0 or codes[a, f] == codes[b, f] >= 0:
        return False
    alone = codes[a, f] < 0 or codes[b, f] < 0
    given, family = look.mark[look.given], look.mark[look.family]
    one = codes[a, g] >= 0 and codes[b, f] >= 0 and may_be_near(marks[a, given], marks[b, family])
    if not one and not alone:
        return False
    other = codes[a, f] >= 0 and codes[b, g] >= 0 and may_be_near(marks[a, family], marks[b, given])
    return (one and other) or (alone and (one or other))
