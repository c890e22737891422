from __future__ import annotations

from dataclasses import replace
from math import log2

import pytest

from suzani.identity.models.calibration import Calibration
from suzani.identity.models.file import FieldModel, Model
from suzani.identity.models.interactions import Interaction
from suzani.identity.models.report import (
    bar,
    compare_models,
    level_weights,
    model_data,
    model_rows,
    summary_rows,
)

SEX = FieldModel("sex", "sex", [0.1, 0.9], [0.5, 0.5], [0.5, 0.5])
PHONE = FieldModel("phone", "phone", [0.1, 0.1, 0.1, 0.7], [0.97, 0.01, 0.01, 0.01], [0.4, 0.1, 0.1, 0.4])
MODEL = Model((SEX, PHONE), 0.01, 0.02, 1_000, (Interaction("sex", "phone", 2, 4, 0.5, 2.5),),
              Calibration(0.8, -1.0, 500, 0.2))  # fmt: skip


def test_every_level_shows_its_weight_in_bits() -> None:
    weights = {(item.field, item.level): item.weight_bits for item in level_weights(MODEL)}
    assert len(weights) == 6
    assert weights["sex", "exact"] == pytest.approx(log2(1.8))
    assert weights["phone", "different"] == pytest.approx(log2(0.1 / 0.97))


def test_a_table_names_each_field_once_and_the_highest_level_first() -> None:
    rows = model_rows(MODEL)
    assert [row[0] for row in rows if row[0]] == ["sex", "phone"]
    assert [row[1] for row in rows[:2]] == ["exact", "different"]


@pytest.mark.parametrize("bits", [-1000.0, -7.5, -0.1, 0.0, 2.6, 5.0, 1000.0])
def test_bars_point_to_the_side_of_their_weight_and_have_one_middle(bits: float) -> None:
    left, right = bar(bits).split("│")
    assert len(left) == 4
    assert len(right) <= 4
    assert not (left.strip() and right)
    assert bool(right) is (bits > 1.25)


def test_the_summary_tells_interactions_and_calibration() -> None:
    text = str(summary_rows(MODEL))
    assert "sex and phone both agree" in text
    assert "-2.00 bits" in text
    assert "0.8 · odds -1" in text
    assert "none" in str(summary_rows(replace(MODEL, household=0.0)))


def test_a_model_as_data_holds_every_level() -> None:
    data = model_data(MODEL)
    assert [len(field["levels"]) for field in data["fields"]] == [2, 4]
    assert data["calibration"] == {"slope": 0.8, "intercept_bits": -1.0}
    assert model_data(replace(MODEL, calibration=None))["calibration"] is None


def test_a_model_equals_itself_in_any_order_of_fields() -> None:
    assert compare_models(MODEL, MODEL).none
    assert compare_models(MODEL, replace(MODEL, fields=MODEL.fields[::-1])).none


def test_changes_come_biggest_first_and_swap_their_sign_the_other_way() -> None:
    other = replace(MODEL, fields=(replace(SEX, m=[0.2, 0.8]), replace(PHONE, u=[0.94, 0.01, 0.01, 0.04])))
    there, back = compare_models(MODEL, other), compare_models(other, MODEL)
    assert [item.field for item in there.levels][:2] == ["phone", "sex"]
    sizes = [abs(item.change_bits) for item in there.levels]
    assert sizes == sorted(sizes, reverse=True)
    assert [-item.change_bits for item in there.levels] == pytest.approx(
        [item.change_bits for item in back.levels]
    )


def test_fields_of_one_model_alone_are_named() -> None:
    changes = compare_models(MODEL, replace(MODEL, fields=(SEX,), interactions=()))
    assert changes.only_before == ("phone (phone)",)
    assert changes.only_after == ()
    assert not changes.none


@pytest.mark.parametrize(
    "changed",
    [
        {"prior": 0.02},
        {"household": 0.0},
        {"records": 5},
        {"calibration": None},
        {"interactions": ()},
        {"fields": (replace(SEX, h=[0.4, 0.6]), PHONE)},
        {"fields": (replace(SEX, weighs_frequency=True), PHONE)},
    ],
    ids=str,
)
def test_every_kind_of_difference_shows(changed: dict[str, object]) -> None:
    changes = compare_models(MODEL, replace(MODEL, **changed))  # type: ignore[arg-type]
    assert not changes.none
    assert changes.as_dict()["equal"] is False
