"""From rows of text to records and products as they are stored. Pure: nothing is looked up.

A row with anything wrong in it is refused whole, with the first thing that is wrong.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani.sources.conversion import CONVERSIONS, MOMENT, Wrong, clean, texts
from suzani.sources.mapping import PRODUCT_FIELDS, RECORD_FIELDS, Field, Mapping
from suzani.sources.types import RawBatch, Reason, Reject, ShapedBatch

UNIT, RECORD_MARK = "\x1f", "\x1e"
_TYPES: dict[str, pa.DataType] = {
    "birth_date": pa.date32(),
    "consent_at": MOMENT,
    "as_of": MOMENT,
    "opened_on": pa.date32(),
    "closed_on": pa.date32(),
    "balance": pa.decimal128(20, 2),
}

Columns = dict[str, pa.Array]


@dataclass(slots=True)
class _Shaping:
    """One batch on its way: its cleaned columns of text, and what was found wrong so far, by row."""

    batch: RawBatch
    mapping: Mapping
    columns: Columns
    wrong: dict[int, tuple[str, Wrong]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return int(self.batch.table.num_rows)

    def text(self, place: Field, *, whole: bool = False) -> pa.Array:
        """The text of a field; of several columns those with a value are joined, with `whole` all or none."""
        if not place.columns:
            return pa.repeat(pa.scalar(place.constant, pa.string()), self.count)
        found = [self.columns[name] for name in place.columns]
        if len(found) == 1:
            return found[0]
        if whole:
            return pc.binary_join_element_wise(*found, place.join)
        joined = _joined(found, place.join)
        return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)

    def value(self, name: str, place: Field, within: npt.NDArray[np.bool_] | None = None) -> pa.Array:
        """A field's values in its type; what is wrong `within` those rows is noted."""
        column = CONVERSIONS.get(name, texts)(self.text(place), place)
        for row, wrong in column.wrong.items():
            if row not in self.wrong and (within is None or within[row]):
                self.wrong[row] = (place.columns[0] if place.columns else name, wrong)
        return column.values


def _joined(parts: list[pa.Array], separator: str) -> pa.Array:
    """The parts that are not null, row by row; an empty text where all are.

    The empty text in front is for Arrow, which drops a row in which there is nothing to join.
    """
    found = pc.binary_join_element_wise(pa.scalar(""), *parts, separator, null_handling="skip")
    return pc.utf8_slice_codeunits(found, start=len(separator))


def shape(batch: RawBatch, mapping: Mapping) -> ShapedBatch:
    """The batch's records and products, and its refused rows with those that its reader refused."""
    shaping = _Shaping(batch, mapping, _cleaned(batch, mapping))
    keys = shaping.text(mapping.key, whole=True)
    missing = np.flatnonzero(pc.is_null(keys).to_numpy(zero_copy_only=False))
    for row in missing.tolist():
        shaping.wrong[row] = (mapping.key.columns[0], Wrong(Reason.MISSING_KEY, "the key is empty"))
    records = _records(shaping, keys)
    groups = [_products(shaping, group) for group in mapping.products]
    _refuse_twin_products(shaping, groups)
    digests = _digests(records, groups, mapping)
    repeats, unchanged = _repeats(keys, digests, records["as_of"], shaping)
    rejects = [*_keyed(batch.rejects, mapping), *_rejects(shaping, keys)]
    good = np.ones(shaping.count, bool)
    good[list(shaping.wrong)] = False
    good[list(repeats)] = False
    keep = pa.array(good)
    names = list(records)
    table = pa.table(
        [pa.array(batch.rows), keys, *records.values(), digests], names=["row_no", "key", *names, "digest"]
    )
    products = [
        pa.table([pa.array(batch.rows), *group.values()], names=["row_no", *group]) for group in groups
    ]
    return ShapedBatch(
        records=table if good.all() else table.filter(keep),
        products=_stacked(products, keep),
        rejects=rejects,
        unchanged_repeats=unchanged,
        lookup=_lookup(shaping),
        count=batch.count,
    )


def _cleaned(batch: RawBatch, mapping: Mapping) -> Columns:
    absent = pa.nulls(batch.table.num_rows, pa.string())
    there = set(batch.table.column_names)
    return {
        name: clean(_whole(batch.table.column(name)), mapping.format.nulls) if name in there else absent
        for name in mapping.columns()
    }


def _whole(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else pa.concat_arrays(combined.chunks)


def _records(shaping: _Shaping, keys: pa.Array) -> Columns:
    mapping, count = shaping.mapping, shaping.count
    columns: Columns = {}
    for name in RECORD_FIELDS:
        place = mapping.attributes.get(name)
        columns[name] = (
            shaping.value(name, place) if place else pa.nulls(count, _TYPES.get(name, pa.string()))
        )
    columns["as_of"] = shaping.value("as_of", mapping.as_of) if mapping.as_of else pa.nulls(count, MOMENT)
    columns["extra"] = _extra(shaping)
    previous = shaping.text(mapping.previous_key, whole=True) if mapping.previous_key else None
    columns["previous_key"] = pa.nulls(count, pa.string()) if previous is None else previous
    columns["gone"] = _gone(shaping)
    return columns


def _gone(shaping: _Shaping) -> pa.Array:
    rule = shaping.mapping.deleted
    if rule is None:
        return pa.repeat(pa.scalar(False), shaping.count)
    marks = pa.array(sorted(rule.values), pa.string())
    return pc.is_in(pc.fill_null(shaping.columns[rule.column], ""), value_set=marks)


def _extra(shaping: _Shaping) -> pa.Array:
    """The extra columns as JSON objects, each distinct value written once."""
    parts = []
    for name in shaping.mapping.extra:
        coded = pc.dictionary_encode(shaping.columns[name])
        prefix = f"{json.dumps(name, ensure_ascii=False)}: "
        written = [prefix + json.dumps(text, ensure_ascii=False) for text in coded.dictionary.to_pylist()]
        parts.append(pa.array(written, pa.string()).take(coded.indices))
    if not parts:
        return pa.repeat(pa.scalar("{}"), shaping.count)
    inner = _joined(parts, ", ")
    return pc.binary_join_element_wise("{", inner, "}", "")


def _products(shaping: _Shaping, group: dict[str, Field]) -> Columns:
    """One group of product columns; where the number is empty the others are, too, and cannot be wrong."""
    number = shaping.value("number", group["number"])
    there = pc.is_valid(number)
    within = there.to_numpy(zero_copy_only=False)
    columns: Columns = {}
    for name in PRODUCT_FIELDS:
        kind = _TYPES.get(name, pa.string())
        value = shaping.value(name, group[name], within) if name in group else pa.nulls(shaping.count, kind)
        columns[name] = pc.if_else(there, value, pa.scalar(None, kind))
    return columns


def _refuse_twin_products(shaping: _Shaping, groups: list[Columns]) -> None:
    for i, group in enumerate(groups):
        for earlier in groups[:i]:
            same = pc.fill_null(pc.equal(group["number"], earlier["number"]), False)
            for row in np.flatnonzero(same.to_numpy(zero_copy_only=False)).tolist():
                column = shaping.mapping.products[i]["number"].columns[0]
                wrong = Wrong(Reason.WRONG_VALUE, "the same product number stands twice in the row")
                shaping.wrong.setdefault(row, (column, wrong))


def _digests(records: Columns, groups: list[Columns], mapping: Mapping) -> pa.Array:
    """A 128-bit BLAKE2b digest of each row's content: all but the key, the previous key and `as_of`.

    What the columns mean is part of it, so that a changed mapping changes the digests.
    """
    names = [name for name in (*RECORD_FIELDS, "extra") if name == "extra" or name in mapping.attributes]
    kinds = [[name for name in PRODUCT_FIELDS if name in group] for group in mapping.products]
    columns = [records[name] for name in names]
    columns += [group[name] for group, kind in zip(groups, kinds, strict=True) for name in kind]
    as_text = [_digestible(column) for column in columns]
    joined = pc.binary_join_element_wise(
        *as_text, UNIT, null_handling="replace", null_replacement=RECORD_MARK
    )
    start = content_start(names, kinds)
    digests = []
    for row in joined.cast(pa.binary()).to_pylist():
        one = start.copy()
        one.update(row)
        digests.append(one.digest())
    return pa.array(digests, pa.binary())


def content_start(names: list[str], kinds: list[list[str]]) -> hashlib.blake2b:
    """A digest that has taken in what the columns mean: `RECORD_FIELDS` with a place, `extra`, products."""
    return hashlib.blake2b(json.dumps([names, kinds]).encode(), digest_size=16)


def row_content(texts: Sequence[str | None]) -> bytes:
    """One row as it is digested, its values in the order that the digest was started with."""
    return UNIT.join(RECORD_MARK if text is None else text for text in texts).encode()


def _digestible(column: pa.Array) -> pa.Array:
    if pa.types.is_string(column.type):
        return column
    number = {pa.date32(): pa.int32(), MOMENT: pa.int64()}.get(column.type)
    return (column.cast(number) if number else column).cast(pa.string())


def _repeats(keys: pa.Array, digests: pa.Array, as_of: pa.Array, shaping: _Shaping) -> tuple[set[int], int]:
    """The good rows whose key an earlier good row of the batch has, and how many of them repeat it exactly.

    The others are noted as duplicates: the first row of a key stands.
    """
    good = [row for row in range(shaping.count) if row not in shaping.wrong] if shaping.wrong else None
    codes = pc.dictionary_encode(keys).indices.to_numpy(zero_copy_only=False)
    rows = np.arange(shaping.count) if good is None else np.asarray(good, np.int64)
    _, first, inverse = np.unique(codes[rows], return_index=True, return_inverse=True)
    if len(first) == len(rows):
        return set(), 0
    firsts = rows[first[inverse]]
    repeats: set[int] = set()
    unchanged = 0
    for row, earlier in zip(rows.tolist(), firsts.tolist(), strict=True):
        if row == earlier:
            continue
        repeats.add(row)
        if digests[row].equals(digests[earlier]) and as_of[row].equals(as_of[earlier]):
            unchanged += 1
            continue
        text = duplicate_detail(keys[row].as_py(), int(shaping.batch.rows[earlier]))
        shaping.wrong[row] = (shaping.mapping.key.columns[0], Wrong(Reason.DUPLICATE_KEY, text))
    return repeats, unchanged


def duplicate_detail(key: str, row: int) -> str:
    """What is wrong with a row whose key an earlier row of the load has with other content."""
    return f"the key {key!r} was already taken by row {row} of this load with other content"


def _values(shaping: _Shaping, row: int) -> dict[str, str | None]:
    table = shaping.batch.table
    return {name: table.column(name)[row].as_py() for name in table.column_names}


def _rejects(shaping: _Shaping, keys: pa.Array) -> list[Reject]:
    batch = shaping.batch
    return [
        Reject(
            row=int(batch.rows[row]),
            reason=wrong.reason,
            detail=wrong.detail if wrong.reason in _BY_KEY else f"{column}: {wrong.detail}",
            raw=batch.raw(row),
            field=column,
            values=_values(shaping, row),
            key=keys[row].as_py(),
        )
        for row, (column, wrong) in sorted(shaping.wrong.items())
    ]


_BY_KEY = (Reason.MISSING_KEY, Reason.DUPLICATE_KEY)


def _keyed(rejects: list[Reject], mapping: Mapping) -> list[Reject]:
    """The reader's refused rows, each with its key where the key's own columns are sound."""
    return [_with_key(reject, mapping.key) for reject in rejects]


def _with_key(reject: Reject, key: Field) -> Reject:
    if reject.values is None or set(key.columns) & set(reject.damaged):
        return reject
    parts = [(reject.values.get(name) or "").strip() for name in key.columns]
    if not all(parts):
        return reject
    changes: dict[str, Any] = {name: getattr(reject, name) for name in reject.__slots__}
    return Reject(**(changes | {"key": key.join.join(parts)}))


def _stacked(tables: list[pa.Table], keep: pa.Array) -> pa.Table:
    held = [table.filter(pc.and_(keep, pc.is_valid(table.column("number")))) for table in tables]
    return pa.concat_tables(held) if held else pa.table({"row_no": pa.array([], pa.int64())})


def _lookup(shaping: _Shaping) -> Callable[[int], tuple[bytes, dict[str, str | None]]]:
    def find(number: int) -> tuple[bytes, dict[str, str | None]]:
        row = int(np.searchsorted(shaping.batch.rows, number))
        return shaping.batch.raw(row), _values(shaping, row)

    return find
