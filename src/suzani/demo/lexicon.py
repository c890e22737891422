"""The names and places people are given, from `data/*.yaml`, with every spelling worked out once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import yaml

from suzani.demo import spelling
from suzani.demo.types import Culture, Habit, Ints

Forms = tuple[str, ...]
_GIVEN_LISTS = {
    Culture.UZBEK: "uzbek",
    Culture.RUSSIAN: "russian",
    Culture.TATAR: "tatar",
    Culture.KAZAKH: "kazakh",
    Culture.KORYO: "russian",
    Culture.ENGLISH: "english",
}


def _data(name: str) -> Any:
    text = resources.files("suzani.demo").joinpath("data", f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


@dataclass
class Pool:
    """Names of one kind to draw from: ids, how common each is, and its peak year (0: always the same)."""

    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)

    def draw(self, rng: np.random.Generator, years: Ints) -> Ints:
        """One id for each birth year; popularity fades on both sides of a name's peak."""
        ids, weights, peaks = np.array(self.ids), np.array(self.weights), np.array(self.peaks)
        drawn = np.empty(len(years), dtype=np.int64)
        spin = rng.random(len(years))
        decades = years // 10
        for decade in np.unique(decades):
            chosen = decades == decade
            distance = np.where(peaks == 0, 0, (peaks - decade * 10 - 5) / 12)
            total = np.cumsum(weights * (np.exp(-(distance**2) / 2) + 0.03))
            drawn[chosen] = ids[np.searchsorted(total, spin[chosen] * total[-1], side="right")]
        return drawn


class Texts:
    """Spelled forms of many names, found by (habit, variant, id) in one Arrow array."""

    def __init__(self, forms: list[list[Forms]]) -> None:
        self.variants, self.count = len(forms), len(forms[0])
        flat = [name[habit] for habit in range(spelling.HABITS) for variant in forms for name in variant]
        self.array = pa.array(flat, pa.string())

    def take(self, habit: Ints, variant: Ints | int, ids: Ints) -> pa.StringArray:
        """The spelling of each id; an id below 0 has none (null)."""
        index = (habit * self.variants + variant) * self.count + ids
        return self.array.take(pa.array(index, mask=ids < 0))


@dataclass(frozen=True)
class NameBook:
    """All names in all spellings; variants of family names: sex, of patronymics: style * 2 + sex."""

    given: Texts
    family: Texts
    patronymic: Texts
    given_pools: dict[tuple[Culture, int], Pool]
    family_pools: dict[Culture, Pool]
    twins: dict[str, int]
    """Ids of Hasan, Husan, Fotima and Zuhra, the names twins are given."""


def _zipf(rank: int, offset: float, exponent: float) -> float:
    return float((rank + offset) ** -exponent)


def _forms_of(kind: str, name: str) -> Forms:
    if kind == "uzbek":
        return spelling.uzbek_forms(name)
    if kind == "russian":
        return spelling.russian_forms(name)
    latin, cyrillic = name.split("=")
    return spelling.latin_forms(latin, cyrillic)


def _syllables(text: str) -> list[list[str]]:
    return [part.split("=") for part in text.split()]


def _korean_given(families: dict[str, str], sex: str) -> Iterable[Forms]:
    for hangul, latin, russian in _syllables(families[f"{sex}_first"]):
        for end_hangul, end_latin, end_russian in _syllables(families[f"{sex}_second"]):
            if latin.lower() != end_latin:
                cyrillic, joined = russian + end_russian, latin + end_latin
                apart, hyphen = f"{latin} {end_latin.title()}", f"{latin}-{end_latin}"
                yield (cyrillic, f"{russian} {end_russian.title()}", cyrillic, joined, hyphen, apart, joined,
                       hangul + end_hangul)  # fmt: skip


def _patronymics(kind: str, father: str, sex: int, style: int) -> Forms:
    if kind == "uzbek":
        return spelling.uzbek_forms(spelling.uzbek_patronymic(father, sex, style))
    return spelling.russian_forms(spelling.russian_patronymic(father, sex))


class _Givens:
    """Collects given names with the patronymics their bearers hand on."""

    def __init__(self) -> None:
        self.forms: list[Forms] = []
        self.patronymics: list[list[Forms]] = [[] for _ in range(4)]
        self.pools: dict[tuple[Culture, int], Pool] = {}
        self.by_name: dict[str, int] = {}

    def add(self, name: str, forms: Forms, make: Callable[[int, int], Forms]) -> int:
        self.forms.append(forms)
        for variant, collected in enumerate(self.patronymics):
            collected.append(make(variant % 2, variant // 2))
        self.by_name.setdefault(name, len(self.forms) - 1)
        return len(self.forms) - 1

    def add_list(self, culture: Culture, kind: str, sex: int, lists: dict[int, str]) -> None:
        pool = self.pools[culture, sex] = Pool()
        none: Forms = ("",) * spelling.HABITS
        for peak, names in lists.items():
            for rank, name in enumerate(names.split()):

                def make(child: int, style: int, name: str = name) -> Forms:
                    return none if sex == 1 or kind == "pairs" else _patronymics(kind, name, child, style)

                pool.ids.append(self.add(name, _forms_of(kind, name), make))
                pool.weights.append(_zipf(rank, 3, 0.8))
                pool.peaks.append(peak)


def _collect_givens(families: dict[str, Any]) -> _Givens:
    data, givens, none = _data("given_names"), _Givens(), ("",) * spelling.HABITS
    for culture, name in _GIVEN_LISTS.items():
        for sex, label in enumerate(("male", "female")):
            if culture is Culture.KORYO:
                givens.pools[culture, sex] = givens.pools[Culture.RUSSIAN, sex]
            else:
                givens.add_list(culture, data[name]["spelling"], sex, data[name][label])
    for sex, label in enumerate(("male", "female")):
        pool = givens.pools[Culture.KOREA, sex] = Pool()
        for rank, forms in enumerate(_korean_given(families["korean"], label)):
            pool.ids.append(givens.add(forms[Habit.PLAIN], forms, lambda _sex, _style: none))
            pool.weights.append(_zipf(rank % 37, 6, 0.7))
            pool.peaks.append(0)
    return givens


def _uzbek_stems(parts: dict[str, str], given: str) -> list[str]:
    """Stems from the commonest to the rarest, each once."""
    stems = parts["stems"].split() + given.split()
    longer = [
        stem + end
        for end in parts["endings"].split()
        for stem in stems
        if not stem.endswith(("ov", "y", end))
    ]
    joined = [head + tail for tail in parts["tails"].split() for head in parts["heads"].split()]
    return list(dict.fromkeys([*stems, *joined, *longer]))


def _family_forms(
    families: dict[str, Any], given: str
) -> Iterable[tuple[Culture, list[tuple[Forms, Forms]]]]:
    uzbek = [spelling.uzbek_family(stem) for stem in _uzbek_stems(families["uzbek"], given)]
    uzbek[200:200] = [name.replace("_", " ") for name in families["uzbek"]["fixed"].split()]
    yield (
        Culture.UZBEK,
        [(spelling.uzbek_forms(n), spelling.uzbek_forms(spelling.feminine_family(n))) for n in uzbek],
    )
    for culture, name in ((Culture.RUSSIAN, "russian"), (Culture.TATAR, "tatar"), (Culture.KAZAKH, "kazakh")):
        yield (
            culture,
            [
                (spelling.russian_forms(n), spelling.russian_forms(spelling.feminine_family(n)))
                for n in families[name]["names"].split()
            ],
        )
    english = [_forms_of("pairs", n) for n in families["english"]["names"].split()]
    yield Culture.ENGLISH, [(forms, forms) for forms in english]
    koryo, korea = [], []
    for hangul, latin, in_korea, in_asia in _syllables(families["korean"]["names"]):
        koryo.append((*spelling.russian_forms(in_asia)[:7], hangul))
        korea.append((in_korea, in_korea, in_korea, latin, latin, latin, latin, hangul[:1]))
    yield Culture.KORYO, [(forms, forms) for forms in koryo]
    yield Culture.KOREA, [(forms, forms) for forms in korea]


@lru_cache(maxsize=1)
def name_book() -> NameBook:
    """All names in all spellings; built once in a process (about a second)."""
    families = _data("family_names")
    givens = _collect_givens(families)
    older = _data("given_names")["uzbek"]["male"]
    forms: list[list[Forms]] = [[], []]
    pools = {}
    for culture, names in _family_forms(families, f"{older[1942]} {older[1958]}"):
        start = len(forms[0])
        forms[0] += [masculine for masculine, _ in names]
        forms[1] += [feminine for _, feminine in names]
        exponent = 1.1 if culture in {Culture.KORYO, Culture.KOREA} else 0.85
        weights = [_zipf(rank, 5, exponent) for rank in range(len(names))]
        pools[culture] = Pool(list(range(start, len(forms[0]))), weights, [0] * len(names))
    twins = {name: givens.by_name[name] for name in ("Hasan", "Husan", "Fotima", "Zuhra")}
    return NameBook(
        Texts([givens.forms]), Texts(forms), Texts(givens.patronymics), givens.pools, pools, twins
    )


@dataclass(frozen=True)
class Gazetteer:
    """Places, streets, occupations and employers; texts by habit."""

    city: Texts
    district: Texts
    street: Texts
    region: Texts
    occupation: Texts
    employer: Texts
    place_region: Ints
    place_postcode: Ints
    place_weight: npt.NDArray[np.float64]


def _triple(uzbek: str, russian: str, plain: str) -> Forms:
    forms = spelling.uzbek_forms(uzbek)
    return (russian, russian, *forms[2:5], plain, plain, plain)


def _listed(text: str) -> list[list[str]]:
    return [[part.strip() for part in item.split("=")] for item in text.split(";")]


@lru_cache(maxsize=1)
def gazetteer() -> Gazetteer:
    """All places in all spellings; built once in a process."""
    data = _data("places")
    cities, districts, regions, postcodes, weights = [], [], [], [], []
    for entry in data["places"]:
        *names, region, postcode, weight = entry.split("=")
        parts = [name.split("/") for name in names]
        cities.append(_triple(*(part[0] for part in parts)))
        districts.append(_triple(*(part[1] for part in parts)))
        regions.append(int(region))
        postcodes.append(int(postcode))
        weights.append(float(weight))
    streets = [_triple(uz, ru, spelling.uzbek_forms(uz)[Habit.PLAIN]) for uz, ru in _listed(data["streets"])]
    employers = [
        _triple(uz, ru, spelling.uzbek_forms(uz)[Habit.PLAIN]) for uz, ru in _listed(data["employers"])
    ]
    occupations = [_triple(uz, ru, en) for uz, ru, en in _listed(data["occupations"])]
    region_names = [_triple(*entry.split("=")) for entry in data["regions"]]
    return Gazetteer(
        city=Texts([cities]),
        district=Texts([districts]),
        street=Texts([streets]),
        region=Texts([region_names]),
        occupation=Texts([occupations]),
        employer=Texts([employers]),
        place_region=np.array(regions),
        place_postcode=np.array(postcodes),
        place_weight=np.array(weights) / sum(weights),
    )
