from __future__ import annotations

import json

import pyarrow as pa
import pytest

from suzani.identity.comparisons import LABELS
from suzani.identity.engine import Resolution, resolve_fields
from suzani.identity.evidence import evidence_json
from suzani.identity.fields import build_fields
from suzani.kernel import Kind
from tests.identity.people import KINDS, NO_ID, town


@pytest.fixture(scope="module", params=["all fields", "no national id", "few records"])
def resolution(request: pytest.FixtureRequest) -> Resolution:
    table, _ = (
        town(8, seed=13, noise=0.3) if request.param == "few records" else town(120, seed=21, noise=0.3)
    )
    kinds = dict(KINDS if request.param == "all fields" else NO_ID)
    return resolve_fields(build_fields(table, kinds), table.num_rows)


def evidence_of(resolution: Resolution) -> list[dict[str, tuple[str, float]]]:
    texts = evidence_json(resolution.scorer, resolution.edges).to_pylist()
    return [json.loads(text) for text in texts]


def test_every_edge_explains_itself_in_json(resolution: Resolution) -> None:
    labels = {field.name: LABELS[field.kind] for field in resolution.fields}
    evidence = evidence_of(resolution)
    assert len(evidence) == len(resolution.edges.left) > 0
    for edge in evidence:
        for name, (level, bits) in edge.items():
            assert isinstance(bits, float | int)
            assert name == "household" or level in labels[name]


def test_the_bits_of_an_edge_add_up_to_its_weight(resolution: Resolution) -> None:
    rounding = 0.005 * (len(resolution.fields) + 1) + 0.05
    for edge, weight in zip(evidence_of(resolution), resolution.edges.weight_bits.tolist(), strict=True):
        assert sum(bits for _, bits in edge.values()) == pytest.approx(weight, abs=rounding)


def test_what_one_of_the_records_lacks_is_no_evidence(resolution: Resolution) -> None:
    for index, field in enumerate(resolution.fields):
        for edge, level in zip(evidence_of(resolution), resolution.edges.levels[index].tolist(), strict=True):
            assert (field.name in edge) is (level > 0)


def test_a_field_of_any_name_makes_sound_json() -> None:
    name = 'a "b" \\ \n {c}, ш'
    table = town(60, seed=22)[0].select(["national_id"]).rename_columns([name])
    fields = build_fields(table, {name: Kind.NATIONAL_ID})
    evidence = evidence_of(resolve_fields(fields, table.num_rows))
    assert evidence
    assert all(name in edge for edge in evidence)


def test_no_edges_have_no_evidence() -> None:
    assert evidence_of(resolve_fields([], 3)) == []


def test_records_with_many_copies_are_explained_by_the_weights_they_were_matched_with() -> None:
    table, _ = town(200, seed=5, noise=0.2)
    columns = [name for name, kind in KINDS.items() if kind in (Kind.GIVEN_NAME, Kind.BIRTH_DATE)]
    repeated = pa.concat_tables([table.select(columns), *[table.select(columns).slice(0, 1)] * 60])
    outcome = resolve_fields(build_fields(repeated, KINDS), repeated.num_rows)
    assert outcome.model.household == 0
    for text, weight in zip(
        evidence_json(outcome.scorer, outcome.edges).to_pylist(), outcome.edges.weight_bits, strict=True
    ):
        edge = json.loads(text)
        assert "household" not in edge
        assert sum(bits for _, bits in edge.values()) == pytest.approx(weight, abs=0.06)
