"""Names of people in one comparable form, their sound, and their everyday short forms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

from suzani.identity.scripts import latin, map_lines

_TITLES = "mr|mrs|ms|miss|dr|prof|sir|mister|gospodin|gospoja|janob|khonim|xonim"
_TITLE = re.compile(rf"(?:(?<=\s)|^)(?:{_TITLES})\b\.?(?=[^\n]*\w)", re.MULTILINE)
_OTHER = re.compile(r"[^a-z\n]+")
_NOT_COMMA = re.compile(r"[^a-z,\n]+")
_EDGES = re.compile(r"^ +| +$", re.MULTILINE)

# Letters and digraphs that languages and transliterations write for one sound, longest first; upper-case
# letters stand for the sounds that have no letter of their own.
_SPELLINGS = tuple(
    pair.split(">")
    for pair in (
        "shch>S sch>S sh>S tch>C ch>C dzh>J dj>J zh>J j>J kh>h ph>f th>t ck>k q>k tc>s ts>s tz>s w>v"
    ).split()
)
_FOLDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        (r"(?<=e)x(?=[aei])|(?<=[aeiou])x$", "ks"),
        (r"gh(?=[aeiou])|x", "h"),
        (r"c(?![eiyh])", "k"),
        (r"(?<=[aeiou])h(?![aeiou])", ""),
        (r"(?<=[a-zA-Z]{2})e[iyJ]\b|i[yJ]\b|yy\b|ii\b|y\b", "i"),
        (r"i?[ye]e|[iy]o", "e"),
        (r"ie", "e"),
    )
)
_FOLDED_LETTERS = str.maketrans({"c": "s", "y": "i"})
_SOUND_OF = str.maketrans(
    {letter: sound for sound, letters in
     {"X": "SCJ", "K": "kgh", "T": "dt", "P": "bp", "F": "vf", "S": "sz", "L": "l", "R": "r", "M": "m",
      "N": "n", "": "aeiouy"}.items() for letter in letters}
)  # fmt: skip
_FIRST_VOWELS = re.compile(r"\b[aeiou]+")
_REPEATED = re.compile(r"(.)\1+")


def _comparable(text: str) -> str:
    return _EDGES.sub("", _OTHER.sub(" ", _TITLE.sub(" ", text)))


def _fold(text: str) -> str:
    for spelling, sound in _SPELLINGS:
        text = text.replace(spelling, sound)
    for pattern, replacement in _FOLDS:
        text = pattern.sub(replacement, text)
    # Doubles fall away last: Mariia, as passports have it, is Mariya.
    return _REPEATED.sub(r"\1", text.translate(_FOLDED_LETTERS))


def _sound(text: str) -> str:
    text = _FIRST_VOWELS.sub("A", _fold(text).replace("ks", "k").replace("ng", "n"))
    return _REPEATED.sub(r"\1", text.translate(_SOUND_OF))


def comparable_names(values: Sequence[str]) -> list[str]:
    """Lower-case Latin words of each name in any script, without titles, marks and punctuation."""
    return map_lines(latin(values), _comparable)


def comparable_full_names(values: Sequence[str]) -> list[str]:
    """As `comparable_names`, but a comma stays: it parts the family name from the others."""
    return map_lines(latin(values), lambda text: _EDGES.sub("", _NOT_COMMA.sub(" ", _TITLE.sub(" ", text))))


_FATHER_WORDS = re.compile(r" ?\b(?:ogli|ugli|kizi|qizi|uli)\b")
_FATHER_ENDINGS = re.compile(
    r"(?<=[a-z]{3})(?:y?[oe]vich|y?[oe]vna|ichna|ogli|ugli|kizi|qizi|ich)$", re.MULTILINE
)


def father_names(comparables: Sequence[str]) -> list[str]:
    """The father's name in each patronymic: Nodirovna, Nodir qizi and Nodirovich are all `nodir`.

    Takes the output of `comparable_names`; other middle names stay as they are.
    """
    return map_lines(
        comparables, lambda text: _EDGES.sub("", _FATHER_ENDINGS.sub("", _FATHER_WORDS.sub("", text)))
    )


def comparable_name(text: str) -> str:
    """Lower-case Latin words of one name in any script; "" when it has no letters."""
    return comparable_names([text])[0]


def folded_names(comparables: Sequence[str]) -> list[str]:
    """A form in which the transliterations of one name fall together (Khasan, Xasan and Hasan: `hasan`).

    Takes the output of `comparable_names`. Upper-case letters stand for digraphs.
    """
    return map_lines(comparables, _fold)


def phonetic_keys(comparables: Sequence[str]) -> list[str]:
    """The consonants of each name by class of sound, a key for blocking; masculine and feminine agree."""
    return map_lines(comparables, _sound)


def phonetic_key(text: str) -> str:
    """The sound of one name in any script as a short key; "" when it has no letters."""
    return phonetic_keys(comparable_names([text]))[0]


@lru_cache(maxsize=1)
def short_forms() -> dict[str, frozenset[int]]:
    """For each name the groups it belongs to; two names with a common group are forms of one name."""
    groups: dict[str, set[int]] = {}
    text = resources.files("suzani.identity").joinpath("short_forms.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    for number, line in enumerate(lines):
        for name in line.split():
            groups.setdefault(name, set()).add(number)
    return {name: frozenset(numbers) for name, numbers in groups.items()}
