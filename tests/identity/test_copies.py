from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from suzani.identity.copies import MANY, find_copies
from suzani.identity.engine import resolve_fields
from suzani.identity.fields import build_fields
from suzani.kernel import Kind

KINDS = {"given": Kind.GIVEN_NAME, "family": Kind.FAMILY_NAME, "born": Kind.BIRTH_DATE}
COPY = {"given": "Aziz", "family": "Karimov", "born": "1980-02-03"}


def _table(rows: list[dict[str, str]]) -> pa.Table:
    return pa.table({name: [row[name] for row in rows] for name in COPY})


def test_few_copies_are_matched_like_any_records() -> None:
    fields = build_fields(_table([COPY] * (MANY - 1)), KINDS)
    assert len(find_copies(fields, MANY - 1).copies) == 0


def test_one_record_stands_for_many_copies() -> None:
    rows = [COPY] * MANY + [{**COPY, "given": "Bobur"}]
    found = find_copies(build_fields(_table(rows), KINDS), len(rows))
    assert found.originals.tolist() == [0, MANY]
    assert found.copies.tolist() == list(range(1, MANY))
    assert found.counted.tolist() == [MANY - 1, 0]


@pytest.mark.parametrize("count", [1, 2, 19, 20, 3_000])
def test_records_that_are_all_equal_are_one_person(count: int) -> None:
    fields = build_fields(_table([COPY] * count), KINDS)
    assert resolve_fields(fields, count).persons == 1


def test_copies_of_a_record_stay_with_its_person_among_others() -> None:
    others = [
        {
            "given": f"Name{'abcdefghij'[n % 10]}{n}",
            "family": f"Family{n * 7}",
            "born": f"19{n % 90 + 10}-03-0{n % 9 + 1}",
        }
        for n in range(300)
    ]
    rows = others[:150] + [COPY] * 500 + others[150:] + [{**COPY, "born": "1980-03-02"}]
    person = resolve_fields(build_fields(_table(rows), KINDS), len(rows)).person
    assert len(set(person[150:650].tolist())) == 1
    assert np.isin(person[:150], person[150:650]).sum() == 0


def test_edges_tell_why_a_copy_belongs() -> None:
    fields = build_fields(_table([COPY] * 50), KINDS)
    edges = resolve_fields(fields, 50).edges
    assert len(edges.left) == 49
    assert (edges.left < edges.right).all()
    assert (edges.weight_bits > 0).all()
