"""Marks: 64 bits of each value that tell most different values apart without a look at their text.

What they hold depends on the way to compare. Names and places: classes of their letters (32 bits), length
(6), first letter (5); names also bits of the hashes of their sound (8) and folded letters (6), and a set of
their short-form groups (7). Identifiers, phones and dates: a class of four bits of each of up to 16 bytes,
the last one lowest. Others: none.
"""

from __future__ import annotations

import numpy as np

from suzani.identity.kernels.arrays import Bytes, Codes, Hashes32, Ints
from suzani.identity.kernels.compiling import inlined, inner, kernel

EQUAL, NAME, DATE, CODE, PHONE, EMAIL, POSTCODE, BAG, TEXT = range(9)
"""Ways to compare; every kind uses one of them."""
MARKED = (NAME, DATE, CODE, PHONE, TEXT)
"""Ways to compare whose values have marks."""
SOUND, JOINED, KEY, GROUP = range(4)
"""Forms of a name: hashes of its sound, of its folded letters without blanks, and of its key for blocking;
and where its short-form groups stand. 0 is none."""
MARK = 4
"""Forms of every value: its mark, in two columns."""
FORMS = 6
"""Columns of forms: what is computed once per value, the first four as the way to compare needs it."""
UNTOLD = 255
"""In place of a level: two different values are still to be compared."""

_ONE = np.uint64(1)
_NONE = np.uint64(0)
_LOW_HALF = np.uint64(0xFFFFFFFF)
_LENGTH, _FIRST, _SOUND, _JOINED, _GROUPS = (np.uint64(at) for at in (32, 38, 43, 51, 57))
_BITS_5, _BITS_6, _BITS_8 = np.uint64(31), np.uint64(63), np.uint64(255)
_LONGEST = 63
_FOUR = np.uint64(4)
_LOWEST_OF_FOUR = np.uint64(0x1111111111111111)
_LAST_SEVEN = np.uint64(0xFFFFFFF)
_MOST_SIGNS = 16


@inlined
def ones(x: np.uint64) -> int:
    """How many bits are set."""
    x -= (x >> _ONE) & np.uint64(0x5555555555555555)
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@inner
def mark_of(form: Hashes32, value: int) -> np.uint64:
    """The mark of a value."""
    return np.uint64(form[value, MARK]) | np.uint64(form[value, MARK + 1]) << np.uint64(32)


@inner
def _letters(text: Bytes, start: int, end: int) -> np.uint64:
    """Classes of letters, length and first letter."""
    result = np.uint64(min(end - start, _LONGEST)) << _LENGTH
    if end > start:
        result |= (np.uint64(text[start]) & _BITS_5) << _FIRST
    for i in range(start, end):
        result |= _ONE << (np.uint64(text[i]) & _BITS_5)
    return result


@inner
def _forms_of_name(form: Hashes32, group: Codes, value: int) -> np.uint64:
    """Bits of the hashes of sound and folded letters, and the set of short-form groups."""
    result = (np.uint64(form[value, SOUND]) & _BITS_8) << _SOUND
    result |= (np.uint64(form[value, JOINED]) & _BITS_6) << _JOINED
    at = form[value, GROUP]
    if at:
        for i in range(at + 1, at + 1 + group[at]):
            result |= _ONE << (_GROUPS + np.uint64(group[i] % 7))
    return result


@inner
def _signs(text: Bytes, start: int, end: int) -> np.uint64:
    """Classes of bytes one after another: ten of digits, five of others; 0 for a value too long."""
    result = _NONE
    for i in range(start, end if end - start <= _MOST_SIGNS else start):
        sign = text[i] - 47 if 48 <= text[i] <= 57 else 11 + text[i] % 5
        result = result << _FOUR | np.uint64(sign)
    return result


@kernel
def make_marks(ways: Ints, text: Bytes, start: Ints, form: Hashes32, group: Codes) -> None:
    """Write the marks of values into their forms; `ways` (n × 3): a way to compare, and from which to which
    value it is used."""
    for i in range(len(ways)):
        way = ways[i, 0]
        for v in range(ways[i, 1], ways[i, 2]):
            mark = _NONE
            if way in (NAME, TEXT):
                mark = _letters(text, start[v], start[v + 1])
                if way == NAME:
                    mark |= _forms_of_name(form, group, v)
            elif way in (CODE, PHONE, DATE):
                mark = _signs(text, start[v], start[v + 1])
            form[v, MARK], form[v, MARK + 1] = mark & _LOW_HALF, mark >> np.uint64(32)


@inlined
def _length(mark: np.uint64) -> int:
    return int((mark >> _LENGTH) & _BITS_6)


@inlined
def _in_common(a: np.uint64, b: np.uint64) -> int:
    """No fewer than the letters that two names or places have in common."""
    return min(_length(a) - ones(a & ~b & _LOW_HALF), _length(b) - ones(b & ~a & _LOW_HALF))


@inlined
def _too_unlike(a: np.uint64, b: np.uint64) -> bool:
    """Whether Jaro–Winkler similarity is sure to be below 0.80, by letters in common and the first letter."""
    la, lb = _length(a), _length(b)
    if min(la, lb) <= 1 or max(la, lb) >= _LONGEST:
        return False
    # The prefix counts for Jaro similarities above 0.7 alone.
    needed = 11 if ((a ^ b) >> _FIRST) & _BITS_5 == 0 else 14
    return bool(_in_common(a, b) * (la + lb) * 10 < needed * la * lb)


@inlined
def _alike_otherwise(a: np.uint64, b: np.uint64) -> bool:
    """Whether two names may be alike by other things than letters: sound, folded form, groups, words."""
    unlike = a ^ b
    # Blanks are letters of the class 0.
    return bool(
        (a | b) & _ONE
        or (unlike >> _SOUND) & _BITS_8 == 0
        or (unlike >> _JOINED) & _BITS_6 == 0
        or (a & b) >> _GROUPS
    )


@inlined
def may_be_near(a: np.uint64, b: np.uint64) -> bool:
    """Whether two names may be near, of the same form or exact."""
    la, lb = _length(a), _length(b)
    if _alike_otherwise(a, b) or max(la, lb) >= _LONGEST:
        return True
    if min(la, lb) < 4:
        return False
    common = _in_common(a, b)
    # One slip takes one letter; Jaro–Winkler similarity of 0.93, with a prefix of 4, Jaro's of 0.883.
    return bool(common >= max(la, lb) - 1 or common * (la + lb) * 100 >= 164 * la * lb)


@inlined
def _signs_in(x: np.uint64) -> np.uint64:
    """The lowest bit of each four that are not all 0."""
    x |= x >> _ONE
    return (x | x >> np.uint64(2)) & _LOWEST_OF_FOUR


@inlined
def _more_slips_than(slips: int, a: np.uint64, b: np.uint64) -> bool:
    """Whether two identifiers are sure to differ by more slips.

    A sign of one that the other has neither in its place nor beside it takes a slip of its own; where lengths
    differ, two places away.
    """
    if a == 0 or b == 0:
        return False
    in_a, in_b = _signs_in(a), _signs_in(b)
    apart = in_a & _signs_in(a ^ b) & _signs_in(a ^ (b << _FOUR)) & _signs_in(a ^ (b >> _FOUR))
    if in_a != in_b:
        apart &= _signs_in(a ^ (b << np.uint64(8))) & _signs_in(a ^ (b >> np.uint64(8)))
    return ones(apart) > slips


@inlined
def _date_level(a: np.uint64, b: np.uint64) -> int:
    """Levels of dates that differ in more than two digits and are not day and month in each other's place."""
    in_a = _signs_in(a)
    if in_a != _signs_in(b) or in_a != _LOWEST_OF_FOUR >> np.uint64(32):
        return UNTOLD
    unlike = _signs_in(a ^ b)
    if ones(unlike) <= 2:
        return UNTOLD
    if unlike >> np.uint64(16) == 0:
        crossed = (b & np.uint64(0xFF)) << np.uint64(8) | (b >> np.uint64(8) & np.uint64(0xFF))
        return UNTOLD if a & np.uint64(0xFFFF) == crossed else 3
    return 2 if unlike & np.uint64(0xFFFF) == 0 else 1


@inlined
def told_by_marks(way: int, a: np.uint64, b: np.uint64) -> int:
    """The level of two different values, if their marks tell it; UNTOLD otherwise."""
    if way == CODE:
        return 1 if _more_slips_than(2, a, b) else UNTOLD
    if way == PHONE:
        return 1 if (a ^ b) & _LAST_SEVEN and _more_slips_than(1, a, b) else UNTOLD
    if way == NAME:
        return UNTOLD if _alike_otherwise(a, b) or not _too_unlike(a, b) else 1
    if way == DATE:
        return _date_level(a, b)
    if way == TEXT:
        return UNTOLD if not _too_unlike(a, b) else 1
    return 1 if way == EQUAL else UNTOLD
