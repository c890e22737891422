from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.reasons.explaining import (
    Bond,
    Knowledge,
    Record,
    RecordName,
    Scored,
    Verdict,
    compared_values,
    explain_pair,
    strongest_against,
)

KNOWN = Knowledge(-11.0, {"given_name": "given_name", "phone": "phone"})


def record(record_id: int, person: int, **values: str) -> Record:
    return Record(RecordName(record_id, "cards", f"C{record_id}"), person, values)


AZIZ = record(1, 1, given_name="Азиз", phone="+998 90 123-45-67", phone_2="71 200 00 00", city="Toshkent")
KARIMOV = record(2, 1, full_name="KARIMOV AZIZ", phone="712000000", city="toshkent.")
OTHER = record(3, 9, given_name="Aziza")
SCORED = Scored(
    12.34, {"given_name": ("same form", 6.5), "phone": ("exact", 14.0), "sex": ("different", -4.1)}
)


@given(
    st.dictionaries(st.sampled_from(["given_name", "sex", "phone", "city", "x"]), st.floats(-30, 30)),
    st.floats(-40, 40),
)
def test_the_prior_and_all_steps_add_up_to_the_odds(bits: dict[str, float], weight: float) -> None:
    fields = {name: ("near", round(value, 2)) for name, value in bits.items()}
    why = explain_pair(AZIZ, KARIMOV, Scored(round(weight, 2), fields), KNOWN, Bond())
    assert why.odds_bits == pytest.approx(why.prior_bits + sum(step.bits for step in why.steps), abs=0.006)
    assert why.odds_bits == pytest.approx(
        (why.steps[-1].cumulative_bits if why.steps else why.prior_bits), abs=0.006
    )
    assert set(fields) <= {step.field for step in why.steps}


def test_a_waterfall_goes_from_the_strongest_for_to_the_strongest_against() -> None:
    why = explain_pair(AZIZ, KARIMOV, SCORED, KNOWN, Bond())
    assert [(step.field, step.bits, step.cumulative_bits) for step in why.steps] == [
        ("phone", 14.0, 3.0),
        ("given_name", 6.5, 9.5),
        ("sex", -4.1, 5.4),
        ("household", -4.06, 1.34),
    ]
    assert (why.weight_bits, why.odds_bits, why.verdict) == (12.34, 1.34, Verdict.TOGETHER)
    assert why.probability == pytest.approx(0.717, abs=0.001)
    assert [step.field for step in strongest_against(why)] == ["sex", "household"]
    assert why.shared == ("city",)


def test_of_several_values_the_most_alike_are_shown_and_where_they_were_read() -> None:
    assert compared_values("phone", AZIZ.values, KARIMOV.values) == (
        ("phone_2", "71 200 00 00"),
        ("phone", "712000000"),
    )
    assert compared_values("given_name", AZIZ.values, KARIMOV.values) == (
        ("given_name", "Азиз"),
        ("full_name", "KARIMOV AZIZ"),
    )
    assert compared_values("birth_date", AZIZ.values, KARIMOV.values) == (("", None), ("", None))


@pytest.mark.parametrize(
    ("other", "odds", "bond", "verdict"),
    [
        (KARIMOV, 5.0, Bond(), Verdict.TOGETHER),
        (KARIMOV, 5.0, Bond(must=True), Verdict.TOGETHER),
        (KARIMOV, -5.0, Bond(), Verdict.THROUGH_OTHERS),
        (KARIMOV, -5.0, Bond(must=True), Verdict.MUST_LINK),
        (KARIMOV, None, Bond(), Verdict.THROUGH_OTHERS),
        (OTHER, 5.0, Bond(cannot=True), Verdict.CANNOT_LINK),
        (OTHER, 5.0, Bond(clash=True), Verdict.DIFFERENT_IDS),
        (OTHER, 5.0, Bond(), Verdict.OUTVOTED),
        (OTHER, -5.0, Bond(), Verdict.APART),
        (OTHER, None, Bond(), Verdict.NOT_COMPARED),
    ],
)
def test_the_verdict_says_what_decided(
    other: Record, odds: float | None, bond: Bond, verdict: Verdict
) -> None:
    scored = None if odds is None else Scored(odds - KNOWN.prior_bits, {})
    why = explain_pair(AZIZ, other, scored, KNOWN, bond)
    assert why.verdict is verdict
    assert (why.steps == ()) is (scored is None or scored.weight_bits == 0)


def test_records_without_a_person_are_not_together() -> None:
    assert explain_pair(record(1, 0), record(2, 0), None, KNOWN, Bond()).verdict is Verdict.NOT_COMPARED
