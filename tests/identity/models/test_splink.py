from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.models.calibration import Calibration
from suzani.identity.models.comparisons import LABELS, level_count
from suzani.identity.models.file import FieldModel, Model
from suzani.identity.models.interactions import Interaction
from suzani.identity.models.splink import CONDITIONS, expected_columns, left_behind, to_splink
from suzani.identity.models.splink_import import from_splink
from suzani.kernel import InvalidInput, Kind

NAMES = {Kind.PATRONYMIC: "middle_name"}


def field(kind: Kind, name: str = "") -> FieldModel:
    """A field of a kind whose levels weigh the more the higher they are."""
    size = level_count(kind) - 1
    m, u = np.geomspace(1, 20, size), np.geomspace(1, 1e-4, size)
    name = name or NAMES.get(kind, kind.value)
    return FieldModel(
        name, kind.value, (m / m.sum()).tolist(), (u / u.sum()).tolist(), (u / u.sum()).tolist()
    )


def everything() -> Model:
    return Model(tuple(field(kind) for kind in LABELS), 0.001, 0.002, 10)


def settings(**comparison: Any) -> str:
    """Splink settings with one trained comparison of first names."""
    level = {
        "output_column_name": "first_name",
        "comparison_levels": [
            {"sql_condition": "first_name_l IS NULL OR first_name_r IS NULL", "is_null_level": True},
            {
                "sql_condition": '"first_name_l" = "first_name_r"',
                "m_probability": 0.6,
                "u_probability": 0.001,
            },
            {
                "sql_condition": 'jaro_winkler_similarity("first_name_l", "first_name_r") >= 0.92',
                "m_probability": 0.2,
                "u_probability": 0.004,
            },
            {
                "sql_condition": 'jaro_winkler_similarity("first_name_l", "first_name_r") >= 0.7',
                "m_probability": 0.1,
                "u_probability": 0.05,
            },
            {"sql_condition": "ELSE", "m_probability": 0.1, "u_probability": 0.945},
        ],
    } | comparison
    return json.dumps({"comparisons": [level], "probability_two_random_records_match": 0.002})


def test_every_level_between_different_and_exact_has_a_condition() -> None:
    assert CONDITIONS.keys() == LABELS.keys()
    for kind, labels in LABELS.items():
        assert set(CONDITIONS[kind]) == set(labels[2:-1])


def test_what_is_exported_comes_back() -> None:
    model = everything()
    back = from_splink(json.dumps(to_splink(model)), "it.json", {f.name: Kind(f.kind) for f in model.fields})
    assert back.model.prior == model.prior
    found = {item.name: item for item in back.model.fields}
    for item in model.fields:
        assert found[item.name].m == pytest.approx(item.m)
        assert found[item.name].u == pytest.approx(item.u)


def test_splink_loads_and_predicts_with_what_is_exported() -> None:
    splink = pytest.importorskip("splink", reason="Splink is not installed (extra `peers`)")
    model = everything()
    loaded = splink.SettingsCreator.from_path_or_dict(to_splink(model)).get_settings("duckdb")
    assert loaded._is_fully_trained
    for comparison, item in zip(loaded.comparisons, model.fields, strict=True):
        trained = [level for level in comparison.comparison_levels if not level.is_null_level]
        assert [level.m_probability for level in trained] == pytest.approx(item.m[::-1])
        assert [level.u_probability for level in trained] == pytest.approx(item.u[::-1])
    again = from_splink(json.dumps(loaded.as_dict()), "it.json", {f.name: Kind(f.kind) for f in model.fields})
    assert len(again.model.fields) == len(model.fields)


def test_splink_scores_pairs_with_the_exported_levels() -> None:
    splink = pytest.importorskip("splink", reason="Splink is not installed (extra `peers`)")
    import pyarrow as pa

    model = Model((field(Kind.GIVEN_NAME), field(Kind.BIRTH_DATE), field(Kind.PHONE)), 0.01, 0.0, 10)
    rows = {
        "unique_id": ["1", "2", "3"],
        "given_name": ["anna", "hanna", "boris"],
        "given_name_folded": ["ana", "hana", "boris"],
        "birth_date": ["19900102", "19900103", "19900102"],
        "phone": ["901112233"] * 3,
    }
    api = splink.DuckDBAPI()
    linker = splink.Linker(api.register(pa.table(rows)), to_splink(model))
    found = linker.inference.predict().as_dict()
    pairs = zip(found["unique_id_l"], found["unique_id_r"], strict=True)
    levels = dict(
        zip(pairs, zip(found["gamma_given_name"], found["gamma_birth_date"], strict=True), strict=True)
    )
    assert levels["1", "2"] == (3, 4)
    assert levels["1", "3"] == (0, 5)


def test_the_columns_to_prepare_are_told() -> None:
    model = Model((field(Kind.GIVEN_NAME), field(Kind.PHONE)), 0.01, 0.0, 10)
    assert expected_columns(model) == ["unique_id", "given_name", "given_name_folded", "phone"]


def test_what_splink_cannot_take_is_told() -> None:
    plain = Model((field(Kind.CITY), field(Kind.REGION)), 0.01, 0.0, 10)
    assert left_behind(plain) == []
    rich = Model(
        plain.fields, 0.01, 0.02, 10, (Interaction("city", "region", 4, 3, 0, 3),), Calibration(1, 0, 9, 0.1)
    )
    assert [text.split()[0] for text in left_behind(rich)] == ["households", "interactions", "calibration"]


def test_levels_are_matched_by_closeness_and_the_rest_lies_between() -> None:
    imported = from_splink(settings(), "it.json")
    (name,) = imported.model.fields
    assert (name.name, name.kind, imported.model.prior) == ("given_name", "given_name", 0.002)
    assert name.m[-1] == pytest.approx(0.6, abs=0.05)
    assert sum(name.m) == pytest.approx(1)
    assert sum(name.u) == pytest.approx(1)
    weights = np.log2(name.m) - np.log2(name.u)
    assert (np.diff(weights) >= -1e-9).all()
    assert "interpolated" in imported.notes[0]


def test_a_column_of_unknown_meaning_is_named_and_may_be_stated() -> None:
    text = settings(output_column_name="xyz")
    with pytest.raises(InvalidInput, match=r"xyz.*--fields"):
        from_splink(text, "it.json")
    assert from_splink(text, "it.json", {"xyz": Kind.FAMILY_NAME}).model.fields[0].name == "family_name"


def test_untrained_levels_are_named() -> None:
    levels = json.loads(settings())["comparisons"][0]["comparison_levels"]
    del levels[2]["m_probability"]
    notes = from_splink(settings(comparison_levels=levels), "it.json").notes
    assert any("without trained m and u" in note for note in notes)


def test_a_second_comparison_of_one_field_is_named() -> None:
    data = json.loads(settings())
    data["comparisons"] *= 2
    notes = from_splink(json.dumps(data), "it.json").notes
    assert any("is there already" in note for note in notes)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"comparisons": 3}', '{"comparisons": []}', "[" * 9999]
)
def test_what_is_no_splink_settings_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"it\.json"):
        from_splink(text, "it.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(
        ["comparison_levels", "output_column_name", "sql_condition", "m_probability", "label_for_charts"]
    ),
    JSON,
)
def test_any_json_in_any_place_is_refused_or_makes_a_sound_model(part: str, value: object) -> None:
    data = json.loads(settings())
    comparison = data["comparisons"][0]
    if part in comparison:
        comparison[part] = value
    else:
        comparison["comparison_levels"][1][part] = value
    try:
        model = from_splink(json.dumps(data), "it.json").model
    except InvalidInput:
        return
    assert Model.from_json(model.to_json()) == model
