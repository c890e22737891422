"""What a full run learns about how the data is written, frozen.

A delta, or one single record, is standardised by the same norms as the run before it, so that a record's
standard values do not depend on the company it comes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from suzani.identity.values.dates import DateOrder
from suzani.identity.values.documents import IDENTIFIERS, Identifier
from suzani.identity.values.parts import Splitter
from suzani.kernel import InvalidInput, Kind

FORMAT = "suzani-identity-norms"
VERSION = 1


class FieldShape(NamedTuple):
    """One field: its name, what it is, how many alternatives it has, and its national identifier's scheme."""

    name: str
    kind: Kind
    alternatives: int
    scheme: str | None = None


@dataclass(frozen=True)
class Norms:
    """How one set of data is written. All of it is learned by `standardise` and never changes after.

    `columns` are the columns used, with their kinds, in order; `fields` what comes of them, in order;
    `day_first` and `family_first` say, per column of dates and of full names, what stands first;
    `name_scores` the log-odds (bits) that a word is a family name and no given name, of the words seen most;
    `shared` the identifiers held by too many different people to be evidence, per field.
    """

    columns: tuple[tuple[str, Kind], ...]
    fields: tuple[FieldShape, ...] = ()
    day_first: Mapping[str, bool] = field(default_factory=dict)
    family_first: Mapping[str, bool] = field(default_factory=dict)
    name_scores: Mapping[str, float] = field(default_factory=dict)
    shared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def by_kind(self) -> Mapping[Kind, tuple[str, ...]]:
        """The columns of each kind, in order; kinds without columns are absent."""
        found: dict[Kind, tuple[str, ...]] = {}
        for column, kind in self.columns:
            found[kind] = (*found.get(kind, ()), column)
        return found

    @cached_property
    def shape(self) -> Mapping[str, FieldShape]:
        """The fields by name."""
        return {shape.name: shape for shape in self.fields}

    @cached_property
    def splitter(self) -> Splitter:
        """Splits full names as the full run did."""
        return Splitter(self.name_scores)

    @cached_property
    def unshared(self) -> Mapping[str, frozenset[str]]:
        """`shared`, to look values up in."""
        return {name: frozenset(values) for name, values in self.shared.items()}

    @cached_property
    def identified(self) -> tuple[tuple[str, Identifier], ...]:
        """The fields of national identifiers of a known scheme, in order."""
        return tuple((shape.name, IDENTIFIERS[shape.scheme]) for shape in self.fields if shape.scheme)

    def columns_of(self, *kinds: Kind) -> tuple[str, ...]:
        """The columns of some kinds: by kind, then in their order."""
        return tuple(column for kind in kinds for column in self.by_kind.get(kind, ()))

    def scheme_of(self, name: str) -> Identifier | None:
        """The scheme of national identifiers that a field holds, if it holds one."""
        shape = self.shape.get(name)
        return IDENTIFIERS[shape.scheme] if shape and shape.scheme else None

    def alternatives_of(self, name: str) -> int:
        """How many alternatives a field has; 1 for a field that the norms do not have."""
        return self.shape[name].alternatives if name in self.shape else 1

    def order_of(self, column: str) -> DateOrder:
        """The order of day and month in a column of dates."""
        return DateOrder(self.day_first.get(column, True))

    def to_json(self) -> str:
        """The norms as a JSON document that `from_json` reads back."""
        return msgspec.json.encode({"format": FORMAT, "version": VERSION, **_parts(self)}).decode()

    @classmethod
    def from_json(cls, text: str | bytes, where: str = "norms") -> Norms:
        """Read norms; raises InvalidInput that names what is wrong in them."""
        data = _document(text, where)
        try:
            norms = msgspec.convert(data, Norms)
        except msgspec.ValidationError as error:
            raise InvalidInput(f"{where} lack or misstate a part: {error}") from None
        for shape in norms.fields:
            if shape.alternatives < 1:
                raise InvalidInput(f"{where}: field {shape.name!r} has {shape.alternatives} alternatives")
            if shape.scheme is not None and shape.scheme not in IDENTIFIERS:
                known = ", ".join(sorted(IDENTIFIERS))
                raise InvalidInput(f"{where}: unknown identifier {shape.scheme!r}", hint=f"Known: {known}.")
        for what, names in (("column", [name for name, _ in norms.columns]), ("field", list(norms.shape))):
            if len(set(names)) != len(norms.columns if what == "column" else norms.fields):
                raise InvalidInput(f"{where} name a {what} twice")
        return norms


def _parts(norms: Norms) -> dict[str, Any]:
    names = ("columns", "fields", "day_first", "family_first", "name_scores", "shared")
    return {name: getattr(norms, name) for name in names}


def _document(text: str | bytes, where: str) -> dict[str, Any]:
    """The JSON object of a norms document, once its format and version are known."""
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidInput(f"{where} are not JSON: {error}", hint="Give what Norms.to_json wrote.") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InvalidInput(f"{where} are no identity norms", hint="Give what Norms.to_json wrote.")
    if data.get("version") != VERSION:
        raise InvalidInput(f"{where} have version {data.get('version')!r}; this program reads {VERSION}")
    return {name: value for name, value in data.items() if name not in ("format", "version")}
