"""Standard values as Arrow columns, as they travel between executors, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.identity.standardising.field import Field
from suzani.identity.standardising.norms import FieldShape, Norms

Ints = npt.NDArray[np.int64]

_NAMES = ("given_name", "family_name", "middle_name")


def column_names(norms: Norms) -> list[str]:
    """One column for each alternative of each field: v0_0, v0_1, v1_0, …"""
    return [name for f, shape in enumerate(norms.fields) for name in _of_field(f, shape)]


def _of_field(f: int, shape: FieldShape) -> list[str]:
    return [f"v{f}_{a}" for a in range(shape.alternatives)]


def to_columns(fields: Sequence[Field]) -> dict[str, pa.Array]:
    """The standard values of records, null where missing."""
    columns = {}
    for f, field in enumerate(fields):
        for a in range(field.codes.shape[1]):
            codes = field.codes[:, a]
            columns[f"v{f}_{a}"] = field.texts.take(pa.array(codes, mask=codes < 0))
    return columns


def to_fields(table: pa.Table, norms: Norms) -> list[Field]:
    """The fields of records, from columns that `to_columns` gave. The parts of names share their values."""
    together = [f for f, shape in enumerate(norms.fields) if shape.name in _NAMES]
    groups = [together] + [[f] for f in range(len(norms.fields)) if f not in together]
    found = {f: field for group in groups if group for f, field in _encoded(table, norms, group).items()}
    return [found[f] for f in range(len(norms.fields))]


def _encoded(table: pa.Table, norms: Norms, group: Sequence[int]) -> dict[int, Field]:
    """Fields that share one list of distinct values."""
    names = [name for f in group for name in _of_field(f, norms.fields[f])]
    chunks = [chunk.cast(pa.string()) for name in names for chunk in table.column(name).chunks]
    encoded = (pa.concat_arrays(chunks) if chunks else pa.array([], pa.string())).dictionary_encode()
    values = encoded.dictionary
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    columns = iter(codes.reshape(len(names), table.num_rows))
    return {
        f: Field(
            shape.name,
            shape.kind,
            values,
            np.stack([next(columns) for _ in range(shape.alternatives)], axis=1),
            norms.scheme_of(shape.name),
        )
        for f in group
        for shape in [norms.fields[f]]
    }
