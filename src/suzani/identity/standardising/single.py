"""One record standardised by the norms of a full run: the same values, without arrays."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from suzani.identity.standardising.norms import Norms
from suzani.identity.standardising.standards import (
    ADDRESS_PARTS,
    BIRTH_PARTS,
    OF_ALL_COLUMNS,
    OF_ONE_COLUMN,
    STANDARDISERS,
    WITH_SUFFIX,
    field_name,
    generations,
)
from suzani.identity.values.dates import DateOrder, standard_dates
from suzani.identity.values.dictionary import cut, known
from suzani.identity.values.names import father_names, maiden
from suzani.identity.values.parts import record_parts, sex_of_family_name
from suzani.kernel import Kind

Record = Mapping[str, str | None]
Typed = Mapping[str, str]
"""What is known of a record, by column, as typed."""
Values = tuple[str, ...]

_OFTEN_THE_SAME = frozenset(
    {
        Kind.GIVEN_NAME, Kind.FAMILY_NAME, Kind.PATRONYMIC, Kind.CITY, Kind.REGION, Kind.COUNTRY,
        Kind.OCCUPATION, Kind.TEXT, Kind.ORGANISATION, Kind.SEX, Kind.POSTCODE,
    }
)  # fmt: skip
_LONGEST_KEPT = 64


class Recorder:
    """Standardises records one by one, as `standardise` does a table."""

    def __init__(self, norms: Norms) -> None:
        self._norms = norms
        columns = norms.columns_of
        self._given, self._middle = columns(Kind.GIVEN_NAME), columns(Kind.PATRONYMIC)
        self._family, self._full = columns(Kind.FAMILY_NAME), columns(Kind.FULL_NAME)
        self._generation, self._suffixed = columns(Kind.GENERATION), columns(*WITH_SUFFIX)
        self._sex, self._address = columns(Kind.SEX), columns(*ADDRESS_PARTS)
        self._alternatives = tuple((kind.value, kind, columns(kind)) for kind in OF_ALL_COLUMNS)
        self._single = tuple(
            (field_name(column, kind), kind, column) for kind in OF_ONE_COLUMN for column in columns(kind)
        )
        self._births = tuple((column, norms.order_of(column)) for column in columns(Kind.BIRTH_DATE))
        self._birth_parts = tuple(column for kind in BIRTH_PARTS for column in columns(kind)[:1])
        self._families = norms.alternatives_of("family_name")
        self._used = frozenset(column for column, _ in norms.columns)
        self._fields = tuple(shape.name for shape in norms.fields)

    def read(self, record: Record) -> dict[str, Values]:
        """The standard values of one record per field of the norms: its alternatives in order, "" where
        missing.

        The same values as `standardise` gives for a table of this one record. Columns that the norms do not
        know are not looked at.
        """
        used = self._used
        typed = {name: value for name, text in record.items() if name in used and (value := known(text))}
        found = self._names(typed)
        found["birth_date"] = self._birth_dates(record, typed)
        for name, kind, columns in self._alternatives:
            found[name] = tuple(_standard(typed, column, kind) for column in columns)
        found["address"] = (self._joined_address(record, typed),)
        for name, kind, column in self._single:
            found[name] = (_standard(typed, column, kind),)
        self._read_ids(typed, found)
        found["middle_name"] = (_father(found["middle_name"][0]),)
        values = {name: found[name] for name in self._fields}
        for name, shared in self._norms.unshared.items():
            values[name] = tuple("" if value in shared else value for value in values[name])
        return values

    def _names(self, typed: Typed) -> dict[str, Values]:
        given = [_standard(typed, column, Kind.GIVEN_NAME) for column in self._given]
        middle = [_standard(typed, column, Kind.PATRONYMIC) for column in self._middle]
        families = [_parted(typed.get(column, "")) for column in self._family]
        wholes = [(_parted(typed.get(column, "")), column) for column in self._full]
        family = [_name(Kind.FAMILY_NAME, rest) for rest, _ in families]
        norms = self._norms
        full = [
            norms.splitter.one(name, norms.family_first[column])
            for (rest, _), column in wholes
            if (name := _name(Kind.FULL_NAME, rest))
        ]
        given_name, family_names, middle_name = record_parts(given, family, middle, full)
        if self._families > len(family_names):
            born = [born for _, born in (*families, *(whole for whole, _ in wholes)) if born]
            maidens = (_name(Kind.FAMILY_NAME, name) for name in born)
            family_names = (*family_names, next(filter(None, maidens), ""))
        return {
            "given_name": (given_name,),
            "family_name": family_names,
            "middle_name": (middle_name,),
            "generation": (self._stated_generation(typed),),
        }

    def _stated_generation(self, typed: Typed) -> str:
        stated = (_standard(typed, column, Kind.GENERATION) for column in self._generation)
        suffixes = (_suffix(typed[column]) for column in self._suffixed if column in typed)
        return next(filter(None, (*stated, *suffixes)), "")

    def _birth_dates(self, record: Record, typed: Typed) -> Values:
        if self._births:
            return tuple(_date(typed.get(column, ""), order) for column, order in self._births)
        parts = self._birth_parts
        texts = [text for part in parts if (text := record.get(part)) is not None]
        if len(texts) < len(BIRTH_PARTS):
            return ("",)
        return (_date(known("-".join(texts)), self._norms.order_of(parts[0])),)

    def _joined_address(self, record: Record, typed: Typed) -> str:
        columns = self._address
        if len(columns) == 1:
            return _standard(typed, columns[0], Kind.ADDRESS)
        value = known(" ".join(record[column] or "" for column in columns if column in record))
        return cut(STANDARDISERS[Kind.ADDRESS]([value])[0]) if value else ""

    def _read_ids(self, typed: Typed, found: dict[str, Values]) -> None:
        """Fill in the birth date and the sex that are not stated but shown by names and valid ids."""
        stated = (_standard(typed, column, Kind.SEX) for column in self._sex)
        by_name = (_shown_sex(found[name][0]) for name in ("family_name", "middle_name"))
        sex = next(filter(None, (*stated, *by_name)), "")
        for name, scheme in self._norms.identified:
            value = found[name][0]
            if value and not (sex and all(found["birth_date"])) and scheme.is_valid(value):
                sex = sex or scheme.sex(value)
                found["birth_date"] = _filled(found["birth_date"], scheme.birth_date(value))
        found["sex"] = (sex,)


def standardise_record(record: Record, norms: Norms) -> dict[str, Values]:
    """One record standardised; for many, keep a `Recorder`."""
    return Recorder(norms).read(record)


def _standard(typed: Typed, column: str, kind: Kind) -> str:
    value = typed.get(column)
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


@lru_cache(maxsize=1 << 13)
def _shown_sex(name: str) -> str:
    return sex_of_family_name(name)


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
    return generations([typed])[0]


@lru_cache(maxsize=1 << 13)
def _date(value: str, order: DateOrder) -> str:
    return standard_dates([value], order)[0] if value else ""


def _filled(dates: Values, date: str) -> Values:
    return tuple(known_date or date for known_date in dates)
