from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from suzani.identity.learning.engine import Judged, Resolution, resolve_fields
from suzani.identity.learning.evidence import CORRECTIONS, evidence_json
from suzani.identity.models.comparisons import LABELS
from suzani.identity.models.model import Model
from suzani.identity.pairs import matching
from suzani.identity.pairs.matching import Pairs
from suzani.identity.pairs.scoring import weight_bits, weights_of
from suzani.identity.standardising.fields import build_fields
from suzani.kernel import Kind
from tests.identity.packs import all_pairs, model_of_town, packed_town
from tests.identity.people import KINDS, NO_ID, town

Evidence = dict[str, tuple[str, float]]
SHOWN_FROM = 0.05


@pytest.fixture(scope="module", params=["all fields", "no national id", "few records"])
def resolution(request: pytest.FixtureRequest) -> Resolution:
    table, _ = (
        town(8, seed=13, noise=0.3) if request.param == "few records" else town(120, seed=21, noise=0.3)
    )
    kinds = dict(KINDS if request.param == "all fields" else NO_ID)
    return resolve_fields(build_fields(table, kinds), table.num_rows)


def evidence_of(judged: Judged, edges: Pairs) -> list[Evidence]:
    return [json.loads(text) for text in evidence_json(judged, edges).to_pylist()]


def check_sums(evidence: list[Evidence], edges: Pairs, model: Model) -> None:
    """The bits of an edge add up to its weight, but for rounding and for corrections too small to show."""
    slack = 0.005 * (len(model.fields) + len(CORRECTIONS)) + SHOWN_FROM * len(CORRECTIONS)
    for edge, weight in zip(evidence, weight_bits(edges.odds_bits, model).tolist(), strict=True):
        assert sum(bits for _, bits in edge.values()) == pytest.approx(weight, abs=slack)


def test_every_edge_explains_itself_in_json(resolution: Resolution) -> None:
    labels = {name: LABELS[kind] for name, kind in resolution.judged.records.fields}
    evidence = evidence_of(resolution.judged, resolution.edges)
    assert len(evidence) == len(resolution.edges) > 0
    for edge in evidence:
        for name, (level, bits) in edge.items():
            assert isinstance(bits, float | int)
            assert level in labels[name] if name in labels else level == CORRECTIONS[name]


def test_the_bits_of_an_edge_add_up_to_its_weight(resolution: Resolution) -> None:
    check_sums(evidence_of(resolution.judged, resolution.edges), resolution.edges, resolution.model)


def test_what_one_of_the_records_lacks_is_no_evidence(resolution: Resolution) -> None:
    evidence = evidence_of(resolution.judged, resolution.edges)
    for index, (name, _) in enumerate(resolution.judged.records.fields):
        for edge, level in zip(evidence, resolution.edges.levels[:, index].tolist(), strict=True):
            assert (name in edge) is (level > 0)


@pytest.mark.parametrize("household", [0.0, 0.02])
@pytest.mark.parametrize("calibrated", [True, False], ids=["calibrated", "as it is"])
@pytest.mark.parametrize("joint", [True, False], ids=["interactions", "independent"])
def test_every_correction_of_a_model_is_a_line_of_its_own(
    household: float, calibrated: bool, joint: bool
) -> None:
    records = packed_town(40, 1)
    model = replace(model_of_town(), household=household)
    model = model if calibrated else replace(model, calibration=None)
    model = model if joint else replace(model, interactions=())
    weights = weights_of(model, records)
    pairs = matching.score(records, weights, *all_pairs(records.rows))
    pairs = pairs.where(pairs.odds_bits > -20)
    evidence = evidence_of(Judged(records, weights), pairs)
    check_sums(evidence, pairs, model)
    named = {name for edge in evidence for name in edge}
    assert ("together" in named) is joint
    assert ("calibration" in named) is calibrated
    assert ("household" in named) is (household > 0)


def test_a_correction_is_shown_for_the_pairs_that_it_corrects() -> None:
    records = packed_town(40, 1)
    model = replace(model_of_town(), calibration=None)
    weights = weights_of(model, records)
    pairs = matching.score(records, weights, *all_pairs(records.rows))
    position = {name: f for f, (name, _) in enumerate(records.fields)}
    expected = np.zeros(len(pairs))
    for item in model.interactions:
        agree = pairs.levels[:, position[item.first]] >= item.first_level
        agree &= pairs.levels[:, position[item.second]] >= item.second_level
        expected += np.where(agree, item.weight_bits, 0.0)
    found = [edge.get("together", ("", 0.0))[1] for edge in evidence_of(Judged(records, weights), pairs)]
    assert found == pytest.approx(expected.tolist(), abs=0.005)


def test_a_field_of_any_name_makes_sound_json() -> None:
    name = 'a "b" \\ \n {c}, ш'
    table = town(60, seed=22)[0].select(["national_id"]).rename_columns([name])
    result = resolve_fields(build_fields(table, {name: Kind.NATIONAL_ID}), table.num_rows)
    edges = result.edges.where(result.edges.levels[:, 0] > 0)
    evidence = evidence_of(result.judged, edges)
    assert evidence
    assert all(name in edge for edge in evidence)


def test_no_edges_have_no_evidence() -> None:
    result = resolve_fields([], 3)
    assert evidence_of(result.judged, Pairs.joined([], 0)) == []


def test_records_that_say_nothing_are_joined_without_evidence() -> None:
    nothing = np.zeros((1, 0), dtype=np.uint8)
    result = resolve_fields([], 3)
    pair = Pairs(np.array([0]), np.array([1]), np.zeros(1), nothing)
    assert len(evidence_of(result.judged, pair)) == 1


def test_records_with_many_copies_are_explained_by_the_weights_they_were_matched_with() -> None:
    table, _ = town(200, seed=5, noise=0.2)
    columns = [name for name, kind in KINDS.items() if kind in (Kind.GIVEN_NAME, Kind.BIRTH_DATE)]
    repeated = pa.concat_tables([table.select(columns), *[table.select(columns).slice(0, 1)] * 60])
    outcome = resolve_fields(build_fields(repeated, KINDS), repeated.num_rows)
    assert len(outcome.edges) >= 59
    check_sums(evidence_of(outcome.judged, outcome.edges), outcome.edges, outcome.model)
