"""The evidence of an edge as data that pages, the API and the audit log share."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity.comparisons import LABELS
from suzani.identity.engine import Edges
from suzani.identity.scoring import Scorer


def evidence_json(scorer: Scorer, edges: Edges) -> pa.Array:
    """One JSON object per edge: `{field: [level, bits]}` for every field that both records have.

    `scorer` is the one that scored the edges, on the rows that they name.

    `household` is what knowing about families takes away (seldom, adds): the edge's weight is the sum of all
    bits.
    """
    parts: list[pa.Array] = []
    total = np.zeros(len(edges.left))
    for index, (field, row) in enumerate(zip(scorer.fields, edges.levels, strict=True)):
        bits = scorer.field_bits(index, row, edges.left, edges.right)
        total += bits
        heads = [f"{json.dumps(field.name)}:[{json.dumps(label)}," for label in LABELS[field.kind]]
        part = _joined(pa.array(heads).take(pa.array(row.astype(np.int64))), bits)
        parts.append(pc.if_else(pa.array(row > 0), part, pa.scalar(None, pa.string())))
    household = edges.weight_bits - total
    part = _joined(pa.array(['"household":["families share this",'] * len(total), pa.string()), household)
    parts.append(pc.if_else(pa.array(np.abs(household) > 0.05), part, pa.scalar(None, pa.string())))
    # The empty last part keeps the rows that have no other: Arrow leaves out rows of nulls alone.
    last = pa.array([""] * len(total), pa.string())
    inside = pc.utf8_rtrim(pc.binary_join_element_wise(*parts, last, ",", null_handling="skip"), ",")
    return pc.binary_join_element_wise("{", inside, "}", "")


def _joined(heads: pa.Array, bits: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> pa.Array:
    numbers = pc.cast(pa.array(np.round(bits, 2)), pa.string())
    return pc.binary_join_element_wise(heads, numbers, "]", "")
