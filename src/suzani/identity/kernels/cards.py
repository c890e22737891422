"""The first look at a pair: the most that its evidence can be, from codes and marks alone.

Most candidates are strangers, and a look at what lies side by side in two rows tells. A *card* holds a
record's codes and marks, the fields in the order in which unlike values tell most for what they cost; further
alternatives of a field (a second phone) stand behind all first ones.
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
    """Codes (−1: none) and marks of records, rows × places."""

    codes: Codes
    marks: Hashes64


class Look(NamedTuple):
    """What a first look at cards goes by, for each field in the order of its places.

    `field`: its number; `way` to compare it; `more`: how many further alternatives it has, from place
    `further` on. In bits of evidence: what an equal value adds (without its rarity, of which `column`), the
    most that unlike ones add, and `same` (places × levels). Pairs below `least` are not worth a closer look.
    `given`, `family`: the places of these names, −1 without.
    """

    field: Ints
    way: Ints
    more: Ints
    further: Ints
    equal: Singles
    unlike: Singles
    same: Floats
    column: Ints
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
def deal(codes: Codes, columns: Ints, marked: Bools, look: Look, form: Hashes32) -> Cards:
    """The cards of records; `columns` are those of the first and of the further values of fields, `marked`
    those whose values have marks.

    A field's values move up where one before them is missing.
    """
    fields, places = len(look.field), len(columns)
    dealt = np.empty((len(codes), places), dtype=np.int32)
    marks = np.zeros((len(codes), places), dtype=np.uint64)
    for row in range(len(codes)):
        for p in range(places):
            dealt[row, p] = codes[row, columns[p]]
        for p in range(fields):
            for q in range(look.further[p], look.further[p] + look.more[p]):
                if dealt[row, p] < 0:
                    dealt[row, p], dealt[row, q] = dealt[row, q], -1
    for begin in range(0, len(codes), STRETCH):
        end = min(begin + STRETCH, len(codes))
        for p in range(places):
            for row in range(begin, end if marked[p] else begin):
                if dealt[row, p] >= 0:
                    marks[row, p] = mark_of(form, dealt[row, p])
    return Cards(dealt, marks)


@inlined
def weigh_own(look: Look, rarity: Singles, cards: Cards, a: int, own: Singles) -> None:
    """Write what agreement with row a on its own values would add."""
    for p in range(len(own)):
        own[p] = look.equal[p]
        value = cards.codes[a, p]
        if look.column[p] >= 0 and value >= 0:
            rare = rarity[value, look.column[p]]
            # Of several values another than the first may be the one in common, which counts plainly.
            own[p] += max(rare, np.float32(0)) if look.more[p] else rare


@summing
def _by_codes(look: Look, own: Singles, codes: Codes, a: int, b: int) -> float:
    """The most that the evidence can be as equal codes tell it."""
    total = np.float32(0)
    for p in range(len(own)):
        x, y = codes[a, p], codes[b, p]
        most = own[p] if x == y else look.unlike[p]
        total += most if (x | y) >= 0 else np.float32(0)
    return float(total)


@inlined
def _place(look: Look, p: int, alternative: int) -> int:
    return p if alternative == 0 else look.further[p] + alternative - 1


@inlined
def _by_marks(look: Look, cards: Cards, p: int, a: int, b: int) -> int:
    """The level of a field whose first values differ: SAME, UNTOLD, or as marks tell it."""
    codes, marks = cards.codes, cards.marks
    if look.more[p] == 0:
        return told_by_marks(look.way[p], marks[a, p], marks[b, p])
    best = 0
    for i in range(look.more[p] + 1):
        m = _place(look, p, i)
        for j in range(look.more[p] + 1):
            n = _place(look, p, j)
            if codes[a, m] >= 0 and codes[b, n] >= 0:
                if codes[a, m] == codes[b, n]:
                    return SAME
                best = max(best, told_by_marks(look.way[p], marks[a, m], marks[b, n]))
    return best


@inlined
def rest_of(look: Look, own: Singles, cards: Cards, a: int, b: int, found: Found) -> float:
    """The most that the evidence of a pair can be, as codes and marks tell it; below `least`: not worth more.

    Otherwise `found` says what was found.
    """
    codes = cards.codes
    rest = _by_codes(look, own, codes, a, b)
    untold = 0
    for p in range(len(own)):
        if rest < look.least:
            return rest
        x, y = codes[a, p], codes[b, p]
        if (x | y) < 0 or x == y:
            continue
        level = _by_marks(look, cards, p, a, b)
        found.levels[p] = level
        if level == SAME:
            rest += look.equal[p] - look.unlike[p]
        elif level != UNTOLD:
            rest += look.same[p, level] - look.unlike[p]
        else:
            found.untold[untold] = p
            untold += 1
    found.many[0] = untold
    return rest


@inlined
def may_be_crossed(look: Look, cards: Cards, a: int, b: int) -> bool:
    """Whether given and family name may stand in each other's place."""
    g, f = look.given, look.family
    if g < 0 or f < 0:
        return False
    codes, marks = cards.codes, cards.marks
    if codes[a, g] == codes[b, g] >= 0 or codes[a, f] == codes[b, f] >= 0:
        return False
    alone = codes[a, f] < 0 or codes[b, f] < 0
    one = codes[a, g] >= 0 and codes[b, f] >= 0 and may_be_near(marks[a, g], marks[b, f])
    if not one and not alone:
        return False
    other = codes[a, f] >= 0 and codes[b, g] >= 0 and may_be_near(marks[a, f], marks[b, g])
    return (one and other) or (alone and (one or other))
