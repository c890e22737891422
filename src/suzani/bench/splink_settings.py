"""Settings for Splink 5 on bank records: several good ones, so that the best can be measured.

What they have in common: edit-distance levels beside the folded forms of names, term frequencies on names and
dates, sex, and expectation maximisation on blocks that do not take families for matches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from suzani.bench.blocking import Rule

Level = tuple[str, str]
"""A condition over `_l` and `_r` columns, and the column whose term frequency adjusts it ("" for none)."""


@dataclass(frozen=True)
class Variant:
    """Comparisons (column → levels, best first), and the blocks to train on."""

    comparisons: Mapping[str, Sequence[Level]]
    train_on: tuple[Rule, ...]


def _same(column: str, frequency: bool = False) -> Level:
    return f'"{column}_l" = "{column}_r"', column if frequency else ""


def _slips(column: str, most: int) -> Level:
    return f'levenshtein("{column}_l", "{column}_r") <= {most}', ""


def _swapped() -> Level:
    return "given_name_l = family_name_r and given_name_r = family_name_l", ""


def _name(column: str) -> list[Level]:
    return [_same(column, True), _same(f"{column}_folded"), _slips(column, 2)]


def _alike(column: str, least: float) -> Level:
    return f'jaro_winkler_similarity("{column}_l", "{column}_r") >= {least}', ""


def _similar_name(column: str) -> list[Level]:
    return [_same(column, True), _same(f"{column}_folded"), _alike(column, 0.92), _alike(column, 0.85)]


def _finer_name(column: str) -> list[Level]:
    return [_same(column, True), _same(f"{column}_folded"), _slips(column, 1), _slips(column, 2)]


def _names(levels: Callable[[str], list[Level]]) -> dict[str, Sequence[Level]]:
    given, *rest = levels("given_name")
    family, *more = levels("family_name")
    # A maiden name that the other record bears is nearly as good as the name itself.
    maiden = ("family_name_l = family_name_2_r or family_name_2_l = family_name_r", "")
    return {
        "given_name": [given, *rest, _swapped()],
        "family_name": [family, maiden, *more, _swapped()],
        "middle_name": levels("middle_name"),
    }


_OTHER_PHONE: Level = ("phone_l = phone_2_r or phone_2_l = phone_r or phone_2_l = phone_2_r", "")
_SAME_MAILBOX: Level = ("split_part(email_l, '@', 1) = split_part(email_r, '@', 1)", "")

_STRONG: Mapping[str, Sequence[Level]] = {
    "national_id": [_same("national_id"), _slips("national_id", 2)],
    "document": [_same("document"), _slips("document", 1)],
    "tax_id": [_same("tax_id")],
    "phone": [_same("phone"), _OTHER_PHONE],
    "email": [_same("email"), _SAME_MAILBOX],
    "address": [_same("address")],
    "birth_date": [
        _same("birth_date", True),
        _slips("birth_date", 1),
        _same("birth_year"),
        _same("birth_month_day"),
    ],
    "sex": [_same("sex")],
}
_WEAK: Mapping[str, Sequence[Level]] = {
    "city": [_same("city", True)],
    "postcode": [_same("postcode")],
    "occupation": [_same("occupation", True)],
}
_FINER: Mapping[str, Sequence[Level]] = {
    "national_id": [_same("national_id"), _slips("national_id", 1), _slips("national_id", 2)],
    "document": [_same("document"), _slips("document", 1), _slips("document", 2)],
    "tax_id": [_same("tax_id"), _slips("tax_id", 1)],
    "phone": [_same("phone"), _OTHER_PHONE, _slips("phone", 1)],
    "email": [_same("email"), _SAME_MAILBOX, _slips("email", 2)],
    "address": [_same("address"), _slips("address", 3), _slips("address", 8)],
    "postcode": [_same("postcode"), _slips("postcode", 1)],
}

_TRAIN: tuple[Rule, ...] = (("national_id",), ("birth_date", "given_name_folded"))

DEFAULT = "jaro-winkler"
"""The best of them on a bank, by F1 and by over-merged persons, at hardly more cost than the cheapest."""

VARIANTS: Mapping[str, Variant] = {
    "levenshtein": Variant({**_names(_name), **_STRONG}, _TRAIN),
    "jaro-winkler": Variant({**_names(_similar_name), **_STRONG}, _TRAIN),
    "every-field": Variant({**_names(_name), **_STRONG, **_WEAK}, _TRAIN),
    "fine": Variant({**_names(_finer_name), **_STRONG, **_WEAK, **_FINER}, _TRAIN),
}
"""Settings by name: the fields that tell persons apart, names by Levenshtein or Jaro–Winkler; every field;
every field in finer levels."""
