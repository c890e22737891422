"""Writing one name in the scripts and transliterations found in banks of Uzbekistan; pure functions on text.

Uzbek names start from Latin with ' for both apostrophes, Slavic ones from Russian Cyrillic; every other form
follows by rule, as clerks make it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from suzani.demo.types import Habit

_UZBEK_TO_CYRILLIC = {
    "yo'": "йў", "o'": "ў", "g'": "ғ", "sh": "ш", "ch": "ч", "ye": "е", "yo": "ё", "yu": "ю", "ya": "я",
    "a": "а", "b": "б", "d": "д", "e": "е", "f": "ф", "g": "г", "h": "ҳ", "i": "и", "j": "ж", "k": "к",
    "l": "л", "m": "м", "n": "н", "o": "о", "p": "п", "q": "қ", "r": "р", "s": "с", "t": "т", "u": "у",
    "v": "в", "x": "х", "y": "й", "z": "з", "'": "ъ",
}  # fmt: skip
_CYRILLIC_TO_PASSPORT = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i",
    "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t",
    "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ы": "y", "э": "e",
    "ю": "iu", "я": "ia", "ъ": "", "ь": "",
}  # fmt: skip
_CYRILLIC_TO_PLAIN = _CYRILLIC_TO_PASSPORT | {"ё": "yo", "й": "y", "ю": "yu", "я": "ya", "кс": "x"}
_CYRILLIC_TO_UZBEK = _CYRILLIC_TO_PLAIN | {
    "ж": "j", "х": "x", "ц": "s", "щ": "sh", "ы": "i", "кс": "ks", "^е": "ye",
}  # fmt: skip
_RUSSIAN_LETTERS = {"ў": "у", "қ": "к", "ғ": "г", "ҳ": "х", "ъ": ""}
_RUSSIAN_OLD_ENDINGS = [
    ("жон", "джан"), ("хон", "хан"), ("мон", "ман"), ("бой", "бай"), ("ёр", "яр"), ("ход", "хад"),
    ("зод", "зад"), ("ж", "дж"), ("ддж", "дж"),
]  # fmt: skip


def _substitution(table: dict[str, str]) -> Callable[[str], str]:
    """A function replacing each longest known sequence, keeping a capital first letter."""
    known = "|".join(sorted((re.escape(k) for k in table if not k.startswith("^")), key=len, reverse=True))
    pattern = re.compile(known, re.IGNORECASE)

    def one(match: re.Match[str]) -> str:
        found = match.group()
        written = table[found.lower()]
        return written[:1].upper() + written[1:] if found[0].isupper() else written

    return lambda text: pattern.sub(one, text)


_to_cyrillic = _substitution(_UZBEK_TO_CYRILLIC)
_to_passport = _substitution(_CYRILLIC_TO_PASSPORT)
_to_plain = _substitution(_CYRILLIC_TO_PLAIN)
_to_uzbek = _substitution(_CYRILLIC_TO_UZBEK)
_to_russian = _substitution(_RUSSIAN_LETTERS)
_to_letters = _substitution({"sh": "ş", "ch": "ç", "o'": "ö", "g'": "ğ", "o\u02bb": "ö", "g\u02bb": "ğ"})


def uzbek_cyrillic(latin: str) -> str:
    """Uzbek Latin (with ') in Uzbek Cyrillic; e is э where a word starts or a vowel stands before."""
    opened = re.sub(
        r"(?i)(^|[\s-]|(?<=[aiou]))e", lambda m: m.group(1) + ("Э" if m.group()[-1] == "E" else "э"), latin
    )
    return _to_cyrillic(opened)


def _with_okina(latin: str) -> str:
    return re.sub(r"([OoGg])'", "\\1\u02bb", latin).replace("'", "\u02bc")


def _older_russian(cyrillic: str) -> str:
    for new, old in _RUSSIAN_OLD_ENDINGS:
        cyrillic = cyrillic.replace(new, old).replace(new.capitalize(), old.capitalize())
    return cyrillic


def uzbek_forms(latin: str) -> tuple[str, ...]:
    """An Uzbek name in every habit, in the order of `Habit`."""
    cyrillic = uzbek_cyrillic(latin)
    russian = _to_russian(cyrillic)
    plain = latin.replace("'", "")
    return (
        russian,
        _older_russian(russian),
        cyrillic,
        _with_okina(latin),
        _to_letters(latin).replace("'", "\u02bc"),
        _to_passport(russian),
        plain,
        plain,
    )


def russian_forms(cyrillic: str) -> tuple[str, ...]:
    """A name whose official form is Russian Cyrillic, in every habit."""
    plain_letters = cyrillic.replace("ё", "е").replace("Ё", "Е")
    opened = re.sub(r"(^|[\sаеиоуыэюяь])е", r"\1йе", re.sub(r"(^|\s)Е", r"\1Йе", plain_letters))
    uzbek = _to_uzbek(opened)
    return (
        plain_letters,
        re.sub(r"ья$", "ия", cyrillic),
        plain_letters,
        uzbek,
        _to_letters(uzbek),
        _to_passport(plain_letters),
        _to_plain(cyrillic),
        _to_plain(cyrillic),
    )


def latin_forms(latin: str, cyrillic: str) -> tuple[str, ...]:
    """A foreign name known in Latin and in Russian letters, in every habit."""
    plain = latin.replace("'", "")
    return (cyrillic, cyrillic, cyrillic, latin, latin, plain, plain, latin)


def feminine_family(family: str) -> str:
    """The woman's form of a family name in Uzbek Latin or Russian Cyrillic; others stay as they are."""
    if family.endswith(("ский", "цкий")):
        return family[:-2] + "ая"
    if family.endswith(("ов", "ев", "ёв", "ин", "ын")):
        return family + "а"
    return family + "a" if family.endswith(("ov", "ev")) else family


def uzbek_family(stem: str) -> str:
    """The man's family name made from a grandfather's name in Uzbek Latin: Karim → Karimov, Ali → Aliyev."""
    if stem.endswith(("ov", "ev")):
        return stem
    if stem.endswith("y"):
        return stem + "ev"
    return stem + ("yev" if stem[-1] in "aeiou" or stem.endswith("o'") else "ov")


def uzbek_patronymic(father: str, sex: int, style: int) -> str:
    """The patronymic of a man (sex 0) or woman (1): style 0 -ovich/-ovna, style 1 oʻgʻli/qizi; with '."""
    if style == 1:
        return f"{father} {_DAUGHTER if sex else _SON}"
    stem = uzbek_family(father)
    return stem + ("na" if sex else "ich")


_SON, _DAUGHTER = "o'g'li", "qizi"
_IRREGULAR = {
    "Илья": ("Ильич", "Ильинична"), "Никита": ("Никитич", "Никитична"), "Лев": ("Львович", "Львовна"),
    "Павел": ("Павлович", "Павловна"), "Пётр": ("Петрович", "Петровна"), "Яков": ("Яковлевич", "Яковлевна"),
    "Михаил": ("Михайлович", "Михайловна"), "Данила": ("Данилович", "Даниловна"),
}  # fmt: skip


def russian_patronymic(father: str, sex: int) -> str:
    """The patronymic of a man (sex 0) or woman (1) from the father's name in Russian Cyrillic."""
    if father in _IRREGULAR:
        return _IRREGULAR[father][sex]
    stem, soft = father, False
    if father.endswith("ий"):
        stem, soft = father[:-2] + ("и" if father[-4:-2] in {"тр", "рк"} else "ь"), True
    elif father.endswith(("й", "ь")):
        stem, soft = father[:-1], True
    elif father.endswith(("а", "я")):
        stem = father[:-1]
    return stem + ("евна" if soft and sex else "евич" if soft else "овна" if sex else "ович")


HABITS = len(Habit)
"""How many forms each name has."""
