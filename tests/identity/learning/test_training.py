from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from suzani.identity.learning.sampling import Sample
from suzani.identity.learning.training import Told, train_on
from suzani.identity.models.model import Model
from suzani.identity.pairs.nodes import find_nodes
from suzani.identity.pairs.packing import Packed, pack
from suzani.identity.standardising.fields import build_fields
from suzani.kernel import Kind
from tests.identity.packs import NOTHING, all_pairs, fields_of_town


def trained(records: Packed, told: Told | None = None) -> Model:
    nodes = find_nodes(records, NOTHING, np.arange(records.rows, dtype=np.uint64))
    packed = records.take(nodes.first)
    return train_on(packed, nodes, Sample.every_pair(packed), told)


def town_records(seed: int = 1) -> Packed:
    fields, truth = fields_of_town(120, seed, 0.2, True)
    return pack(fields, len(truth))


def test_a_model_has_a_distribution_of_levels_for_every_field() -> None:
    records = town_records()
    model = trained(records)
    assert [(field.name, field.kind) for field in model.fields] == [(n, k.value) for n, k in records.fields]
    for field in model.fields:
        for table in (field.m, field.u, field.h):
            assert sum(table) == pytest.approx(1, abs=1e-6)
            assert min(table) > 0
        assert field.m[-1] > field.u[-1]
    assert 0 < model.prior < 0.1
    assert model.records == records.rows


def test_the_share_of_true_pairs_is_about_right() -> None:
    fields, truth = fields_of_town(120, 3, 0.1, True)
    left, right = all_pairs(len(truth))
    share = float((truth[left] == truth[right]).mean())
    assert trained(pack(fields, len(truth))).prior == pytest.approx(share, rel=0.5)


def test_training_does_not_depend_on_the_order_of_the_records() -> None:
    fields, truth = fields_of_town(80, 2, 0.3, True)
    rows = np.random.default_rng(1).permutation(len(truth))
    here = trained(pack(fields, len(truth)))
    there = trained(pack([field.reordered(rows) for field in fields], len(truth)))
    assert there.prior == pytest.approx(here.prior)
    for one, other in zip(here.fields, there.fields, strict=True):
        assert one.m == pytest.approx(other.m, rel=1e-6)
        assert one.u == pytest.approx(other.u, rel=1e-6)


def test_chance_agreement_is_that_of_records_and_not_of_distinct_ones() -> None:
    cities = pa.array(["Toshkent"] * 15 + ["Buxoro", "Andijon", "Namangan"], pa.string())
    fields = build_fields(pa.table({"city": cities}), {"city": Kind.CITY})
    exact = trained(pack(fields, len(cities))).fields[0].u[-1]
    assert exact > 0.5


def test_a_great_many_copies_teach_nothing_more() -> None:
    fields, truth = fields_of_town(100, 4, 0.2, True)
    few, many = (
        trained(
            pack(
                [
                    replace(f, codes=np.concatenate([f.codes, np.repeat(f.codes[:1], n, axis=0)]))
                    for f in fields
                ],
                len(truth) + n,
            )
        )
        for n in (100, 5_000)
    )
    assert many.prior == pytest.approx(few.prior)
    for one, other in zip(few.fields, many.fields, strict=True):
        assert one.m == pytest.approx(other.m)
        assert one.u == pytest.approx(other.u)


def test_what_stewards_said_moves_the_model() -> None:
    records = town_records(5)
    left, right = all_pairs(records.rows)
    given = records.layout.given
    first = records.codes[:, records.layout.table[given, 1]]
    unlike = np.flatnonzero((first[left] != first[right]) & (first[left] >= 0) & (first[right] >= 0))[:40]
    told = Told((left[unlike], right[unlike]), (NOTHING, NOTHING))
    plain, taught = trained(records), trained(records, told)
    assert taught.fields[given].m[-1] < plain.fields[given].m[-1]
    assert trained(records, Told.nothing()) == plain


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_records_or_fields_have_a_model_all_the_same(rows: int) -> None:
    fields, _ = fields_of_town(40, 1, 0.2, True)
    assert len(trained(pack([f.reordered(np.arange(rows)) for f in fields], rows)).fields) == len(fields)
    assert trained(pack([], rows)).fields == ()
