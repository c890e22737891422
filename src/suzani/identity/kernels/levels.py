"""The comparison level of two values, and of two records field by field.

The levels of each kind are named in `comparisons.LABELS`; this is how they are told.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from suzani.identity.kernels import marks, strings
from suzani.identity.kernels.arrays import Bytes, Codes, Hashes32, Hashes64, Ints
from suzani.identity.kernels.compiling import inlined, inner, kernel
from suzani.identity.kernels.marks import (
    BAG,
    CODE,
    DATE,
    EMAIL,
    GROUP,
    JOINED,
    NAME,
    PHONE,
    POSTCODE,
    SOUND,
    TEXT,
    UNTOLD,
)

WAY, FIRST, COUNT, EXACT = range(4)
"""Columns of a layout's table."""
SWAPPED = 4
"""The level of names in each other's place."""


class Values(NamedTuple):
    """All distinct values of all fields: bytes text[start[v]:start[v + 1]], with forms per value.

    `group` holds the everyday short-form groups of names: at form[v, GROUP] their number, then the groups.
    """

    text: Bytes
    start: Ints
    form: Hashes32
    group: Codes


class Layout(NamedTuple):
    """Fields and where their codes lie in a record.

    `table` (fields × 4): the way to compare, the first column, how many columns, the highest level. `order`:
    the fields in the order of comparing, the most telling first. `given`, `family`: the fields of these
    names, -1 without.
    """

    table: Ints
    order: Ints
    given: int
    family: int


@inner
def _bounds(values: Values, a: int, b: int) -> tuple[int, int, int, int]:
    """Where the texts of two values begin and end."""
    return values.start[a], values.start[a + 1], values.start[b], values.start[b + 1]


@inner
def _share_group(values: Values, a: int, b: int) -> bool:
    group = values.group
    i, j = values.form[a, GROUP], values.form[b, GROUP]
    if i == 0 or j == 0:
        return False
    for m in range(i + 1, i + 1 + group[i]):
        for n in range(j + 1, j + 1 + group[j]):
            if group[m] == group[n]:
                return True
    return False


@inner
def _has_blank(text: Bytes, start: int, end: int) -> bool:
    for i in range(start, end):
        if text[i] == 32:
            return True
    return False


@inner
def _same_form(form: Hashes32, column: int, a: int, b: int) -> bool:
    return bool(form[a, column] == form[b, column] and form[a, column] != 0)


@inner
def name_level(values: Values, a: int, b: int) -> int:
    """missing, different, initial, similar, near, same form (exact is told by the code)."""
    if _same_form(values.form, JOINED, a, b) or _share_group(values, a, b):
        return 5
    text = values.text
    a0, a1, b0, b1 = _bounds(values, a, b)
    shorter = min(a1 - a0, b1 - b0)
    if shorter <= 1:
        return 2 if shorter == 1 and text[a0] == text[b0] else 1
    alike = strings.jaro_winkler(text, a0, a1, b0, b1, 0.70)
    if shorter >= 4:
        if alike >= 0.93 or (alike >= 0.70 and strings.within_one_slip(text, a0, a1, b0, b1)):
            return 4
    if _has_blank(text, a0, a1) or _has_blank(text, b0, b1):
        if strings.longest_common_word(text, a0, a1, b0, b1) >= 3:
            return 4
    return 3 if alike >= 0.80 or (_same_form(values.form, SOUND, a, b) and shorter > 2) else 1


@inner
def date_level(text: Bytes, p: int, p_end: int, q: int, q_end: int) -> int:
    """missing, different, same month and day, same year, two slips, one slip, exact; for YYYYMMDD."""
    if p_end - p != 8 or q_end - q != 8:
        return 1
    unlike = 0
    swapped = False
    for i in range(8):
        unlike += text[p + i] != text[q + i]
    for i in range(7):
        crossing = (text[p + i] == text[q + i + 1]) & (text[p + i + 1] == text[q + i])
        swapped |= crossing & (text[p + i] != text[q + i])
    year = True
    for i in range(4):
        year &= text[p + i] == text[q + i]
    crossed = True
    for i in range(4, 8):
        crossed &= text[p + i] == text[q + 4 + (i - 2) % 4]
    if unlike <= 1 or (unlike == 2 and swapped) or (year and crossed):
        return 5
    if unlike == 2:
        return 4
    if year:
        return 3
    month_day = True
    for i in range(4, 8):
        month_day &= text[p + i] == text[q + i]
    return 2 if month_day else 1


@inner
def _mailbox_end(text: Bytes, start: int, end: int) -> int:
    for i in range(start, end):
        if text[i] == 64:
            return i
    return end


@inlined
def email_level(values: Values, a: int, b: int, masks: Hashes64) -> int:
    """missing, different, similar, same mailbox name, near, exact."""
    text = values.text
    a0, a1, b0, b1 = _bounds(values, a, b)
    a_at, b_at = _mailbox_end(text, a0, a1), _mailbox_end(text, b0, b1)
    if strings.same(text, a0, a_at, b0, b_at):
        return 4 if strings.ratio(text, a0, a1, b0, b1, masks) >= 0.88 else 3
    # Colleagues share what follows the @, however long it is: then mailboxes alone tell.
    if strings.same(text, a_at, a1, b_at, b1):
        if strings.within_one_slip(text, a0, a_at, b0, b_at):
            return 4
        a1, b1 = a_at, b_at
    alike = strings.ratio(text, a0, a1, b0, b1, masks)
    if alike >= 0.88:
        return 4
    return 2 if alike >= 0.75 or strings.jaro_winkler(text, a0, a_at, b0, b_at, 0.90) >= 0.90 else 1


@inlined
def bag_level(values: Values, a: int, b: int, masks: Hashes64) -> int:
    """missing, different, weak, similar, near, contained, exact; for sorted words."""
    text = values.text
    a0, a1, b0, b1 = _bounds(values, a, b)
    numbers_a, numbers_b = values.form[a, 0], values.form[b, 0]
    clash = numbers_a != numbers_b and numbers_a != 0 and numbers_b != 0
    whole = strings.ratio(text, a0, a1, b0, b1, masks)
    if whole >= 0.86:
        return 3 if clash else 4
    if whole >= 0.35 and strings.contains(text, a0, a1, b0, b1):
        return 5
    return 3 if whole >= 0.72 else (2 if whole >= 0.58 else 1)


@inner
def _text_level(text: Bytes, a0: int, a1: int, b0: int, b1: int) -> int:
    """missing, different, similar, near, exact."""
    alike = strings.jaro_winkler(text, a0, a1, b0, b1, 0.80)
    return 3 if alike >= 0.90 else (2 if alike >= 0.80 else 1)


@inlined
def value_level(way: int, values: Values, a: int, b: int, masks: Hashes64) -> int:
    """Level of two different values."""
    told = marks.told_by_marks(way, marks.mark_of(values.form, a), marks.mark_of(values.form, b))
    return told if told != UNTOLD else untold_level(way, values, a, b, masks)


@inner
def untold_level(way: int, values: Values, a: int, b: int, masks: Hashes64) -> int:
    """Level of two different values that marks do not tell."""
    text, form = values.text, values.form
    if way == NAME:
        return name_level(values, a, b)
    if way == EMAIL:
        return email_level(values, a, b, masks)
    if way == BAG:
        return bag_level(values, a, b, masks)
    a0, a1, b0, b1 = _bounds(values, a, b)
    if way == DATE:
        return date_level(text, a0, a1, b0, b1)
    if way == CODE:
        return max(4 - strings.slips_up_to_two(text, a0, a1, b0, b1), 1)
    if way == PHONE:
        return 3 if form[a, 0] == form[b, 0] else 1 + strings.within_one_slip(text, a0, a1, b0, b1)
    if way == POSTCODE:
        near = strings.within_one_slip(text, a0, a1, b0, b1)
        return 3 if near else 1 + (form[a, 0] == form[b, 0])
    return _text_level(text, a0, a1, b0, b1) if way == TEXT else 1


@inlined
def same_code(first: int, count: int, codes: Codes, left: int, right: int) -> int:
    """What codes alone tell of a field of two rows: 0, one has no value; 1, none in common; 2, one."""
    if count == 1:
        a, b = codes[left, first], codes[right, first]
        return 0 if a < 0 or b < 0 else (2 if a == b else 1)
    told = 0
    for i in range(first, first + count):
        a = codes[left, i]
        if a < 0:
            continue
        for j in range(first, first + count):
            b = codes[right, j]
            if a == b:
                return 2
            if b >= 0:
                told = 1
    return told


@inlined
def unlike_level(
    f: int, layout: Layout, values: Values, codes: Codes, left: int, right: int, masks: Hashes64
) -> int:
    """The best level over all alternatives of a field of which two rows of codes share no value."""
    table = layout.table
    first, last = table[f, FIRST], table[f, FIRST] + table[f, COUNT]
    best = 0
    for i in range(first, last):
        a = codes[left, i]
        if a < 0:
            continue
        for j in range(first, last):
            b = codes[right, j]
            if b >= 0:
                best = max(best, value_level(table[f, WAY], values, a, b, masks))
    return best


@inlined
def field_level(
    f: int, layout: Layout, values: Values, codes: Codes, left: int, right: int, masks: Hashes64
) -> int:
    """The best level over all alternatives of a field of two rows of codes; 0 if one has none."""
    table = layout.table
    told = same_code(table[f, FIRST], table[f, COUNT], codes, left, right)
    if told == 1:
        return unlike_level(f, layout, values, codes, left, right, masks)
    return table[f, EXACT] if told else 0


@inner
def _name_or_exact(values: Values, a: int, b: int) -> int:
    if a < 0 or b < 0:
        return 0
    if a == b:
        return 6
    if not marks.may_be_near(marks.mark_of(values.form, a), marks.mark_of(values.form, b)):
        return 1
    return name_level(values, a, b)


@inlined
def swap_names(
    layout: Layout, values: Values, codes: Codes, left: int, right: int, levels: Bytes, pair: int
) -> None:
    """Given and family name in each other's place, or one of them in the other's with none beside it."""
    g, f = layout.given, layout.family
    if g >= 0 and f >= 0 and levels[pair, g] < SWAPPED and levels[pair, f] < SWAPPED:
        _swap_unlike(layout, values, codes, left, right, levels, pair)


@inner
def _swap_unlike(
    layout: Layout, values: Values, codes: Codes, left: int, right: int, levels: Bytes, pair: int
) -> None:
    """As `swap_names`, for names that are not near."""
    g, f = layout.given, layout.family
    given, family = layout.table[g, FIRST], layout.table[f, FIRST]
    gf = _name_or_exact(values, codes[left, given], codes[right, family])
    fg = _name_or_exact(values, codes[left, family], codes[right, given])
    if gf >= SWAPPED and fg >= SWAPPED:
        levels[pair, g] = levels[pair, f] = SWAPPED
    elif max(gf, fg) >= SWAPPED and levels[pair, f] == 0:
        levels[pair, f] = SWAPPED
        levels[pair, g] = 0


@inlined
def pair_levels(
    layout: Layout, values: Values, codes: Codes, left: int, right: int, masks: Hashes64, levels: Bytes,
    pair: int,
) -> None:  # fmt: skip
    """Write the level of every field for two rows of codes to levels[pair]."""
    for f in range(len(layout.table)):
        levels[pair, f] = field_level(f, layout, values, codes, left, right, masks)
    swap_names(layout, values, codes, left, right, levels, pair)


@kernel
def levels_of(layout: Layout, values: Values, codes: Codes, left: Ints, right: Ints) -> Bytes:
    """Levels (pairs × fields) of pairs of rows of `codes`."""
    masks = strings.scratch()
    levels = np.empty((len(left), len(layout.table)), dtype=np.uint8)
    for pair in range(len(left)):
        pair_levels(layout, values, codes, left[pair], right[pair], masks, levels, pair)
    return levels
