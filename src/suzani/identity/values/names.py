"""Names of people in one comparable form, their sound, and their everyday short forms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

import numpy as np

from suzani.identity.values.scripts import latin_text, map_lines

# Words around a name, in the Latin form. A title needs a word after it, what follows a name one before it.
_TITLES = (
    "mr|mrs|ms|miss|mx|mister|madam|dr|doctor|doktor|prof|professor|sir|gospodin|gospoja|g-n|g-ja|g-nka|gr\\."
    "|grajdanin|grajdanka|tov\\.|janob|janobi|khonim|xonim|ortoq|rev\\.|hon\\."
)
_TITLE = re.compile(rf"(?<!\S)(?:{_TITLES})(?![a-z])\.?(?=[^\n]*[a-z])")
_GENERATIONS = {
    spelling: generation
    for generation, spellings in {
        "sr": "sr snr senior starshiy st. katta",
        "jr": "jr jnr junior mladshiy ml. kichik ii 2nd",
        "3": "iii 3rd",
        "4": "iv 4th",
    }.items()
    for spelling in spellings.split()
}
_BARE_GENERATIONS = frozenset(spelling.rstrip(".") for spelling in _GENERATIONS)
_PARTS = re.compile("[a-z0-9]+")
_HONORIFICS = "aka|akajon|opa|opajon|domla|nim|ssi|phd|ph\\.d|esq|esquire"
_FOLLOWING = "|".join([*map(re.escape, _GENERATIONS), _HONORIFICS])
_AFTER = re.compile(
    r"[ ,](?:(?<=[a-z][ ,])|(?<=[a-z][.)][ ,]))[ ,]*"
    rf"(?:the )?((?:{_FOLLOWING})(?![a-z]))\.?(?=[ .]*(?:,|$))",
    re.MULTILINE,
)
_OTHER = re.compile(r"[^a-z\n]+")
_NOT_COMMA = re.compile(r"[^a-z,\n]+")
_HANGUL = re.compile(r"[\u1100-\u11ff\uac00-\ud7a3]")
_KOREAN_HONORIFIC = re.compile(r"(?<=[가-힣]{2})(?: ?(?:님|씨|귀하))+ *$", re.MULTILINE)
_KOREAN_FULL_NAME = re.compile(
    r"^ *(남궁|황보|제갈|사공|선우|서문|독고|[김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허"
    r"남심노하곽성차주우구민진엄채원천방공현함변염여추도소석선설길])"
    r" ?([가-힣]{2}|(?<= )[가-힣]{1,3}|(?<=[가-힣]{2})[가-힣]) *$",
    re.MULTILINE,
)
_HAN = re.compile(r"[\u4e00-\u9fff]")
_CHINESE_FULL_NAME = re.compile(
    r"^ *(欧阳|歐陽|司马|司馬|诸葛|諸葛|上官|司徒|东方|東方|皇甫|尉迟|尉遲|公孙|公孫|慕容|令狐"
    r"|[\u4e00-\u9fff]) *([\u4e00-\u9fff]) *([\u4e00-\u9fff]?) *$",
    re.MULTILINE,
)
_EDGES = re.compile(r"^ +| +$", re.MULTILINE)

# Letters and digraphs that languages and transliterations write for one sound, longest first; upper-case
# letters stand for the sounds that have no letter of their own.
_SPELLINGS = tuple(
    pair.split(">")
    for pair in (
        "chzh>J chj>J chr>kr shch>S tsch>C sch>S szcz>S sh>S sz>S tch>C ch>C cz>C dzh>J dj>J zh>J j>J "
        "kh>h ngh>nQ gh>g ph>f th>t ck>k q>k gue>ge kue>ke tc>s ts>s tz>s yeo>yu weo>vo w>v oo>u ou>u "
        "eye>ee eor>er hui>hi Qui>Qi"
    ).split()
)
# Each pattern starts with letters and looks back from its end: so the search skips to those letters.
_FOLDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        (r"mc(?=[a-zA-Z]{2})(?<![a-zA-Z]mc)", "mak"),
        (r"x(?:(?<=ex)(?=[aei])|$(?<=[aeiou]x))", "ks"),
        (r"vic\b(?<=[a-zA-Z][oe]vic)", "viC"),
        (r"c(?![eiy])", "k"),
        (r"g(?=y[eu]|va)(?<![a-zA-Z]g)", "k"),
        (r"vu\b(?<=[aeiouglmn ]vu)", "u"),
        (r"eo(?=(?:ng|[nklmbp])(?![aeiouy]))", "u"),
        (r"[hx](?![aeiou])(?<=[aeiou].)", ""),
        (r"e[iyJ]\b(?<=[a-zA-Z]{4})|i[yJ]\b|yy\b|ii\b|y\b", "i"),
        (r"aJ\b(?<=[a-zA-Z]{4})", "ai"),
        (r"z\b(?<=[lnr]z)", "s"),
        (r"ee(?!v)", "i"),
        (r"[eiy](?:(?<=[ye])e|(?<=i)[ye]e|(?<=[iy])o)", "e"),
        (r"ie", "e"),
    )
)
_FOLDED_LETTERS = (("c", "s"), ("y", "i"), ("x", "h"), ("Q", "gh"))
_SOUND_OF = bytes.maketrans(b"SCJkghdtbpvfszlrmn", b"XXXKKKTTPPFFSSLRMN")
_FIRST_VOWEL = re.compile(r"[aeiou](?<!\w.)")


def _words(text: str) -> str:
    """The Latin form of text without what stands around names; two words may follow a name (Jr., PhD)."""
    if not text.isascii() and _HANGUL.search(text):
        text = _KOREAN_HONORIFIC.sub("", unicodedata.normalize("NFC", text))
    text, found = _AFTER.subn("", latin_text(text))
    return _TITLE.sub(" ", _AFTER.sub("", text) if found else text)


def _trimmed(text: str) -> str:
    """Each line without its one blank at either end."""
    return text.replace("\n ", "\n").replace(" \n", "\n").strip(" ")


def _full_name_words(text: str) -> str:
    if not text.isascii() and _HANGUL.search(text):
        text = _KOREAN_HONORIFIC.sub("", unicodedata.normalize("NFC", text))
        text = _KOREAN_FULL_NAME.sub(r"\1, \2", text)
    if not text.isascii() and _HAN.search(text):
        text = _CHINESE_FULL_NAME.sub(_family_before_given, text)
    return _words(text)


def _family_before_given(found: re.Match[str]) -> str:
    """A Chinese name as Latin letters have it: one word for the given name (王小明 is Wang, Xiaoming)."""
    family, *given = (latin_text(part).replace(" ", "") for part in found.groups())
    return f"{family}, {''.join(given)}"


def _fold(text: str) -> str:
    for spelling, sound in _SPELLINGS:
        text = text.replace(spelling, sound)
    for pattern, replacement in _FOLDS:
        text = pattern.sub(replacement, text)
    for letter, sound in _FOLDED_LETTERS:
        text = text.replace(letter, sound)
    # Doubles fall away last: Mariia, as passports have it, is Mariya.
    return _without_doubles(text)


def _sound(folded: str) -> str:
    text = _FIRST_VOWEL.sub("A", folded.replace("ks", "k").replace("ng", "n"))
    return _without_doubles(text.encode().translate(_SOUND_OF, b"aeiouy").decode())


def _without_doubles(text: str) -> str:
    """Runs of one letter as one letter."""
    letters = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    kept = np.ones(len(letters), dtype=bool)
    kept[1:] = (letters[1:] != letters[:-1]) | (letters[1:] == ord("\n"))
    return letters[kept].tobytes().decode("utf-32-le")


def comparable_names(values: Sequence[str]) -> list[str]:
    """Lower-case Latin words of each name in any script, without titles, marks and punctuation."""
    return map_lines(values, lambda text: _trimmed(_OTHER.sub(" ", _words(text))))


def comparable_full_names(values: Sequence[str]) -> list[str]:
    """As `comparable_names`, but a comma stays: it parts the family name from the others.

    Korean names in Hangul (김민준, 김 민준, 남궁민수) get one: there the family name stands first.
    """
    return map_lines(values, lambda text: _trimmed(_NOT_COMMA.sub(" ", _full_name_words(text))))


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
    return sounds_of(folded_names(comparables))


def sounds_of(folded: Sequence[str]) -> list[str]:
    """The `phonetic_keys` of names, from their `folded_names`."""
    return map_lines(folded, _sound)


def phonetic_key(text: str) -> str:
    """The sound of one name in any script as a short key; "" when it has no letters."""
    return phonetic_keys(comparable_names([text]))[0]


def generation(values: Sequence[str]) -> list[str]:
    """Which bearer of a name its suffix says: "sr", "jr", "3", "4", or "" for a name without one.

    Takes names as typed ("Smith Jr., John", "Karimov kichik"). II and 2nd are "jr" too: both mean the second
    bearer, and clerks write one for the other. A suffix needs a name before it; a lone word is a name.
    """
    return [
        next((_GENERATIONS[word] for word in _AFTER.findall(text) if word in _GENERATIONS), "")
        for text in map_lines(values, latin_text)
    ]


def are_suffixes(words: Sequence[str]) -> list[bool]:
    """Which words as typed say, or hold a word that says, which bearer of a name somebody is."""
    return [
        form in _BARE_GENERATIONS
        or not (form.isalpha() or _BARE_GENERATIONS.isdisjoint(_PARTS.findall(form)))
        for form in map_lines(words, latin_text)
    ]


_BORN = (
    r"n[ée]e|geb(?:\.|orene)|урожд(?:\.|[её]нная)|в девичестве|до брака|бывш(?:ая|\.)"
    r"|дев(?:\.|ичья)(?: фам(?:\.|илия))?|qizlik familiyasi|qizligida|қизлик фамилияси|қизлигида"
)
_MAIDEN = re.compile(
    rf"\([ ]*(?:(?:{_BORN}|born|formerly)(?:(?<=\.)|\b)[:]?)?(?P<inside>[^()\d\n]*)\)"
    rf"|(?<=\w)[ ,;]+(?:{_BORN})(?:(?<=\.)|\b)[:]? *(?P<after>[^\W\d][^()\s,;]*)",
    re.IGNORECASE,
)

MAYBE_MAIDEN = rf"\(|[ ,;](?:{_BORN})"
"""A pattern without which a name has no maiden name in it; not case-sensitive."""


def maiden(values: Sequence[str]) -> tuple[list[str], list[str]]:
    """Each name as typed without its maiden name, and the maiden name ("" where none is given).

    Known are "Smith (Jones)" and words such as née, geb., урожд., в девичестве, qizlik familiyasi, with or
    without parentheses. Parentheses may hold a short form of the word before them instead ("Elizabeth (Liz)
    Smith"): such a name stays as it is. For family names and full names, not for given names.
    """
    parted = [
        _without_maiden(value) if "(" in value or _MAIDEN.search(value) else (value, "") for value in values
    ]
    return [name for name, _ in parted], [born for _, born in parted]


def _without_maiden(value: str) -> tuple[str, str]:
    found = _MAIDEN.search(value)
    born = (found["inside"] or found["after"] or "").strip(" .,:-") if found else ""
    rest = " ".join((value[: found.start()] + " " + value[found.end() :]).split()) if found else ""
    if not found or not born or not comparable_name(rest):
        return value, ""
    before, inside = comparable_names([value[: found.start()], born])
    groups = short_forms()
    short = groups.get(before.rpartition(" ")[2], frozenset()) & groups.get(inside, frozenset())
    return (value, "") if short or not inside else (rest.replace(" ,", ","), born)


@lru_cache(maxsize=1)
def short_forms() -> dict[str, frozenset[int]]:
    """For each name the groups it belongs to; two names with a common group are forms of one name."""
    groups: dict[str, set[int]] = {}
    text = resources.files("suzani.identity.values").joinpath("short_forms.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    for number, line in enumerate(lines):
        for name in line.split():
            groups.setdefault(name, set()).add(number)
    return {name: frozenset(numbers) for name, numbers in groups.items()}


@lru_cache(maxsize=1)
def folded_short_forms() -> dict[str, frozenset[int]]:
    """The groups of `short_forms` by folded name."""
    groups: dict[str, frozenset[int]] = {}
    known = short_forms()
    for form, numbers in zip(folded_names(list(known)), known.values(), strict=True):
        groups[form] = groups.get(form, frozenset()) | numbers
    return groups


def short_form_groups(comparables: Sequence[str]) -> list[frozenset[int]]:
    """The groups of `short_forms` each name belongs to in any transliteration (Zhenya, Jenya, Женя).

    Takes the output of `comparable_names`; empty for a name without short forms and for several words.
    """
    known = folded_short_forms()
    return [known.get(form, frozenset()) for form in folded_names(comparables)]
