from __future__ import annotations

import numpy as np
import pyarrow as pa

from suzani.identity.cluster.columns import column_names, to_columns, to_fields
from suzani.identity.pairs.packing import pack
from suzani.identity.standardising.fields import standardise
from tests.identity.people import KINDS, town


def test_standard_values_survive_the_journey_and_say_the_same() -> None:
    table, _ = town(60, seed=3)
    fields, norms = standardise(table, KINDS)
    columns = pa.table(to_columns(fields))
    assert columns.column_names == column_names(norms)
    back = to_fields(columns, norms)
    rows = table.num_rows
    for before, after in zip(fields, back, strict=True):
        mine, yours = np.array([*before.texts.to_pylist(), ""]), np.array([*after.texts.to_pylist(), ""])
        assert (mine[before.codes] == yours[after.codes]).all()
        assert (before.name, before.kind, before.scheme) == (after.name, after.kind, after.scheme)
    assert np.array_equal(pack(back, rows).contents, pack(fields, rows).contents)


def test_the_parts_of_names_share_their_values_so_that_swaps_are_seen() -> None:
    fields, norms = standardise(town(20, seed=3)[0], KINDS)
    back = {field.name: field for field in to_fields(pa.table(to_columns(fields)), norms)}
    assert back["given_name"].values is back["family_name"].values is back["middle_name"].values


def test_contents_do_not_depend_on_the_company_of_a_record() -> None:
    table, _ = town(60, seed=3)
    fields, norms = standardise(table, KINDS)
    some, _ = standardise(table.slice(10, 20), {}, norms)
    assert np.array_equal(pack(fields, table.num_rows).contents[10:30], pack(some, 20).contents)
