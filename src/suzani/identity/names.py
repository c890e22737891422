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

_FOLDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        (r"shch|sch|sh", "S"),
        (r"tch|ch", "C"),
        (r"dzh|dj|zh|j", "J"),
        (r"(?<=e)x(?=[aei])|(?<=[aeiou])x$", "ks"),
        (r"kh|gh(?=[aeiou])|x", "h"),
        (r"ph", "f"),
        (r"th", "t"),
        (r"ck|q|c(?![eiyh])", "k"),
        (r"ts|tz|c", "s"),
        (r"w", "v"),
        (r"(?<=[aeiou])h(?![aeiou])", ""),
        (r"i[yj]\b|yy\b|ii\b|ey\b|y\b", "i"),
        (r"[yi](?=[aeou])|(?<=[aeou])[yi]", "i"),
        (r"y", "i"),
        (r"ie|ye|io|yo", "e"),
        (r"(.)\1+", r"\1"),
    )
)
_SOUNDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        (r"[SCJ]", "X"),
        (r"ks|[kgh]", "K"),
        (r"[dt]", "T"),
        (r"[bp]", "P"),
        (r"[vf]", "F"),
        (r"[sz]", "S"),
        (r"[l]", "L"),
        (r"[r]", "R"),
        (r"[m]", "M"),
        (r"ng|n", "N"),
        (r"\b[aeiou]+", "A"),
        (r"[aeiou]+", ""),
        (r"(.)\1+", r"\1"),
    )
)


def _comparable(text: str) -> str:
    return _EDGES.sub("", _OTHER.sub(" ", _TITLE.sub(" ", text)))


def _rewrite(text: str, steps: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    for pattern, replacement in steps:
        text = pattern.sub(replacement, text)
    return text


def comparable_names(values: Sequence[str]) -> list[str]:
    """Lower-case Latin words of each name in any script, without titles, marks and punctuation."""
    return map_lines(latin(values), _comparable)


def comparable_full_names(values: Sequence[str]) -> list[str]:
    """As `comparable_names`, but a comma stays: it parts the family name from the others."""
    return map_lines(latin(values), lambda text: _EDGES.sub("", _NOT_COMMA.sub(" ", _TITLE.sub(" ", text))))


def comparable_name(text: str) -> str:
    """Lower-case Latin words of one name in any script; "" when it has no letters."""
    return comparable_names([text])[0]


def folded_names(comparables: Sequence[str]) -> list[str]:
    """A form in which the transliterations of one name fall together (Khasan, Xasan and Hasan: `hasan`).

    Takes the output of `comparable_names`. Upper-case letters stand for digraphs.
    """
    return map_lines(comparables, lambda text: _rewrite(text, _FOLDS))


def phonetic_keys(comparables: Sequence[str]) -> list[str]:
    """The consonants of each name by class of sound, a key for blocking; masculine and feminine agree."""
    return map_lines(comparables, lambda text: _rewrite(_rewrite(text, _FOLDS), _SOUNDS))


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
