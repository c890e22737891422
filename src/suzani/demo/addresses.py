"""An address as a clerk writes it: script, order, abbreviations and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from suzani.demo.identifiers import as_text
from suzani.demo.lexicon import Gazetteer
from suzani.demo.types import Addresses, Habit, Ints


@dataclass(frozen=True)
class Style:
    """What stands around each part of an address."""

    habit: Habit
    city: tuple[str, str]
    district: tuple[str, str]
    street: tuple[str, str]
    house: tuple[str, str]
    flat: tuple[str, str]
    between: str = ", "


_H = Habit
STYLES: tuple[Style, ...] = (
    Style(_H.RUSSIAN, ("г. ", ""), ("", " р-н"), ("ул. ", ""), ("д. ", ""), ("кв. ", "")),
    Style(_H.RUSSIAN, ("г.", ""), ("", " район"), ("улица ", ""), ("дом ", ""), ("квартира ", "")),
    Style(_H.RUSSIAN, ("", ""), ("", ""), ("", ""), ("", ""), ("", ""), " "),
    Style(_H.RUSSIAN, ("Г.", ""), ("", " Р-Н"), ("УЛ.", ""), ("Д.", ""), ("КВ.", ""), " "),
    Style(_H.UZBEK_CYRILLIC, ("", " ш."), ("", " тумани"), ("", " кўчаси"), ("", "-уй"), ("", "-хонадон")),
    Style(_H.UZBEK_CYRILLIC, ("", " шаҳри"), ("", " т."), ("", " кўч."), ("уй ", ""), ("хон. ", ""), " "),
    Style(
        _H.UZBEK_LATIN, ("", " sh."), ("", " tumani"), ("", " ko\u02bbchasi"), ("", "-uy"), ("", "-xonadon")
    ),
    Style(_H.UZBEK_LATIN, ("", " shahri"), ("", " t."), ("", " ko'ch."), ("uy ", ""), ("xon. ", ""), " "),
    Style(_H.PLAIN, ("", ""), ("", ""), ("", " str."), ("", ""), ("apt. ", "")),
    Style(_H.PLAIN, ("", ""), ("", " district"), ("", " street"), ("house ", ""), ("flat ", "")),
    Style(_H.PLAIN, ("g. ", ""), ("", " r-n"), ("ul. ", ""), ("d. ", ""), ("kv. ", "")),
)
_BY_HABIT = {
    habit: [n for n, style in enumerate(STYLES) if style.habit is kind]
    for habit, kind in {
        _H.RUSSIAN: _H.RUSSIAN, _H.RUSSIAN_OLD: _H.RUSSIAN, _H.UZBEK_CYRILLIC: _H.UZBEK_CYRILLIC,
        _H.UZBEK_LATIN: _H.UZBEK_LATIN, _H.UZBEK_LETTERS: _H.UZBEK_LATIN, _H.PASSPORT: _H.PLAIN,
        _H.PLAIN: _H.PLAIN, _H.HANGUL: _H.PLAIN,
    }.items()
}  # fmt: skip


def style_of(habit: Ints, spin: Ints) -> Ints:
    """The address style of each clerk: one that fits the script; `spin` chooses among those."""
    width = max(len(styles) for styles in _BY_HABIT.values())
    table = np.array([[_BY_HABIT[h][n % len(_BY_HABIT[h])] for n in range(width * 6)] for h in Habit])
    return np.asarray(table[habit, spin % (width * 6)])


def _around(part: str, style: Ints, middle: pa.StringArray) -> pa.StringArray:
    pairs = [getattr(s, part) for s in STYLES]
    before = pa.array([pair[0] for pair in pairs]).take(pa.array(style))
    after = pa.array([pair[1] for pair in pairs]).take(pa.array(style))
    empty = pc.equal(pc.fill_null(middle, ""), "")
    whole = pc.binary_join_element_wise(before, middle, after, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), whole)


def _house(addresses: Addresses, rows: Ints, latin: pa.Array) -> pa.StringArray:
    letters = pc.if_else(
        latin,
        pa.array(["", "A", "B", "V", "G"]).take(pa.array(addresses.letter[rows])),
        pa.array(["", "А", "Б", "В", "Г"]).take(pa.array(addresses.letter[rows])),
    )
    return pc.binary_join_element_wise(as_text(addresses.house[rows], 1), letters, "")


def write_address(
    addresses: Addresses, rows: Ints, style: Ints, gazetteer: Gazetteer, *, with_city: bool, short: Ints
) -> pa.StringArray:
    """One line for each address id in `rows`; the city only `with_city`, no district where `short`."""
    habit = np.array([int(s.habit) for s in STYLES])[style]
    latin = pa.array(habit >= int(Habit.UZBEK_LATIN))
    place = addresses.place[rows]
    flat = pc.if_else(pa.array(addresses.flat[rows] > 0), as_text(addresses.flat[rows], 1), "")
    parts = [
        _around("street", style, gazetteer.street.take(habit, 0, addresses.street[rows])),
        _around("house", style, _house(addresses, rows, latin)),
        _around("flat", style, flat),
    ]
    if with_city:
        district = _around("district", style, gazetteer.district.take(habit, 0, place))
        district = pc.if_else(pa.array(short.astype(bool)), pa.scalar(None, pa.string()), district)
        parts = [_around("city", style, gazetteer.city.take(habit, 0, place)), district, *parts]
    between = pa.array([s.between for s in STYLES]).take(pa.array(style))
    return pc.binary_join_element_wise(*parts, between, null_handling="skip")
