"""One record standardised by the norms of a full run: the same values, without arrays."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from suzani.identity.dates import DateOrder, standard_dates
from suzani.identity.dictionary import cut, known
from suzani.identity.names import father_names, maiden
from suzani.identity.norms import Norms
from suzani.identity.parts import record_parts, sex_of_family_name
from suzani.identity.standards import (
    ADDRESS_PARTS,
    BIRTH_PARTS,
    OF_ALL_COLUMNS,
    OF_ONE_COLUMN,
    STANDARDISERS,
    WITH_SUFFIX,
    field_name,
    generations,
)
from suzani.kernel import Kind

Record = Mapping[str, str | None]
Values = tuple[str, ...]

_OFTEN_THE_SAME = frozenset(
    {
        Kind.GIVEN_NAME, Kind.FAMILY_NAME, Kind.PATRONYMIC, Kind.CITY, Kind.REGION, Kind.COUNTRY,
        Kind.OCCUPATION, Kind.TEXT, Kind.ORGANISATION, Kind.SEX, Kind.POSTCODE,
    }
)  # fmt: skip
_LONGEST_KEPT = 64


def standardise_record(record: Record, norms: Norms) -> dict[str, Values]:
    """The standard values of one record per field of the norms: its alternatives in order, "" where missing.

    The same values as `standardise` gives for a table of this one record. Columns that the norms do not know
    are not looked at.
    """
    found = _names(record, norms)
    found["birth_date"] = _birth_dates(record, norms)
    for kind in OF_ALL_COLUMNS:
        found[kind.value] = tuple(_standard(record, column, kind) for column in norms.columns_of(kind))
    found["address"] = (_address(record, norms),)
    for kind in OF_ONE_COLUMN:
        for column in norms.by_kind.get(kind, ()):
            found[field_name(column, kind)] = (_standard(record, column, kind),)
    _read_ids(record, found, norms)
    found["middle_name"] = (_father(found["middle_name"][0]),)
    return {
        shape.name: _unshared(found[shape.name], norms.unshared.get(shape.name)) for shape in norms.fields
    }


def _unshared(values: Values, shared: frozenset[str] | None) -> Values:
    return tuple("" if value in shared else value for value in values) if shared else values


def _standard(record: Record, column: str, kind: Kind) -> str:
    value = known(record.get(column))
    if not value:
        return ""
    if kind in _OFTEN_THE_SAME and len(value) <= _LONGEST_KEPT:
        return _kept(kind, value)
    return cut(STANDARDISERS[kind]([value])[0])


@lru_cache(maxsize=1 << 14)
def _kept(kind: Kind, value: str) -> str:
    return cut(STANDARDISERS[kind]([value])[0])


@lru_cache(maxsize=1 << 12)
def _father(patronymic: str) -> str:
    return father_names([patronymic])[0] if patronymic else ""


def _names(record: Record, norms: Norms) -> dict[str, Values]:
    given, middle = (
        [_standard(record, column, kind) for column in norms.by_kind.get(kind, ())]
        for kind in (Kind.GIVEN_NAME, Kind.PATRONYMIC)
    )
    parted = {
        column: (kind, *_parted(known(record.get(column))))
        for kind in (Kind.FAMILY_NAME, Kind.FULL_NAME)
        for column in norms.by_kind.get(kind, ())
    }
    family = [_name(kind, rest) for kind, rest, _ in parted.values() if kind is Kind.FAMILY_NAME]
    full = [
        norms.splitter.one(name, norms.family_first[column])
        for column, (kind, rest, _) in parted.items()
        if kind is Kind.FULL_NAME and (name := _name(kind, rest))
    ]
    given_name, family_names, middle_name = record_parts(given, family, middle, full)
    maidens = (_name(Kind.FAMILY_NAME, born) for _, _, born in parted.values())
    count = norms.alternatives_of("family_name")
    if count > len(family_names):
        family_names = (*family_names, next(filter(None, maidens), ""))
    stated = (_standard(record, column, Kind.GENERATION) for column in norms.columns_of(Kind.GENERATION))
    suffixes = (_suffix(known(record.get(column))) for column in norms.columns_of(*WITH_SUFFIX))
    return {
        "given_name": (given_name,),
        "family_name": family_names,
        "middle_name": (middle_name,),
        "generation": (next(filter(None, (*stated, *suffixes)), ""),),
    }


@lru_cache(maxsize=1 << 13)
def _parted(typed: str) -> tuple[str, str]:
    """A name as typed without the maiden name in it, and that."""
    if not typed:
        return "", ""
    (name,), (born,) = maiden([typed])
    return name, born


def _name(kind: Kind, value: str) -> str:
    if len(value) <= _LONGEST_KEPT:
        return _kept(kind, value) if value else ""
    return cut(STANDARDISERS[kind]([value])[0])


@lru_cache(maxsize=1 << 13)
def _suffix(typed: str) -> str:
    return generations([typed])[0] if typed else ""


def _birth_dates(record: Record, norms: Norms) -> Values:
    columns = norms.by_kind.get(Kind.BIRTH_DATE, ())
    if columns:
        return tuple(_date(known(record.get(column)), norms.order_of(column)) for column in columns)
    parts = [norms.by_kind.get(kind, ("",))[0] for kind in BIRTH_PARTS]
    texts = [text for part in parts if (text := record.get(part)) is not None]
    if not all(parts) or len(texts) < len(parts):
        return ("",)
    return (_date(known("-".join(texts)), norms.order_of(parts[0])),)


def _date(value: str, order: DateOrder) -> str:
    return standard_dates([value], order)[0] if value else ""


def _address(record: Record, norms: Norms) -> str:
    columns = norms.columns_of(*ADDRESS_PARTS)
    value = known(" ".join(record[column] or "" for column in columns if column in record))
    return cut(STANDARDISERS[Kind.ADDRESS]([value])[0]) if value else ""


def _read_ids(record: Record, found: dict[str, Values], norms: Norms) -> None:
    """Fill in the birth date and the sex that are not stated but shown by names and valid ids."""
    stated = (_standard(record, column, Kind.SEX) for column in norms.by_kind.get(Kind.SEX, ()))
    by_name = (sex_of_family_name(found[name][0]) for name in ("family_name", "middle_name"))
    sex = next(filter(None, (*stated, *by_name)), "")
    for name, scheme in norms.identified:
        value = found[name][0]
        if value and not (sex and all(found["birth_date"])) and scheme.is_valid(value):
            sex = sex or scheme.sex(value)
            found["birth_date"] = _filled(found["birth_date"], scheme.birth_date(value))
    found["sex"] = (sex,)


def _filled(dates: Values, date: str) -> Values:
    return tuple(known_date or date for known_date in dates)
