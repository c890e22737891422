from __future__ import annotations

import pytest

from suzani.identity.reasons.clashes import clashes_between
from suzani.identity.reasons.explaining import Record, RecordName

PINFL, OTHER_PINFL, SLIPPED = "31207951259224", "42508860260014", "31207951259225"


def record(record_id: int, **ids: str) -> Record:
    return Record(RecordName(record_id, "cards", str(record_id)), record_id, ids)


@pytest.mark.parametrize(
    ("mine", "theirs", "clash"),
    [
        ({"national_id": PINFL}, {"national_id": OTHER_PINFL}, True),
        ({"tax_id": PINFL}, {"tax_id": OTHER_PINFL, "national_id": PINFL}, True),
        ({"national_id": PINFL}, {"national_id": PINFL}, False),
        ({"national_id": PINFL}, {"national_id": " 3120-7951-2592-24 "}, False),
        ({"national_id": PINFL}, {"national_id": SLIPPED}, False),
        ({"national_id": PINFL}, {"national_id": "99999999999999"}, False),
        ({"national_id": PINFL}, {"tax_id": PINFL}, False),
        ({"national_id": PINFL}, {}, False),
    ],
)
def test_only_two_different_valid_ids_clash(
    mine: dict[str, str], theirs: dict[str, str], clash: bool
) -> None:
    records = {7: record(7, **mine), 3: record(3, **theirs)}
    assert clashes_between([7], [3], records) == (frozenset({(3, 7)}) if clash else frozenset())
