from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suzani.kernel import InvalidInput, NotFound
from suzani.sources import Mapping, Mode, find_mapping, known_mappings, load_mapping
from suzani.sources.mapping import Field, refuse_missing
from suzani.sources.mapping_file import parse_mapping
from tests.sources.bank_extract import MAPPING

SHORT = "system: a\nkey: ID\nattributes: {full_name: NAME}\n"


def test_a_mapping_is_read_whole(mapping: Mapping) -> None:
    assert mapping.system == "bank"
    assert mapping.mode is Mode.SNAPSHOT
    assert mapping.key.columns == ("NO",)
    assert mapping.attributes["sex"].values == {"M": "male", "F": "female"}
    assert mapping.attributes["family_name"] == Field(columns=("LAST",), line=9)
    assert mapping.products[0]["kind"].constant == "card"
    assert mapping.products[0]["balance"].decimal == ","
    assert mapping.extra == ("BRANCH",)
    assert mapping.columns()[:3] == ("NO", "OLD_NO", "STATE")


def test_scalars_stay_as_written() -> None:
    text = SHORT + "extra: [yes, 007, 2024-01-01]\ndeleted: {column: NO, values: [no, 1.0]}\n"
    mapping = parse_mapping(text, "x")
    assert mapping.extra == ("yes", "007", "2024-01-01")
    assert mapping.deleted is not None
    assert mapping.deleted.values == {"no", "1.0"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected names with values, found nothing"),
        ("- a", "found a list"),
        ("system: a\nkey: ID\n", "`attributes` is missing"),
        ("system: a b\nkey: ID\nattributes: {full_name: N}", "is not a name"),
        (SHORT + "sytem: b", "line 4, sytem: unknown setting 'sytem'.*\n.*Did you mean 'system'"),
        (SHORT + "mode: full", "unknown mode 'full'.*\n.*delta, snapshot"),
        (SHORT + "format: {type: cvs}", "unknown format 'cvs'.*\n.*Did you mean 'csv'"),
        (SHORT + "format: {delimiter: ';;'}", "expected one character"),
        (SHORT + "format: {encoding: klingon}", "unknown encoding 'klingon'"),
        (SHORT + "format: {encoding: base64}", "unknown encoding 'base64'"),
        (SHORT + "format: {header: maybe}", "expected true or false"),
        (
            "system: a\nkey: ID\nattributes:\n  famly_name: N",
            "line 4, attributes.famly_name: unknown attribute",
        ),
        ("system: a\nkey: ID\nattributes:\n  sex: {columm: N}", "line 4, .*unknown setting 'columm'"),
        ("system: a\nkey: ID\nattributes:\n  sex: {values: {M: male}}", "exactly one of"),
        ("system: a\nkey: ID\nattributes:\n  birth_date: {column: N, format: dd.mm.yyyy}", "no date format"),
        ("system: a\nkey: ID\nattributes:\n  birth_date: {column: N, format: '%d.%Q'}", "no date format"),
        (SHORT + "as_of: {column: U, timezone: Mars/Base}", "unknown time zone 'Mars/Base'"),
        (SHORT + "products: [{kind: card}]", "`number` is missing"),
        (
            SHORT + "products: [{number: N, balance: {column: B, decimal: ','  , thousands: ','}}]",
            "go together",
        ),
        (SHORT + "key: B", "line 4: key is given twice"),
        (SHORT + "extra: [A, A]", "a column is named twice"),
        ("system: [", "line 1: not valid YAML"),
        ("a: &a [*a]\n", "unknown setting"),
    ],
)
def test_a_wrong_mapping_says_where_and_what_is_known(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_mapping(text, "m.yaml")
    assert str(caught.value).startswith("m.yaml")
    assert re.search(message, str(caught.value))


def test_missing_columns_are_named_with_their_place(mapping: Mapping) -> None:
    there = [column for column in mapping.columns() if column not in ("LAST", "CARD")]
    with pytest.raises(InvalidInput, match=r"attributes\.family_name \(line 9\) names 'LAST'; products\[0\]"):
        refuse_missing(mapping, there, "x.csv")
    optional = parse_mapping(
        MAPPING.replace("family_name: LAST", "family_name: {column: LAST, optional: true}"), "m"
    )
    refuse_missing(optional, [*there, "CARD"], "x.csv")


def test_own_mappings_win_and_must_be_named_after_their_system(tmp_path: Path) -> None:
    folder = tmp_path / "mappings"
    folder.mkdir()
    (folder / "a.yaml").write_text(SHORT, encoding="utf-8")
    (folder / "b.yaml").write_text(SHORT, encoding="utf-8")
    assert find_mapping("a", tmp_path).origin == str(folder / "a.yaml")
    with pytest.raises(InvalidInput, match="says `system: a`"):
        find_mapping("b", tmp_path)
    with pytest.raises(NotFound, match="unknown system 'c'"):
        find_mapping("c", tmp_path)


def test_every_shipped_mapping_is_sound() -> None:
    for system in known_mappings(None):
        assert find_mapping(system, None).system == system


def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    with pytest.raises(InvalidInput, match="cannot read the mapping"):
        load_mapping(path)
    path.write_bytes(b"system: \xff")
    with pytest.raises(InvalidInput, match="not UTF-8"):
        load_mapping(path)


KEYS = st.sampled_from(
    [*"abc", "system", "key", "attributes", "sex", "products", "number", "column", "values", "format"]
)
TREES = st.recursive(
    st.one_of(st.none(), st.text("abc ;%d:", max_size=4), st.integers(0, 9).map(str)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.one_of(TREES.map(lambda tree: __import__("json").dumps(tree)), st.text(max_size=60)))
def test_any_text_is_a_mapping_or_refused(text: str) -> None:
    try:
        mapping = parse_mapping(text, "m")
    except InvalidInput:
        return
    assert mapping.key.columns
