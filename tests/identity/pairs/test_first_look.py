"""Cards have room for whatever a first look reads."""

from __future__ import annotations

import numpy as np
import pytest

from suzani.identity.learning.sampling import Sample
from suzani.identity.learning.training import train_on
from suzani.identity.pairs.first_look import cards_of, look_of
from suzani.identity.pairs.nodes import find_nodes
from suzani.identity.pairs.packing import pack
from suzani.identity.pairs.scoring import weights_of
from suzani.identity.standardising.fields import Field
from suzani.kernel import Kind
from tests.identity.packs import NOTHING

EMAILS = [f"{name}@example.org" for name in ("ann", "anna", "bob", "rob")]
DATES = ["19800101", "19810203", "19900405", "19910607"]


def field(kind: Kind, values: list[str], alternatives: int) -> Field:
    codes = [[(row + i) % len(values) for i in range(alternatives)] for row in range(8)]
    return Field(kind.value, kind, values, np.array(codes, dtype=np.int32))


@pytest.mark.parametrize("alternatives", [1, 2, 3])
@pytest.mark.parametrize("dated", [False, True])
def test_a_card_has_room_for_fields_without_marks(alternatives: int, dated: bool) -> None:
    dates = [field(Kind.BIRTH_DATE, DATES, 1)] if dated else []
    records = pack([*dates, field(Kind.EMAIL, EMAILS, alternatives)], 8)
    nodes = find_nodes(records, NOTHING, np.arange(8, dtype=np.uint64))
    weights = weights_of(train_on(records, nodes, Sample.every_pair(records)), records)
    look = look_of(records, weights, 0.0)
    marks = cards_of(records, look, np.ones(8, dtype=bool)).marks
    assert marks.shape[0] == 8
    assert (look.mark + look.more < marks.shape[1]).all()
