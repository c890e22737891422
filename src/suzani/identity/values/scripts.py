"""One comparable Latin form for names and addresses written in any script.

Cyrillic (Russian, Uzbek, Tajik, Kazakh) and Hangul have tables of our own, chosen so that the spellings
clerks really use (ICAO, GOST, old and new Uzbek Latin, everyday) fall together; other scripts go through
`anyascii`. All functions take many values at once and work on one joined string, so that the cost per
value is that of a few C loops.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from anyascii import anyascii

_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "j", "з": "z", "и": "i",
    "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t",
    "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ы": "y", "ь": "",
    "э": "e", "ю": "yu", "я": "ya", "ў": "o", "қ": "k", "ғ": "g", "ҳ": "kh", "і": "i", "ї": "yi", "є": "ye",
    "ґ": "g", "ң": "ng", "ү": "u", "ұ": "u", "ө": "o", "ә": "a", "һ": "kh", "ӣ": "i", "ӯ": "u", "ҷ": "j",
}  # fmt: skip
_INITIALS = "g kk n d tt R m b pp s ss _ j jj ch k t p h".split()
_MEDIALS = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
_FINALS = "_ k k k n n n t l k m l l l p l m p p t t ng t t k t p t".split()


def _syllable(first: int, middle: int, last: int) -> str:
    """One Hangul syllable as everyday Latin; Q, R and U are marks for `_join_syllables`.

    The Revised Romanisation, but for what names need: a bare "eu" after a consonant is the filler of
    loanwords (스 is s), "ui" after a consonant sounds i, and s before a y is sh.
    """
    head, vowel, tail = _INITIALS[first].strip("_"), _MEDIALS[middle], _FINALS[last].strip("_")
    if head and vowel == "eu" and not tail:
        head, vowel = ("ts" if head == "ch" else head), ""
    if head and vowel == "eu" and tail == "l":
        vowel = "U"
    if head and vowel == "ui":
        vowel = "i"
    if head == "s" and vowel.startswith("y"):
        head, vowel = "sh", vowel[1:]
    if vowel == "eo" and not tail and head not in ("", "s", "ss", "h"):
        tail = "Q"
    return head + vowel + tail


_SYLLABLES = {
    0xAC00 + (first * 21 + middle) * 28 + last: _syllable(first, middle, last)
    for first in range(19)
    for middle in range(21)
    for last in range(28)
}
_LATIN = {"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ł": "l", "đ": "d", "ı": "i"}
_MARKS = dict.fromkeys("'`´ʻʼ‘’ʹˊ′", "")
_TABLE = str.maketrans(_CYRILLIC | _LATIN | _MARKS) | _SYLLABLES
_COMBINING = dict.fromkeys(range(0x0300, 0x0370))
_NOT_LATIN = re.compile(r"[^\x00-\x7f]+")
_LAST_VOWEL = re.compile(r"(?<=[a-zQRU]{4})Q(?![a-zQRU])")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

Rewrite = Callable[[str], str]


def _join_syllables(text: str) -> str:
    """Settle the marks of Hangul: ㄹㄹ is ll (블라 bla), one ㄹ alone r; the last vowel of 피터 is -er."""
    text = text.replace("UlR", "l").replace("U", "eu").replace("lR", "ll").replace("R", "r")
    return _LAST_VOWEL.sub("r", text).replace("Q", "") if "Q" in text else text


def latin_text(text: str) -> str:
    """Lower-case Latin letters for one string that may hold many lines."""
    if text.isascii():
        return text.lower().replace("'", "").replace("`", "")
    text = unicodedata.normalize("NFC", text).lower().translate(_TABLE)
    if "R" in text or "Q" in text or "U" in text:
        text = _join_syllables(text)
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKD", text).lower().translate(_COMBINING).translate(_TABLE)
    return _NOT_LATIN.sub(lambda match: _CAMEL.sub(" ", anyascii(match[0])).lower().translate(_TABLE), text)


def map_lines(values: Sequence[str], rewrite: Rewrite) -> list[str]:
    """Apply a line-wise rewrite to all values in one call; line breaks inside values become spaces."""
    if len(values) < 2:
        return [_rewritten(value, rewrite) for value in values]
    joined = "\n".join(values)
    if joined.count("\n") >= len(values):
        joined = "\n".join(value.replace("\n", " ") for value in values)
    result = rewrite(joined).split("\n")
    if len(result) != len(values):
        # A rewrite made or swallowed a line break: do it value by value rather than shift every later one.
        return [_rewritten(value, rewrite) for value in values]
    return result


def _rewritten(value: str, rewrite: Rewrite) -> str:
    return rewrite(value.replace("\n", " ")).replace("\n", " ")


def latin(values: Sequence[str]) -> list[str]:
    """Lower-case ASCII Latin form of each value; apostrophes fall away, other punctuation stays."""
    return map_lines(values, latin_text)
