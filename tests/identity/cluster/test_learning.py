from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from suzani.identity.cluster.learning import replanned
from suzani.identity.learning.engine import resolve_fields
from suzani.identity.learning.knowledge import Knowledge
from suzani.identity.pairs.blocking import Plan
from suzani.identity.standardising.fields import standardise
from tests.identity.people import KINDS, town


def blocks(*found: tuple[int, int, int]) -> pa.Table:
    rules, hashes, sizes = zip(*found, strict=True)
    return pa.table({"rule": pa.array(rules, pa.int16()), "hash": hashes, "size": sizes})


def knowledge(*rules: tuple[str, ...]) -> Knowledge:
    table, _ = town(60, seed=2)
    learned = resolve_fields(standardise(table, KINDS)[0], table.num_rows).knowledge
    return replace(learned, plan=Plan(rules, tuple(np.empty(0, np.uint64) for _ in rules)))


def test_blocks_too_large_among_all_are_refined_until_none_is() -> None:
    seen = []

    def count(known: Knowledge) -> pa.Table:
        assert known.plan is not None
        seen.append([held.tolist() for held in known.plan.oversized])
        large = {0: (1, 7, 500), 1: (1, 9, 61)}
        return blocks((0, 5, 60), large.get(len(seen) - 1, (1, 11, 60)))

    plan = replanned(knowledge(("phone",), ("date",)), 1000, count).plan
    assert seen == [[[], []], [[], [7]], [[], [7, 9]]]
    assert plan is not None
    assert [held.tolist() for held in plan.oversized] == [[], [7, 9]]


def test_rules_that_the_budget_does_not_allow_are_left_out_the_widest_first() -> None:
    rules = [("date",), ("phone",), ("sex",), ("address",), ("city",)]
    many = [(rule, block, 60) for rule, count in enumerate((3, 1, 500, 2, 4)) for block in range(count)]
    plan = replanned(knowledge(*rules), 1000, lambda known: blocks(*many)).plan
    assert plan is not None
    assert plan.rules == (("date",), ("phone",), ("address",), ("city",))
