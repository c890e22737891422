"""The catalogue is sound, plans say what may be sent, and a change of a schema is told for what it is."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from suzani.events import Checker, Event, EventType, Reason
from suzani.events.compatibility import Effect, changes, is_breaking
from suzani.events.plans import Unplanned
from suzani.events.schemas import find_schema, load_catalogue
from suzani.kernel import InvalidInput, NotFound
from suzani.main import app

CATALOGUE = load_catalogue(None)
NAMES = (
    "Card Authorised,Card Declined,Transfer Sent,Transfer Received,Payment Made,Cash Withdrawn,"
    "Deposit Opened,Loan Application Started,Loan Application Submitted,Loan Application Abandoned,"
    "Call Ended,Branch Visited,Chat Ended,Complaint Filed,Complaint Resolved,App Opened,App Session Ended,"
    "Ad Viewed,Ad Clicked,Email Opened,Ticket Opened,Product Viewed,Form Started,Form Submitted,"
    "Form Abandoned,Element Clicked,Error Shown,Rage Clicked,Page Left"
).split(",")


def track(name: str = "Card Authorised", source: str = "web", **fields: Any) -> Event:
    given: dict[str, Any] = {"properties": {"amount": 5, "currency": "UZS"}, "type": EventType.TRACK} | fields
    return Event(message=b"", message_id="m", source=source, name=name, at=0, received_at=0, **given)


def write(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_the_channels_of_a_bank_are_in_the_catalogue(name: str) -> None:
    schema = find_schema(CATALOGUE, name)
    assert schema.title == name
    assert schema.channel
    assert schema.examples
    assert all(rule.get("description") for rule in schema.tree["properties"].values())


def test_what_the_catalogue_knows_is_checked_and_the_rest_is_let_through() -> None:
    checker = Checker(None)
    assert checker.check(track()) == []
    assert checker.check(track("Something Else", properties={"amount": "x"})) == []
    wrong = checker.check(track(properties={"amount": "x"}))
    assert {one.reason for one in wrong} == {Reason.SCHEMA}
    assert sorted(one.place for one in wrong) == ["properties", "properties.amount"]


def test_a_null_property_is_an_absent_one() -> None:
    checker = Checker(None)
    assert checker.check(track(properties={"amount": 5, "currency": "UZS", "mcc": None})) == []
    assert checker.check(track(properties={"amount": None, "currency": "UZS"}))


def test_traits_of_an_identify_call_are_checked() -> None:
    checker = Checker(None)
    assert checker.check(track("", type=EventType.IDENTIFY, properties={}, traits={"email": 5}))
    assert not checker.check(track("", type=EventType.IDENTIFY, properties={}, traits={"email": "a@b.uz"}))


def test_a_plan_says_what_a_source_may_send(tmp_path: Path) -> None:
    plan = {
        "unplanned": "quarantine",
        "events": {"Card Authorised": 1, "Free": "none", "Card Declined": "newest"},
    }
    write(tmp_path, "plans/web.yaml", yaml.safe_dump(plan))
    checker = Checker(tmp_path)
    assert [one.reason for one in checker.check(track("App Opened"))] == [Reason.UNPLANNED]
    assert checker.check(track("Free", properties={"amount": "x"})) == []
    assert checker.check(track(properties={})) != []
    assert checker.check(track("App Opened", source="app", properties={})) == []


def test_a_plan_may_let_the_unplanned_through(tmp_path: Path) -> None:
    write(tmp_path, "plans/web.yaml", "events: [Card Authorised]")
    assert Checker(tmp_path).check(track("App Opened", properties={})) == []
    assert Unplanned.ALLOW == "allow"


def test_own_schemas_stand_beside_the_shipped_and_newer_ones_count(tmp_path: Path) -> None:
    tree = {
        "title": "Card Authorised",
        "required": ["terminal"],
        "properties": {"terminal": {"type": "string"}},
    }
    write(tmp_path, "schemas/card_authorised/2.json", tree)
    write(tmp_path, "schemas/own/1.json", {"title": "Own", "type": "object", "required": ["x"]})
    checker = Checker(tmp_path)
    assert checker.check(track())
    assert checker.check(track("Own", properties={}))
    write(tmp_path, "plans/web.yaml", "events: {Card Authorised: 1}")
    assert Checker(tmp_path).check(track()) == []


def test_a_changed_file_counts_within_seconds_and_a_wrong_one_changes_nothing(tmp_path: Path) -> None:
    clock = [0.0]
    checker = Checker(tmp_path, lambda: clock[0])
    path = write(tmp_path, "schemas/own/1.json", {"title": "Own", "required": ["x"]})
    assert checker.check(track("Own", properties={})) == []
    clock[0] += 5
    assert checker.check(track("Own", properties={})) != []
    path.write_text("{", encoding="utf-8")
    clock[0] += 5
    assert checker.check(track("Own", properties={})) != []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("schemas/x/one.json", {"title": "X"}, "not a version"),
        ("schemas/x/1.json", "{", "no JSON"),
        ("schemas/x/1.json", [], "no schema"),
        ("schemas/x/1.json", {}, "title"),
        ("schemas/x/1.json", {"title": "X", "type": 3}, "no JSON Schema"),
        ("schemas/x/1.json", {"title": "X", "$ref": "https://example.com/x.json"}, "no JSON Schema"),
        ("schemas/x/1.json", {"title": "X", "x-type": "sing"}, "sing"),
        ("schemas/x/1.json", {"title": "X", "type": "object", "examples": [5]}, "examples"),
        ("plans/web.yaml", "[", "not valid YAML"),
        ("plans/web.yaml", "5", "a plan has"),
        ("plans/web.yaml", "allow: true", "allow"),
        ("plans/web.yaml", "unplanned: drop", "drop"),
        ("plans/web.yaml", "events: 5", "list of names"),
        ("plans/web.yaml", "events: {Unheard: 1}", "no schema"),
        ("plans/web.yaml", "events: {Card Authorised: 9}", "9"),
    ],
)
def test_a_wrong_schema_or_plan_is_told_with_its_file(
    tmp_path: Path, name: str, content: Any, said: str
) -> None:
    write(tmp_path, name, content)
    with pytest.raises((InvalidInput, NotFound), match=said) as refused:
        Checker(tmp_path)
    assert Path(name).name in str(refused.value)


def changed(**edits: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    old = {
        "type": "object",
        "properties": {"amount": {"type": "number", "minimum": 0}, "note": {"type": "string"}},
        "required": ["amount"],
    }
    return old, copy.deepcopy(old) | edits


@pytest.mark.parametrize(
    ("edits", "effect", "said"),
    [
        ({"required": ["amount", "note"]}, Effect.BREAKING, "must be there"),
        ({"required": []}, Effect.COMPATIBLE, "left out"),
        (
            {"properties": {"amount": {"type": "integer"}, "note": {"type": "string"}}},
            Effect.BREAKING,
            "less",
        ),
        (
            {"properties": {"amount": {"type": "number"}, "note": {"type": "string"}}},
            Effect.COMPATIBLE,
            "more",
        ),
        (
            {"properties": {"amount": {"type": "number", "minimum": 0}}},
            Effect.COMPATIBLE,
            "no longer checked",
        ),
        (
            {"properties": {"amount": {"type": "number", "minimum": 0}}, "additionalProperties": False},
            Effect.BREAKING,
            "removed",
        ),
    ],
)
def test_a_change_is_told_for_what_it_does_to_senders(edits: Any, effect: Effect, said: str) -> None:
    found = changes(*changed(**edits))
    assert found[0].effect is effect
    assert any(said in change.detail for change in found)


def test_words_and_equal_rules_written_otherwise_are_no_change() -> None:
    old = {"type": "object", "description": "a", "properties": {"x": {"enum": [1]}}}
    new = {"type": "object", "description": "b", "properties": {"x": {"const": 1}}}
    assert changes(old, new) == []


RULES = st.sampled_from(
    [
        {},
        {"type": "number"},
        {"type": "integer"},
        {"type": "number", "minimum": 0},
        {"type": "number", "maximum": 3},
        {"type": "string"},
        {"type": ["string", "integer"]},
        {"type": "string", "minLength": 2},
        {"enum": ["a", "b"]},
        {"enum": ["a"]},
        {"type": "boolean"},
        {"type": "array", "items": {"type": "integer"}},
        {"type": "object"},
        {"type": "object", "properties": {"i": {"type": "integer"}}, "required": ["i"]},
    ]
)
SCHEMAS = st.builds(
    lambda properties, required, closed: (
        {
            "type": "object",
            "properties": properties,
            "required": [name for name in required if name in properties],
        }
        | ({"additionalProperties": False} if closed else {})
    ),
    st.dictionaries(st.sampled_from("abc"), RULES),
    st.sets(st.sampled_from("abc")).map(sorted),
    st.booleans(),
)
VALUES = st.sampled_from(
    [0, 1, -1, 2.5, 7, "", "a", "b", "abc", True, [], [1], ["x"], {}, {"i": 1}, {"i": "x"}]
)


@settings(suppress_health_check=[HealthCheck.filter_too_much], max_examples=300)
@given(SCHEMAS, SCHEMAS, st.lists(st.dictionaries(st.sampled_from("abc"), VALUES), max_size=20))
def test_what_a_compatible_change_took_before_it_takes_after(
    old: dict[str, Any], new: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    if is_breaking(changes(old, new)):
        return
    known = set(old["properties"])
    for event in events:
        if set(event) <= known and jsonschema_rs.is_valid(old, event):
            assert jsonschema_rs.is_valid(new, event)


@given(SCHEMAS)
def test_a_schema_is_compatible_with_itself(schema: dict[str, Any]) -> None:
    assert changes(schema, copy.deepcopy(schema)) == []


def test_commands_list_show_check_and_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUZANI_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def suzani(*arguments: object, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["schema", *map(str, arguments)])
        assert result.exit_code == code, result.output
        return result.stdout

    assert json.loads(suzani("list", "--json"))["call_ended"]["channel"] == "call_centre"
    assert "Card Authorised" in suzani("list")
    assert "merchant" in suzani("show", "Card Authorised")
    assert json.loads(suzani("show", "card_authorised@1", "--json"))["title"] == "Card Authorised"
    suzani("show", "card_autorised", code=3)
    suzani("show", "card_authorised@9", code=3)
    tree = json.loads(suzani("show", "card_authorised", "--json"))
    tree["required"].append("mcc")
    tree["examples"] = []
    path = write(tmp_path, "draft/card_authorised/2.json", tree)
    assert "mcc" in suzani("check", path, code=4)
    told = json.loads(suzani("diff", "card_authorised", path, "--json", code=4))
    assert (told["verdict"], told["changes"][0]["place"]) == ("breaking", "mcc")
    assert json.loads(suzani("diff", path, "card_authorised@1", "--json"))["verdict"] == "compatible"
