"""Standardised evidence as plain columns, so that other programs can be given the very same values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, takewhile

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.identity.standardising.fields import Field
from suzani.identity.values.dictionary import distinct
from suzani.identity.values.documents import Identifier, scheme_of
from suzani.identity.values.names import folded_names, phonetic_keys
from suzani.kernel import Kind

ID = "unique_id"

_NAME_KINDS: Mapping[str, Kind] = {
    "given_name": Kind.GIVEN_NAME,
    "family_name": Kind.FAMILY_NAME,
    "middle_name": Kind.PATRONYMIC,
}
_DERIVED: Mapping[str, Callable[[Sequence[str]], list[str]]] = {
    "folded": folded_names,
    "sound": phonetic_keys,
}
_SCHEME_SAMPLE = 20_000


def columns_of(fields: Sequence[Field], ids: pa.Array) -> pa.Table:
    """One text column per field and alternative (`phone`, `phone_2`), and for names their folded form and
    sound (`given_name_folded`, `given_name_sound`); `unique_id` holds `ids`. Missing values are null."""
    columns: dict[str, pa.Array] = {ID: ids}
    for item in fields:
        for number, codes in enumerate(item.codes.T, 1):
            name = item.name if number == 1 else f"{item.name}_{number}"
            columns[name] = _texts(item.texts, codes)
            if item.name in _NAME_KINDS:
                for form, derive in _DERIVED.items():
                    columns[f"{name}_{form}"] = _texts(_unspaced(derive(item.texts.to_pylist())), codes)
    described = [{"name": item.name, "kind": item.kind.value} for item in fields]
    return pa.table(columns).replace_schema_metadata({"fields": json.dumps(described)})


def _unspaced(values: Sequence[str]) -> pa.StringArray:
    return pa.array([value.replace(" ", "") or None for value in values], pa.string())


def _texts(values: pa.StringArray, codes: npt.NDArray[np.int32]) -> pa.Array:
    return values.take(pa.array(codes, mask=codes < 0))


def fields_of(table: pa.Table) -> list[Field]:
    """The fields whose columns `columns_of` wrote; dictionary-encodes, standardises nothing.

    Given, family and middle names share one list of values again.
    """
    described = json.loads(table.schema.metadata[b"fields"])
    kinds = {item["name"]: Kind(item["kind"]) for item in described}
    together = [name for name in kinds if name in _NAME_KINDS]
    apart = [[name] for name in kinds if name not in _NAME_KINDS]
    found = {
        item.name: item
        for names in ([together] if together else []) + apart
        for item in _fields(table, names, kinds)
    }
    return [found[name] for name in kinds]


def _fields(table: pa.Table, names: Sequence[str], kinds: Mapping[str, Kind]) -> list[Field]:
    """Fields over one common list of values."""
    owned = [(name, column) for name in names for column in _alternatives(table, name)]
    chunks = [chunk for _, column in owned for chunk in table.column(column).chunks]
    values, codes = distinct(pa.concat_arrays([pa.array([], pa.string()), *chunks]))
    by_column = codes.reshape(len(owned), -1)
    owner = np.array([name for name, _ in owned])
    return [
        Field(
            name,
            kinds[name],
            values,
            np.ascontiguousarray(by_column[owner == name].T),
            _scheme(kinds[name], values),
        )
        for name in names
    ]


def _scheme(kind: Kind, values: pa.StringArray) -> Identifier | None:
    return scheme_of(values[:_SCHEME_SAMPLE]) if kind is Kind.NATIONAL_ID else None


def _alternatives(table: pa.Table, name: str) -> Iterator[str]:
    yield name
    yield from takewhile(lambda column: column in table.column_names, (f"{name}_{n}" for n in count(2)))
