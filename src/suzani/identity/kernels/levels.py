"""The comparison level of two values, and of two records field by field.

The levels of each kind are named in `comparisons.LABELS`; this is how they are told.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from suzani.identity.kernels import strings
from suzani.identity.kernels.arrays import Bytes, Codes, Hashes32, Hashes64, Ints
from suzani.identity.kernels.compiling import inner, kernel

EQUAL, NAME, DATE, CODE, PHONE, EMAIL, POSTCODE, BAG, TEXT = range(9)
"""Ways to compare; every kind uses one of them."""
SOUND, JOINED, KEY, GROUP = range(4)
"""Forms of a name: hashes of its sound, of its folded letters without blanks, and of its key for blocking;
and where its short-form groups stand. 0 is none."""
LETTERS, PAIRS = 4, 5
"""Forms of every value: a set of 32 classes of its bytes, and one of 64 classes of neighbouring two, in two
columns. They tell most different values apart without a look at the text."""
FORMS = 7
"""Columns of forms: what is computed once per value, the first four as the way to compare needs it."""
WAY, FIRST, COUNT, EXACT = range(4)
"""Columns of a layout's table."""
SWAPPED = 4
"""The level of names in each other's place."""
UNTOLD = 255
"""In place of a level: codes show two different values, which are still to be compared."""


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


# The functions below take bare arrays: taking them out of tuples costs more than most comparisons do.


@inner
def _share_group(form: Hashes32, group: Codes, a: int, b: int) -> bool:
    i, j = form[a, GROUP], form[b, GROUP]
    if i == 0 or j == 0:
        return False
    for m in range(i + 1, i + 1 + group[i]):
        for n in range(j + 1, j + 1 + group[j]):
            if group[m] == group[n]:
                return True
    return False


@inner
def _letters_in_common(form: Hashes32, a: int, b: int, la: int, lb: int) -> int:
    """No fewer than the letters that values of la and lb bytes have in common."""
    in_a, in_b = form[a, LETTERS], form[b, LETTERS]
    return min(la - strings.ones(in_a & ~in_b), lb - strings.ones(in_b & ~in_a))


@inner
def _too_unlike(text: Bytes, start: Ints, form: Hashes32, a: int, b: int) -> bool:
    """Whether Jaro–Winkler similarity is sure to be below 0.80, by letters in common and the first letter."""
    la, lb = start[a + 1] - start[a], start[b + 1] - start[b]
    if la <= 1 or lb <= 1 or la > 64 or lb > 64:
        return False
    # The prefix counts for Jaro similarities above 0.7 alone.
    needed = 11 if text[start[a]] == text[start[b]] else 14
    return bool(_letters_in_common(form, a, b, la, lb) * (la + lb) * 10 < needed * la * lb)


@inner
def _more_slips_than(slips: int, form: Hashes32, a: int, b: int) -> bool:
    """Whether values are sure to differ by more slips: one changes three pairs of neighbours at the most."""
    low, high = form[a, PAIRS] & ~form[b, PAIRS], form[a, PAIRS + 1] & ~form[b, PAIRS + 1]
    return strings.ones(low) + strings.ones(high) > 3 * slips


@inner
def _has_blank(text: Bytes, start: int, end: int) -> bool:
    for i in range(start, end):
        if text[i] == 32:
            return True
    return False


@inner
def name_level(text: Bytes, start: Ints, form: Hashes32, group: Codes, a: int, b: int) -> int:
    """missing, different, initial, similar, near, same form (exact is told by the code)."""
    a0, a1, b0, b1 = start[a], start[a + 1], start[b], start[b + 1]
    if form[a, JOINED] == form[b, JOINED] and form[a, JOINED] != 0:
        return 5
    if _share_group(form, group, a, b):
        return 5
    # Blanks are of the class 0.
    if (
        not (form[a, LETTERS] | form[b, LETTERS]) & 1
        and form[a, SOUND] != form[b, SOUND]
        and _too_unlike(text, start, form, a, b)
    ):
        return 1
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
    sounds_same = form[a, SOUND] == form[b, SOUND] and form[a, SOUND] != 0
    return 3 if alike >= 0.80 or (sounds_same and shorter > 2) else 1


@inner
def date_level(text: Bytes, start: Ints, a: int, b: int) -> int:
    """missing, different, same month and day, same year, two slips, one slip, exact; for YYYYMMDD."""
    p, q = start[a], start[b]
    if start[a + 1] - p != 8 or start[b + 1] - q != 8:
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


@inner
def email_level(text: Bytes, start: Ints, a: int, b: int, masks: Hashes64) -> int:
    """missing, different, similar, same mailbox name, near, exact."""
    a0, a1, b0, b1 = start[a], start[a + 1], start[b], start[b + 1]
    whole = strings.ratio(text, a0, a1, b0, b1, masks)
    if whole >= 0.88:
        return 4
    a_at, b_at = _mailbox_end(text, a0, a1), _mailbox_end(text, b0, b1)
    if strings.same(text, a0, a_at, b0, b_at):
        return 3
    return 2 if whole >= 0.75 or strings.jaro_winkler(text, a0, a_at, b0, b_at, 0.90) >= 0.90 else 1


@inner
def bag_level(text: Bytes, start: Ints, form: Hashes32, a: int, b: int, masks: Hashes64) -> int:
    """missing, different, weak, similar, near, contained, exact; for sorted words."""
    a0, a1, b0, b1 = start[a], start[a + 1], start[b], start[b + 1]
    numbers_a, numbers_b = form[a, 0], form[b, 0]
    clash = numbers_a != numbers_b and numbers_a != 0 and numbers_b != 0
    whole = strings.ratio(text, a0, a1, b0, b1, masks)
    if whole >= 0.86:
        return 3 if clash else 4
    if whole >= 0.35 and strings.contains(text, a0, a1, b0, b1):
        return 5
    return 3 if whole >= 0.72 else (2 if whole >= 0.58 else 1)


@inner
def value_level(
    way: int, text: Bytes, start: Ints, form: Hashes32, group: Codes, a: int, b: int, masks: Hashes64
) -> int:
    """Level of two different values."""
    a0, a1, b0, b1 = start[a], start[a + 1], start[b], start[b + 1]
    if way == NAME:
        return name_level(text, start, form, group, a, b)
    if way == DATE:
        return date_level(text, start, a, b)
    if way == CODE:
        if _more_slips_than(2, form, a, b):
            return 1
        return max(4 - strings.slips_up_to_two(text, a0, a1, b0, b1), 1)
    if way == PHONE:
        if form[a, 0] == form[b, 0]:
            return 3
        if _more_slips_than(1, form, a, b):
            return 1
        return 2 if strings.within_one_slip(text, a0, a1, b0, b1) else 1
    if way == EMAIL:
        return email_level(text, start, a, b, masks)
    if way == POSTCODE:
        if not _more_slips_than(1, form, a, b) and strings.within_one_slip(text, a0, a1, b0, b1):
            return 3
        return 2 if form[a, 0] == form[b, 0] else 1
    if way == BAG:
        return bag_level(text, start, form, a, b, masks)
    if way == TEXT:
        if _too_unlike(text, start, form, a, b):
            return 1
        alike = strings.jaro_winkler(text, a0, a1, b0, b1, 0.80)
        return 3 if alike >= 0.90 else (2 if alike >= 0.80 else 1)
    return 1


@inner
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


@inner
def unlike_level(
    f: int, table: Ints, text: Bytes, start: Ints, form: Hashes32, group: Codes, codes: Codes, left: int,
    right: int, masks: Hashes64,
) -> int:  # fmt: skip
    """The best level over all alternatives of a field of which two rows of codes share no value."""
    first, last = table[f, FIRST], table[f, FIRST] + table[f, COUNT]
    best = 0
    for i in range(first, last):
        a = codes[left, i]
        if a < 0:
            continue
        for j in range(first, last):
            b = codes[right, j]
            if b >= 0:
                best = max(best, value_level(table[f, WAY], text, start, form, group, a, b, masks))
    return best


@inner
def field_level(
    f: int, table: Ints, text: Bytes, start: Ints, form: Hashes32, group: Codes, codes: Codes, left: int,
    right: int, masks: Hashes64,
) -> int:  # fmt: skip
    """The best level over all alternatives of a field of two rows of codes; 0 if one has none."""
    told = same_code(table[f, FIRST], table[f, COUNT], codes, left, right)
    if told == 1:
        return unlike_level(f, table, text, start, form, group, codes, left, right, masks)
    return table[f, EXACT] if told else 0


@inner
def _name_or_exact(text: Bytes, start: Ints, form: Hashes32, group: Codes, a: int, b: int) -> int:
    if a < 0 or b < 0:
        return 0
    return 6 if a == b else name_level(text, start, form, group, a, b)


@inner
def swap_names(
    g: int, f: int, table: Ints, text: Bytes, start: Ints, form: Hashes32, group: Codes, codes: Codes,
    left: int, right: int, levels: Bytes,
) -> None:  # fmt: skip
    """Given and family name in each other's place, or one of them in the other's with none beside it."""
    if levels[g] >= SWAPPED or levels[f] >= SWAPPED:
        return
    given, family = table[g, FIRST], table[f, FIRST]
    gf = _name_or_exact(text, start, form, group, codes[left, given], codes[right, family])
    fg = _name_or_exact(text, start, form, group, codes[left, family], codes[right, given])
    if gf >= SWAPPED and fg >= SWAPPED:
        levels[g] = levels[f] = SWAPPED
    elif max(gf, fg) >= SWAPPED and levels[f] == 0:
        levels[f] = SWAPPED
        levels[g] = 0


@inner
def pair_levels(
    given: int, family: int, table: Ints, text: Bytes, start: Ints, form: Hashes32, group: Codes,
    codes: Codes, left: int, right: int, masks: Hashes64, levels: Bytes,
) -> None:  # fmt: skip
    """Fill `levels` with the level of every field for two rows of codes."""
    for f in range(len(table)):
        levels[f] = field_level(f, table, text, start, form, group, codes, left, right, masks)
    if given >= 0 and family >= 0:
        swap_names(given, family, table, text, start, form, group, codes, left, right, levels)


@kernel
def levels_of(layout: Layout, values: Values, codes: Codes, left: Ints, right: Ints) -> Bytes:
    """Levels (pairs × fields) of pairs of rows of `codes`."""
    table, _, given, family = layout
    text, start, form, group = values
    masks = strings.scratch()
    levels = np.zeros(len(table), dtype=np.uint8)
    result = np.zeros((len(left), len(table)), dtype=np.uint8)
    for pair in range(len(left)):
        pair_levels(
            given, family, table, text, start, form, group, codes, left[pair], right[pair], masks, levels
        )
        for f in range(len(table)):
            result[pair, f] = levels[f]
    return result
