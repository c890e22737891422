"""Packed towns, models with everything a model can hold, and partitions as sets, for tests of the core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.identity.learning.sampling import Sample
from suzani.identity.learning.training import train_on
from suzani.identity.models.calibration import Calibration
from suzani.identity.models.comparisons import level_count
from suzani.identity.models.interactions import Interaction
from suzani.identity.models.model import Model
from suzani.identity.pairs.nodes import find_nodes
from suzani.identity.pairs.packing import Packed, pack
from suzani.identity.standardising.fields import Field, build_fields
from suzani.kernel import Kind
from tests.identity.people import KINDS, NO_ID, town

Ints = npt.NDArray[np.int64]

NOTHING: Ints = np.empty(0, dtype=np.int64)
INTERACTIONS = (
    Interaction("given_name", "sex", level_count(Kind.GIVEN_NAME) - 1, 2, 0.1, 1.3),
    Interaction("family_name", "city", level_count(Kind.FAMILY_NAME) - 2, 4, 0.4, 1.1),
)
CALIBRATION = Calibration(slope=0.8, intercept_bits=-0.7, anchors=100, error_bits=0.1)


def packed(fields: list[Field], rows: int) -> Packed:
    """Records in the order in which matching has them."""
    records = pack(fields, rows)
    return records.take(find_nodes(records, NOTHING, np.arange(rows, dtype=np.uint64)).first)


@cache
def fields_of_town(people: int, seed: int, noise: float, ids: bool) -> tuple[list[Field], Ints]:
    """The fields of a town's records, and who they are."""
    table, truth = town(people, seed=seed, noise=noise)
    return build_fields(table, KINDS if ids else NO_ID), truth


@cache
def packed_town(people: int = 40, seed: int = 1, noise: float = 0.3, ids: bool = True) -> Packed:
    """A town as matching has it."""
    fields, truth = fields_of_town(people, seed, noise, ids)
    return packed(fields, len(truth))


def all_pairs(rows: int) -> tuple[Ints, Ints]:
    """Every pair of rows once."""
    left, right = np.triu_indices(rows, 1)
    return left.astype(np.int64), right.astype(np.int64)


@cache
def model_of_town(people: int = 150, seed: int = 2, noise: float = 0.3, ids: bool = True) -> Model:
    """A model learned on a town from all pairs, with interactions and a calibration beside."""
    records = packed_town(people, seed, noise, ids)
    nodes = find_nodes(records, NOTHING, np.arange(records.rows, dtype=np.uint64))
    model = train_on(records, nodes, Sample.every_pair(records))
    return replace(model, interactions=INTERACTIONS, calibration=CALIBRATION)


def groups(person: npt.NDArray[np.integer]) -> set[frozenset[int]]:
    """A partition as sets of rows."""
    members: dict[int, list[int]] = {}
    for row, label in enumerate(person.tolist()):
        members.setdefault(label, []).append(row)
    return {frozenset(rows) for rows in members.values()}


def table_from(rows: Sequence[Mapping[str, str | None]]) -> pa.Table:
    """Records as a table of strings."""
    return pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in KINDS})
