"""The evidence of an edge as data that pages, the API and the audit log share."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity.kernels.weights import field_bits
from suzani.identity.learning.engine import Judged
from suzani.identity.models.comparisons import LABELS
from suzani.identity.pairs.matching import Pairs

CORRECTIONS = {
    "together": "fields that go together",
    "household": "families share this",
    "calibration": "as pairs of known outcome have it",
}
"""What corrects the sum of the fields, by name, with its label."""
TOO_LITTLE = 0.05
"""Bits; a correction of less is not told."""


def evidence_json(judged: Judged, edges: Pairs) -> pa.Array:
    """One JSON object per edge: `{field: [level, bits]}` for every field that both records have.

    `judged` are the records that the edges' rows name, with the weights that gave the edges their odds.
    Beside the fields stand, where they matter, `together` (fields that say the same thing twice), `household`
    (what knowing about families takes away) and `calibration`: the edge's weight is the sum of all bits.
    """
    records = judged.records
    bits = field_bits(judged.weights, records.layout, edges.levels, records.codes, edges.left, edges.right)
    parts: list[pa.Array] = []
    for f, (name, kind) in enumerate(records.fields):
        level = edges.levels[:, f]
        heads = [f"{json.dumps(name)}:[{json.dumps(label)}," for label in LABELS[kind]]
        part = _joined(pa.array(heads).take(pa.array(level.astype(np.int64))), bits[:, f])
        parts.append(pc.if_else(pa.array(level > 0), part, pa.scalar(None, pa.string())))
    for column, (name, label) in enumerate(CORRECTIONS.items(), len(records.fields)):
        head = pa.array([f"{json.dumps(name)}:[{json.dumps(label)},"] * len(edges), pa.string())
        part = _joined(head, bits[:, column])
        matters = pa.array(np.abs(bits[:, column]) > TOO_LITTLE)
        parts.append(pc.if_else(matters, part, pa.scalar(None, pa.string())))
    # The empty last part keeps the rows that have no other: Arrow leaves out rows of nulls alone.
    last = pa.array([""] * len(edges), pa.string())
    inside = pc.utf8_rtrim(pc.binary_join_element_wise(*parts, last, ",", null_handling="skip"), ",")
    return pc.binary_join_element_wise("{", inside, "}", "")


def _joined(heads: pa.Array, bits: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> pa.Array:
    numbers = pc.cast(pa.array(np.round(bits, 2)), pa.string())
    return pc.binary_join_element_wise(heads, numbers, "]", "")
