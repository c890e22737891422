"""A person's name as one system writes it: script, order, initials, swapped parts, titles, slips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from suzani.demo import contacts, noise
from suzani.demo.lexicon import NameBook
from suzani.demo.systems import Habits, System
from suzani.demo.types import Bools, Culture, Habit, Ints, People, Records, Streams

_NONE = pa.scalar(None, pa.string())
_SUFFIXES = {False: ("жон", "бек", "хон", "ой"), True: ("jon", "bek", "xon", "oy")}
_TITLES = {False: ("ИП", "ЯТТ", "г-н", "г-жа"), True: ("YaTT", "IP", "Mr.", "Ms.")}
_ON_CARD = 26


@dataclass(frozen=True)
class Names:
    """The written parts of names; `full` joins them where the system has one field for all."""

    given: pa.StringArray
    family: pa.StringArray
    patronymic: pa.StringArray
    maiden: pa.StringArray
    full: pa.StringArray


def clerk_habits(system: System, records: Records, culture: Ints, clerks: int, streams: Streams) -> Ints:
    """The spelling habit of each record: its clerk's for that culture, now and then a colleague's."""
    rng = streams(f"{system.name}.habits")
    table = np.empty((len(Culture), clerks), dtype=np.int64)
    for kind in Culture:
        mix = system.scripts.of(kind)
        weights = np.array([weight for _, weight in mix])
        # Clerks share out the mix evenly, so that a small bank has the same scripts as a large one.
        points = (rng.permutation(clerks) + 0.5) / clerks
        table[kind] = np.array([int(h) for h, _ in mix])[np.searchsorted(np.cumsum(weights), points)]
    at_desk = np.where(rng.random(len(records)) < 0.15, rng.integers(0, clerks, len(records)), records.clerk)
    return np.asarray(table[culture, at_desk])


def _nicknamed(
    given: pa.StringArray, chosen: Bools, latin: Bools, sex: Ints, rng: np.random.Generator
) -> pa.StringArray:
    """Given names with an affectionate ending in the chosen rows, unless they have one."""
    which = sex * 2 + (rng.random(len(sex)) < 0.25)
    ending = pc.if_else(
        pa.array(latin),
        pa.array(_SUFFIXES[True]).take(pa.array(which)),
        pa.array(_SUFFIXES[False]).take(pa.array(which)),
    )
    has_one = pc.match_substring_regex(given, "(jon|bek|xon|oy|жон|джан|бек|хон|ой)$")
    longer = pc.binary_join_element_wise(given, ending, "")
    return pc.if_else(pc.and_(pa.array(chosen), pc.invert(has_one)), longer, given)


def _initial(name: pa.StringArray) -> pa.StringArray:
    return pc.binary_join_element_wise(pc.utf8_slice_codeunits(name, 0, 1), pa.scalar("."), "")


def _empty_to_null(column: pa.StringArray) -> pa.StringArray:
    return pc.if_else(pc.equal(column, ""), _NONE, column)


def _titled(
    full: pa.StringArray, chosen: Bools, latin: Bools, sex: Ints, rng: np.random.Generator
) -> pa.StringArray:
    """Full names with a form of business, or of address, before them in the chosen rows."""
    which = np.where(rng.random(len(sex)) < 0.7, rng.integers(0, 2, len(sex)), 2 + sex)
    title = pc.if_else(
        pa.array(latin),
        pa.array(_TITLES[True]).take(pa.array(which)),
        pa.array(_TITLES[False]).take(pa.array(which)),
    )
    return pc.if_else(pa.array(chosen), pc.binary_join_element_wise(title, full, " "), full)


def _full(given: pa.StringArray, family: pa.StringArray, patronymic: pa.StringArray, habits: Habits,
          rng: np.random.Generator) -> pa.StringArray:  # fmt: skip
    """Family name, given name, patronymic in one field; in some rows given name first, or no patronymic."""
    count = len(given)
    patronymic = pc.if_else(pa.array(rng.random(count) < habits.no_patronymic_in_full), _NONE, patronymic)
    usual = pc.binary_join_element_wise(family, given, patronymic, " ", null_handling="skip")
    first = pc.binary_join_element_wise(given, family, " ", null_handling="skip")
    return pc.if_else(pa.array(rng.random(count) < habits.name_order_given_first), first, usual)


def _family_ids(people: People, records: Records, rng: np.random.Generator) -> Ints:
    """The family name each record has: the maiden name before the wedding, and sometimes long after."""
    who = records.person
    before = (records.known_on < people.married_on[who]) | (rng.random(len(who)) < 0.004)
    return np.where(before, people.maiden[who], people.family[who])


def write_names(
    system: System, people: People, records: Records, habit: Ints, book: NameBook, streams: Streams
) -> Names:
    """The names of all records of one system, with that system's failings."""
    rng, who, habits = streams(f"{system.name}.names"), records.person, system.habits
    count, sex, culture = len(who), people.sex[who], people.culture[who]
    latin = habit >= int(Habit.UZBEK_LATIN)
    marks = rng.choice(5, size=1024, p=[0.2, 0.4, 0.15, 0.15, 0.1])[records.clerk * 7 % 1024]

    def chosen(share: float) -> Bools:
        return rng.random(count) < share

    given = book.given.take(habit, 0, people.given[who])
    given = _nicknamed(given, chosen(habits.nickname) & (culture == Culture.UZBEK), latin, sex, rng)
    family = book.family.take(habit, sex, _family_ids(people, records, rng))
    kind = people.patronymic_style[who] * 2 + sex
    patronymic = _empty_to_null(book.patronymic.take(habit, kind, people.father[who]))
    given, family, patronymic = (
        noise.spoil(contacts.apostrophes(part, marks), habits.slips, rng)
        for part in (given, family, patronymic)
    )
    patronymic = contacts.fill_placeholders(
        "patronymic", patronymic, chosen(habits.missing["patronymic"]), rng
    )
    wives = (people.married_on[who] <= records.known_on) & ~chosen(habits.missing.get("maiden", 1.0))
    maiden = noise.blank(book.family.take(habit, sex, people.maiden[who]), ~wives)
    short = pa.array(chosen(habits.initials))
    given, patronymic = (pc.if_else(short, _initial(part), part) for part in (given, patronymic))
    swapped = pa.array(chosen(habits.swapped))
    given, family = pc.if_else(swapped, family, given), pc.if_else(swapped, given, family)
    full = _full(given, family, patronymic, habits, rng)
    full = _titled(full, chosen(habits.title), latin, sex, rng)
    joined = pa.array(chosen(habits.joined))
    family = pc.if_else(joined, full, family)
    given, patronymic = (pc.if_else(joined, _NONE, part) for part in (given, patronymic))
    loud = pa.array(chosen(habits.capitals))
    parts = (
        pc.if_else(loud, pc.utf8_upper(part), part) for part in (given, family, patronymic, maiden, full)
    )
    return _fit(system, Names(*parts))


def _fit(system: System, names: Names) -> Names:
    """Cards hold no more letters than are embossed."""
    if system.name != "cards":
        return names
    full = pc.utf8_rtrim_whitespace(pc.utf8_slice_codeunits(names.full, 0, _ON_CARD))
    return Names(names.given, names.family, names.patronymic, names.maiden, full)
