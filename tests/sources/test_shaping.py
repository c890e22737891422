from __future__ import annotations

from pathlib import Path

import pytest

from suzani.sources.mapping_file import parse_mapping
from suzani.sources.readers import open_file
from suzani.sources.shaping import shape
from suzani.sources.types import ShapedBatch

TOP = "system: a\nformat: csv\nkey: [A, B]\n"


def shaped(tmp_path: Path, mapping: str, *lines: str) -> ShapedBatch:
    """The first batch of a file with the columns A to F."""
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["A,B,C,D,E,F", *lines]) + "\n", encoding="utf-8")
    parsed = parse_mapping(TOP + mapping, "a.yaml")
    with open_file(path, parsed.format, parsed.columns()) as source:
        return shape(next(source.batches), parsed)


def test_several_columns_are_joined_without_gaps(tmp_path: Path) -> None:
    mapping = "attributes:\n  address: {columns: [C, D], join: ', '}\n  country: {value: UZ}\nextra: [E, F]\n"
    batch = shaped(tmp_path, mapping, "1,2,Навои,5,x,y", '1,3,,5,"q""q",', "1,4,,,,")
    assert batch.records.column("key").to_pylist() == ["1/2", "1/3", "1/4"]
    assert batch.records.column("address").to_pylist() == ["Навои, 5", "5", None]
    assert batch.records.column("country").to_pylist() == ["UZ"] * 3
    assert batch.records.column("extra").to_pylist() == ['{"E": "x", "F": "y"}', '{"E": "q\\"q"}', "{}"]


def test_a_key_with_an_empty_part_is_missing(tmp_path: Path) -> None:
    batch = shaped(tmp_path, "attributes: {full_name: C}", "1,,x,,,", "1,2,x,,,")
    assert batch.records.num_rows == 1
    assert [str(reject.reason) for reject in batch.rejects] == ["missing_key"]


def test_two_groups_give_two_products_but_never_one_number_twice(tmp_path: Path) -> None:
    mapping = (
        "attributes: {full_name: F}\nproducts:\n- {kind: card, number: C}\n- {kind: {column: E}, number: D}\n"
    )
    batch = shaped(tmp_path, mapping, "1,1,n1,n2,loan,x", "1,2,n3,,loan,x", "1,3,n4,n4,loan,x", "1,4,,,,x")
    products = batch.products.select(["row_no", "number", "kind"]).to_pylist()
    assert [tuple(product.values()) for product in products] == [
        (2, "n1", "card"),
        (3, "n3", "card"),
        (2, "n2", "loan"),
    ]
    assert batch.rejects[0].field == "D"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("full_name: C", "full_name: C", True),
        ("full_name: C", "phone: C", False),
        ("phone: C\n  phone_2: D", "phone: D\n  phone_2: C", False),
    ],
)
def test_a_digest_is_of_values_and_what_they_mean(one: str, other: str, same: bool, tmp_path: Path) -> None:
    digests = [
        shaped(tmp_path, f"attributes:\n  {text}\n", f"{key},1,x,y,,").records.column("digest")[0].as_py()
        for key, text in enumerate((one, other))
    ]
    assert (digests[0] == digests[1]) is same
