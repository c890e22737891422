"""Families: who lives together, what they are called and when they were born; whole columns at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suzani.demo.lexicon import NameBook
from suzani.demo.types import Culture, Days, Ints, Role, Streams

_H, _W, _C = Role.HUSBAND, Role.WIFE, Role.CHILD
_SHAPES: list[tuple[tuple[Role, ...], float]] = [
    ((_H,), 0.24),
    ((_W,), 0.22),
    ((_H, _W), 0.25),
    ((_H, _W, _C), 0.09),
    ((_H, _W, _C, _C), 0.06),
    ((_H, _W, _C, _C, _C), 0.02),
    ((_W, _C), 0.03),
    ((_C, _C), 0.06),
    ((_H, _C), 0.02),
    ((_W, _C, _C), 0.01),
]
_CULTURES = {
    Culture.UZBEK: 0.775, Culture.RUSSIAN: 0.11, Culture.TATAR: 0.033, Culture.KAZAKH: 0.035,
    Culture.KORYO: 0.026, Culture.KOREA: 0.012, Culture.ENGLISH: 0.009,
}  # fmt: skip
_TAKES_HUSBANDS_NAME = {
    Culture.UZBEK: 0.5, Culture.RUSSIAN: 0.92, Culture.TATAR: 0.85, Culture.KAZAKH: 0.4,
    Culture.KORYO: 0.45, Culture.KOREA: 0.0, Culture.ENGLISH: 0.7,
}  # fmt: skip
_TWINS, _TWIN_NAMES = 0.025, 0.4
_NAMESAKES = 1 / 2500
NEVER = np.datetime64("2200-01-01", "D")
"""The day of a change that does not happen."""


@dataclass(frozen=True)
class Families:
    """Persons grouped into households, with names and births; `member` counts from 0 inside a household."""

    household: Ints
    role: Ints
    culture: Ints
    sex: Ints
    birth: Days
    given: Ints
    family: Ints
    maiden: Ints
    married_on: Days
    father: Ints
    patronymic_style: Ints

    def __len__(self) -> int:
        return len(self.sex)


def _compose(count: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Household number and role of `count` persons."""
    weights = np.array([weight for _, weight in _SHAPES])
    lengths = np.array([len(shape) for shape, _ in _SHAPES])
    shapes = rng.choice(len(_SHAPES), size=count, p=weights / weights.sum())
    sizes = lengths[shapes]
    kept = int(np.searchsorted(np.cumsum(sizes), count)) + 1
    shapes, sizes = shapes[:kept], sizes[:kept]
    household = np.repeat(np.arange(kept), sizes)
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    position = np.arange(len(household)) - start[household]
    roles = np.zeros((len(_SHAPES), lengths.max()), dtype=np.int64)
    for row, (shape, _) in enumerate(_SHAPES):
        roles[row, : len(shape)] = shape
    return household[:count], roles[shapes[household], position][:count]


def _birth_years(household: Ints, role: Ints, rng: np.random.Generator) -> Ints:
    """Parents are 20 to 36 years older than their grown children; everyone is at least 17."""
    families = int(household[-1]) + 1
    has_child = np.zeros(families, dtype=bool)
    has_child[household[role == Role.CHILD]] = True
    head = 1942 + np.round(64 * rng.beta(1.7, 1.3, families)).astype(np.int64)
    head = np.where(has_child, 1942 + (head - 1942) * 40 // 64, head)
    gap = np.round(rng.normal(2.5, 2.5, len(role))).astype(np.int64)
    child = head[household] + rng.integers(22, 36, len(role))
    years = np.where(role == Role.CHILD, child, head[household] + np.where(role == Role.WIFE, gap, 0))
    return np.where(years > 2008, 1999 + rng.integers(0, 10, len(role)), np.maximum(years, 1938))


def _days_of(years: Ints, rng: np.random.Generator) -> Days:
    first = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    days: Days = first + rng.integers(0, 365, len(years)).astype("timedelta64[D]")
    return days


def _draw_given(book: NameBook, culture: Ints, sex: Ints, years: Ints, rng: np.random.Generator) -> Ints:
    given = np.zeros(len(sex), dtype=np.int64)
    for (kind, of_sex), pool in book.given_pools.items():
        chosen = (culture == kind) & (sex == of_sex)
        given[chosen] = pool.draw(rng, years[chosen])
    return given


def _draw_family(book: NameBook, culture: Ints, rng: np.random.Generator) -> Ints:
    family = np.zeros(len(culture), dtype=np.int64)
    for kind, pool in book.family_pools.items():
        chosen = culture == kind
        family[chosen] = pool.draw(rng, np.full(int(chosen.sum()), 2000))
    return family


def _twins(household: Ints, role: Ints, rng: np.random.Generator) -> Ints:
    """Rows whose predecessor is their twin."""
    sibling = (role[1:] == Role.CHILD) & (role[:-1] == Role.CHILD) & (household[1:] == household[:-1])
    chosen = np.flatnonzero(sibling & (rng.random(len(role) - 1) < _TWINS)) + 1
    return chosen[np.concatenate([[True], np.diff(chosen) > 1])] if len(chosen) else chosen


def _name_siblings(book: NameBook, family: Families, twins: Ints, rng: np.random.Generator) -> None:
    """Twins often get paired names, and no two siblings in a row share one; writes into `given`."""
    paired = twins[(rng.random(len(twins)) < _TWIN_NAMES) & (family.culture[twins] == Culture.UZBEK)]
    first, second = (
        np.array([book.twins[a], book.twins[b]]) for a, b in (("Hasan", "Fotima"), ("Husan", "Zuhra"))
    )
    family.given[paired - 1] = first[family.sex[paired - 1]]
    family.given[paired] = second[family.sex[paired]]
    years = family.birth.astype("datetime64[Y]").astype(np.int64) + 1970
    for _ in range(6):
        same = np.flatnonzero(
            (family.given[1:] == family.given[:-1]) & (family.household[1:] == family.household[:-1])
        ) + 1  # fmt: skip
        if len(same):
            family.given[same] = _draw_given(book, family.culture[same], family.sex[same], years[same], rng)


def _namesakes(family: Families, rng: np.random.Generator) -> None:
    """Now and then an unrelated person has the same name and birth date; writes into the columns."""
    group = family.culture * 2 + family.sex
    rows = rng.permutation(len(family))
    left, right = rows[: len(rows) // 2], rows[len(rows) // 2 : len(rows) // 2 * 2]
    chosen = (group[left] == group[right]) & (rng.random(len(left)) < _NAMESAKES * 2.5)
    chosen &= (family.role[left] != Role.CHILD) & (family.role[right] != Role.CHILD)
    for column in (family.given, family.family, family.birth):
        column[right[chosen]] = column[left[chosen]]


def _marry(family: Families, book: NameBook, streams: Streams) -> None:
    """Wives come from another family; many take the husband's name that day. Writes into the columns."""
    rng = streams("households.marriage")
    wives = np.flatnonzero(family.role == Role.WIFE)
    maiden = _draw_family(book, family.culture[wives], rng)
    share = np.array([_TAKES_HUSBANDS_NAME[culture] for culture in Culture])
    takes = rng.random(len(wives)) < share[family.culture[wives]]
    age = np.clip(rng.gamma(9, 0.8, len(wives)) + 16.5, 18, 45) * 365.25
    family.maiden[wives] = maiden
    family.family[wives[~takes]] = maiden[~takes]
    wedding = family.birth[wives] + age.astype(np.int64).astype("timedelta64[D]")
    family.married_on[wives] = np.where(takes, wedding, NEVER)


def make_families(count: int, book: NameBook, streams: Streams) -> Families:
    """`count` people in households. Siblings share family name and patronymic; some are twins."""
    household, role = _compose(count, streams("households.shapes"))
    rng = streams("households.people")
    houses = int(household[-1]) + 1
    cultures = rng.choice(len(Culture), size=houses, p=np.array(list(_CULTURES.values())))
    culture = cultures[household]
    sex = np.where(role == Role.CHILD, rng.integers(0, 2, count), (role == Role.WIFE).astype(np.int64))
    years = _birth_years(household, role, rng)
    birth = _days_of(years, rng)
    twins = _twins(household, role, rng)
    birth[twins], years[twins] = birth[twins - 1], years[twins - 1]
    given = _draw_given(book, culture, sex, years, rng)
    family = _draw_family(book, cultures, rng)[household]
    father = _draw_given(book, culture, np.zeros(count, dtype=np.int64), years - 28, rng)
    never = np.full(count, NEVER)
    style_by_house = rng.random(houses) < 0.3
    modern = (years > 1994) & (rng.random(count) < 0.5)
    style = ((culture == Culture.UZBEK) & (style_by_house[household] | modern)).astype(np.int64)
    families = Families(
        household, role, culture, sex, birth, given, family, family.copy(), never, father, style
    )
    _name_siblings(book, families, twins, streams("households.siblings"))
    _share_father(families)
    _marry(families, book, streams)
    _namesakes(families, streams("households.namesakes"))
    return families


def _share_father(family: Families) -> None:
    """Children of one household have its husband's given name in their patronymic, or one common father's."""
    houses = int(family.household[-1]) + 1
    of_house, style = np.zeros(houses, dtype=np.int64), np.zeros(houses, dtype=np.int64)
    children = np.flatnonzero(family.role == Role.CHILD)
    of_house[family.household[children]] = family.father[children]
    style[family.household[children]] = family.patronymic_style[children]
    husbands = np.flatnonzero(family.role == Role.HUSBAND)
    of_house[family.household[husbands]] = family.given[husbands]
    family.father[children] = of_house[family.household[children]]
    family.patronymic_style[children] = style[family.household[children]]
