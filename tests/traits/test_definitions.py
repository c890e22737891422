from __future__ import annotations

from pathlib import Path

import pytest

from suzani.kernel import InvalidInput
from suzani.traits import load_plan
from suzani.traits.definitions import load_traits, parse_traits


def declare(body: str) -> str:
    return f"traits:\n  spend: {body}"


@pytest.mark.parametrize(
    ("body", "problem", "hint"),
    [
        ("{kind: summ, of: properties.amount}", "trait spend, kind: unknown kind 'summ'", "'sum'?"),
        ("{of: properties.amount}", "trait spend, kind: is missing", ""),
        ("{kind: 5}", "trait spend, kind: must be a text, not 5", ""),
        ("{kind: count, windw: 7d}", "trait spend, windw: unknown field 'windw'", "'window'?"),
        ("{kind: count, window: 7 days}", "trait spend, window: unknown window '7 days'", "7d"),
        ("{kind: count, window: this mnth}", "unknown window 'this mnth'", "'this month'?"),
        ("{kind: count, window: 5m}", "too short or too long", "From 24m"),
        ("{kind: count, window: 2000d}", "too short or too long", "1100d"),
        ("{kind: count, window: 121m}", "not a whole number of its pieces of 5m", "Say 120m"),
        ("{kind: count, of: properties.amount}", "of: is of no use to the kind 'count'", "Remove"),
        ("{kind: sum}", "of: is missing, which the kind 'sum' needs", "properties.amount"),
        ("{kind: sum, of: amount}", "of: 'amount' is not a place in an event", "properties."),
        ("{kind: sum, of: at}", "of: 'at' is not a place in an event", ""),
        ("{kind: ratio, events: Paid}", "to: is missing", "to: {events"),
        ("{kind: ratio, to: {event: Paid}}", "trait spend, to, event: unknown field 'event'", "'events'?"),
        ("{kind: trend}", "window: is missing", "30d"),
        ("{kind: trend, window: all}", "nothing before all time", "30d"),
        ("{kind: days_since, window: 7d}", "window: is of no use", "Remove"),
        ("{kind: streak, window: 7d}", "a streak is counted in days", "24d"),
        ("{kind: count, type: trak}", "type: unknown type of event 'trak'", "'track'?"),
        ("{kind: count, events: []}", "events: must be a text or a list of texts", ""),
        ("{kind: count, where: [a]}", "where: must be names with values", ""),
        ("{kind: count, where: {amount: 5}}", "where: 'amount' is not a place in an event", ""),
        ("{kind: count, where: {name: {eqq: 5}}}", "where.name: unknown operator 'eqq'", "'eq'?"),
        ("{kind: count, where: {name: {matches: '('}}}", "is not a regular expression", ""),
        ("{kind: count, where: {channel: web}, channel: app}", "is given in `where`, too", "Keep one"),
        ("text", "trait spend: must be fields with values", ""),
    ],
)
def test_what_is_wrong_is_told_with_file_trait_and_field(body: str, problem: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_traits(declare(body), "bank.yaml")
    assert caught.value.message.startswith("bank.yaml: ")
    assert problem in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("traits: [", "not valid YAML"),
        ("- a", "must have `traits:`"),
        ("trait: {}", "unknown field 'trait'"),
        ("time_zone: Asia/Tashkend\ntraits: {}", "time_zone: unknown time zone 'Asia/Tashkend'"),
        ("traits:\n  a: {kind: count}\n  a: {kind: count}", "'a' is declared twice"),
        ("traits:\n  A b: {kind: count}", "trait A b: is not a name"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=r"bank\.yaml") as caught:
        parse_traits(text, "bank.yaml")
    assert problem in caught.value.message


def test_the_data_directory_adds_replaces_and_takes_away(tmp_path: Path) -> None:
    own = """
    time_zone: Asia/Seoul
    traits:
      calls_7d: {kind: count, events: Call Ended, window: 7d}
      calls_30d: {kind: count, events: [Call Ended, Chat Ended], window: 30d}
      rage_clicks_24h: null
    """
    (tmp_path / "traits.yaml").write_text(own, "utf-8")
    shipped, plan = load_plan(), load_plan(tmp_path)
    assert set(plan.names) ^ set(shipped.names) == {"calls_7d", "rage_clicks_24h"}
    assert plan.calendar.zone_name == "Asia/Seoul"
    changed = {trait.name: trait for trait in plan.definitions}["calls_30d"]
    assert changed.measure.filter.names == ("Call Ended", "Chat Ended")


def test_an_error_of_the_data_directory_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "traits.yaml").write_text("traits: {calls_3d: null}", "utf-8")
    with pytest.raises(InvalidInput, match="calls_30d") as caught:
        load_traits(tmp_path)
    assert str(tmp_path / "traits.yaml") in caught.value.message


def test_only_true_and_false_are_truth_values() -> None:
    declared = parse_traits(declare("{kind: count, where: {properties.country: NO, properties.new: true}}"))
    assert (
        declared.definitions[0].measure.filter.where == '{"properties.country": "NO", "properties.new": true}'
    )
