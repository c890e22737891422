"""A delta settles into the persons that a full run finds; one record has the weights that it has in a run."""

from __future__ import annotations

from functools import cache
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from suzani.identity.indexing.index import Index, Region
from suzani.identity.learning.engine import Resolution, resolve_fields
from suzani.identity.learning.knowledge import Learned
from suzani.identity.pairs.packing import pack
from suzani.identity.pairs.partition import Constraints
from suzani.identity.standardising.fields import standardise, standardise_record
from suzani.kernel import InvalidInput
from tests.identity.people import KINDS, Person, table_of, town, typed

LEARNED_FROM, _ = town(120, seed=3)


@cache
def known() -> Learned:
    fields, norms = standardise(LEARNED_FROM, KINDS)
    return Learned(norms, resolve_fields(fields, LEARNED_FROM.num_rows).knowledge)


def full_run(table: pa.Table, record_id: np.ndarray, constraints: Constraints | None = None) -> Resolution:
    fields, _ = standardise(table, {}, known().norms)
    return resolve_fields(
        fields, table.num_rows, knowledge=known().knowledge, numbers=record_id.astype(np.uint64),
        constraints=constraints,
    )  # fmt: skip


def index_of(table: pa.Table, record_id: np.ndarray) -> Index:
    fields, _ = standardise(table, {}, known().norms)
    return Index(known(), pack(fields, table.num_rows, known().knowledge.words), record_id)


def groups(record_id: np.ndarray, cluster: np.ndarray) -> set[frozenset[int]]:
    found: dict[int, set[int]] = {}
    for record, name in zip(record_id.tolist(), cluster.tolist(), strict=True):
        found.setdefault(name, set()).add(record)
    return {frozenset(group) for group in found.values()}


def updated(persons: set[frozenset[int]], region: Region) -> set[frozenset[int]]:
    reached = set(region.record_id.tolist())
    assert all(group <= reached or not group & reached for group in persons), "a region holds whole persons"
    return {group for group in persons if not group & reached} | groups(region.record_id, region.cluster)


def rows_of(table: pa.Table) -> list[dict[str, str | None]]:
    return table.to_pylist()


@given(st.integers(0, 10_000), st.integers(0, 3))
@example(108, 2)  # A given name that was known as a family name alone.
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_delta_gives_the_same_persons_as_a_full_run(seed: int, copies: int) -> None:
    chance = Random(seed)
    table, _ = town(40, seed=seed, noise=0.25)
    rows = rows_of(table)
    rows += [dict(chance.choice(rows)) for _ in range(copies)]
    number = dict(enumerate(rows, 1))
    start = {record: number[record] for record in number if chance.random() < 0.7}
    index = index_of(pa.Table.from_pylist(list(start.values()), table.schema), np.array(list(start)))
    ids = np.array(list(start))
    persons = groups(ids, ids[full_run(pa.Table.from_pylist(list(start.values()), table.schema), ids).person])
    live = dict(start)
    for _ in range(4):
        added = {r: number[r] for r in number if r not in live and chance.random() < 0.3}
        changed = {
            r: typed(chance, Person(**chance.choice(PEOPLE)), 0.2) for r in live if chance.random() < 0.1
        }
        gone = [r for r in live if r not in changed and chance.random() < 0.1]
        near = {r for r in (*changed, *gone) for other in persons if r in other for r in other}
        # What records were near before they changed: a platform reads it from the edges it keeps.
        before = index.resolve([*changed, *gone], {})
        near |= set(before.record_id.tolist())
        for record in gone:
            index.remove(record)
            del live[record]
        for record, row in {**added, **changed}.items():
            index.put(record, standardise_record(row, known().norms))
            live[record] = row
        persons = {frozenset(group - set(gone)) for group in persons} - {frozenset()}
        region = index.resolve([*added, *changed, *(near - set(gone))], {})
        persons = updated(persons, region)
        ids = np.array(sorted(live))
        whole = full_run(pa.Table.from_pylist([live[r] for r in ids.tolist()], table.schema), ids)
        assert persons == groups(ids, ids[whole.person])


PEOPLE = [
    {
        "given_name": row["given_name"] or "Anvar", "family_name": row["family_name"] or "Karimov",
        "patronymic": row["patronymic"] or "Olimovich", "sex": row["sex"] or "M",
        "birth_date": "1980-01-02", "national_id": "", "phone": row["phone"] or "",
        "address": row["address"] or "", "city": row["city"] or "Toshkent",
    }
    for row in rows_of(LEARNED_FROM)[:20]
]  # fmt: skip


def test_every_pair_has_the_weight_that_a_run_gave_it() -> None:
    table, _ = town(60, seed=11)
    ids = np.arange(1, table.num_rows + 1)
    run = full_run(table, ids)
    index = index_of(table, ids)
    told = {
        (int(ids[a]), int(ids[b])): odds
        for a, b, odds in zip(run.edges.left, run.edges.right, run.edges.odds_bits.tolist(), strict=True)
    }
    met = 0
    for record in ids.tolist():
        edges = index.resolve([record], {}).edges
        for pair in zip(*(one.tolist() for one in (edges.left, edges.right, edges.odds_bits)), strict=True):
            assert told[pair[:2]] == pair[2]
            met += 1
    assert met >= len(told) > 20


def test_records_added_one_by_one_give_the_persons_of_a_run() -> None:
    table, _ = town(50, seed=5)
    ids = np.arange(1, table.num_rows + 1)
    index = index_of(table.slice(0, 0), ids[:0])
    persons: set[frozenset[int]] = set()
    for record, row in enumerate(rows_of(table), 1):
        index.put(record, standardise_record(row, known().norms))
        persons = updated(persons, index.resolve([record], {}))
    assert persons == groups(ids, ids[full_run(table, ids).person])


def test_warming_up_changes_nothing() -> None:
    table, _ = town(30, seed=9)
    ids = np.arange(1, table.num_rows + 1)
    warm, cold = index_of(table, ids), index_of(table, ids)
    warm.warm_up()
    assert warm.pool.mark() == cold.pool.mark()
    added = standardise_record(rows_of(table)[0], known().norms)
    for index in (warm, cold):
        index.put(1_000, added)
    assert warm.nodes_of(np.array([1_000])) == cold.nodes_of(np.array([1_000]))
    assert groups(*_named(warm.resolve([1_000], {}))) == groups(*_named(cold.resolve([1_000], {})))
    index_of(table.slice(0, 0), ids[:0]).warm_up()


def _named(region: Region) -> tuple[np.ndarray, np.ndarray]:
    return region.record_id, region.cluster


def test_constraints_hold_among_the_reached() -> None:
    people = [Person(**person) for person in PEOPLE[:2]]
    table = table_of(people[0], people[0], people[1])
    ids = np.array([1, 2, 3])
    index = index_of(table, ids)
    for record in (1, 2, 3):
        index.part(record)
    region = index.resolve([1], {1: [3], 3: [1]}, must=[(1, 3)], cannot=[(1, 2)])
    assert groups(region.record_id, region.cluster) == {frozenset({1, 3}), frozenset({2})}
    rows = (np.array([0]), np.array([2])), (np.array([0]), np.array([1]))
    whole = full_run(table, ids, Constraints(*rows))
    assert groups(ids, ids[whole.person]) == groups(region.record_id, region.cluster)


def test_what_was_learned_can_be_kept() -> None:
    again = Learned.from_bytes(known().to_bytes())
    table, _ = town(40, seed=9)
    fields, _ = standardise(table, {}, again.norms)
    first = resolve_fields(fields, table.num_rows, knowledge=known().knowledge)
    second = resolve_fields(fields, table.num_rows, knowledge=again.knowledge)
    assert np.array_equal(first.person, second.person)
    assert np.array_equal(first.edges.odds_bits, second.edges.odds_bits)


@pytest.mark.parametrize("data", [b"", b"nonsense", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_what_was_not_learned_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="knowledge"):
        Learned.from_bytes(data)
