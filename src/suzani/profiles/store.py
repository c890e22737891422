"""The only SQL of golden records and search."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import pyarrow as pa

from suzani.infra.db import Tx, copy_in, copy_out, execute, fetch, fetch_one, load_queries
from suzani.profiles.golden import PRODUCT_SCHEMA, RECORD_SCHEMA

queries = load_queries("suzani.profiles")

CURRENT = "profiles.profile"
NEXT = "profiles.profile_next"
_PAST_THE_LAST = 2**63 - 1


async def begin_rebuild(tx: Tx) -> None:
    """One rebuild at a time, which sees one moment of the database; must be the first statements of `tx`.

    The lock comes before the first snapshot, so that a rebuild that had to wait sees what the one before it
    saw committed. Readers are not held up.
    """
    await execute(tx, queries.begin_rebuild)
    await execute(tx, queries.lock_profiles)


async def batches(tx: Tx, size: int) -> list[tuple[int, int]]:
    """Ranges [first, after) of person ids that cover every person, with about `size` persons in each."""
    rows = await fetch(tx, queries.batch_starts, batch=size)
    starts = [row["person_id"] for row in rows]
    return list(pairwise([*starts, _PAST_THE_LAST])) if starts else []


async def batch_between(tx: Tx, first: int, after: int, today: date) -> tuple[pa.Table, pa.Table]:
    """Records and products of the persons with first <= id < after."""
    records = await copy_out(tx, queries.records_between, RECORD_SCHEMA, first=first, after=after)
    products = await copy_out(
        tx, queries.products_between, PRODUCT_SCHEMA, first=first, after=after, today=today
    )
    return records, products


async def batch_of(tx: Tx, persons: Sequence[int], today: date) -> tuple[pa.Table, pa.Table]:
    """Records and products of these persons."""
    ids = list(persons)
    records = await copy_out(tx, queries.records_of, RECORD_SCHEMA, persons=ids)
    return records, await copy_out(tx, queries.products_of, PRODUCT_SCHEMA, persons=ids, today=today)


async def create_next(tx: Tx) -> None:
    """An empty table beside the profiles, without indexes."""
    await execute(tx, queries.create_next)
    await execute(tx, queries.analyse_next)


async def append(tx: Tx, target: str, profiles: pa.Table) -> int:
    """Add profile rows to CURRENT or NEXT."""
    return await copy_in(tx, target, profiles)


async def swap(tx: Tx) -> None:
    """Index the table beside the profiles and put it in their place; readers see it when `tx` commits."""
    for query in (
        queries.index_memory,
        queries.index_next_key,
        queries.index_next_search,
        queries.drop_current,
        queries.rename_next,
        queries.rename_next_key,
        queries.rename_next_search,
        queries.analyze_profiles,
    ):
        await execute(tx, query)


async def delete(tx: Tx, persons: Sequence[int]) -> int:
    """Remove the profiles of these persons."""
    return await execute(tx, queries.delete_profiles, persons=list(persons))


async def profile(tx: Tx, person_id: int) -> dict[str, Any] | None:
    """The stored profile of a person, None when there is none."""
    return await fetch_one(tx, queries.profile, person_id=person_id)


async def facts(tx: Tx, persons: Collection[int]) -> list[dict[str, Any]]:
    """The golden values of these persons, without provenance."""
    return await fetch(tx, queries.facts, persons=list(persons))


async def products_of_persons(tx: Tx, persons: Collection[int]) -> list[dict[str, Any]]:
    """Every product of these persons."""
    return await fetch(tx, queries.products_of_persons, persons=list(persons))


async def survivor(tx: Tx, person_id: int) -> int | None:
    """Who a person is today: the same id, or the person they were merged into; None for an unknown id."""
    row = await fetch_one(tx, queries.survivor, person_id=person_id)
    return row["person_id"] if row else None


async def customer_rows(tx: Tx, person_id: int) -> dict[str, list[dict[str, Any]]]:
    """Everything beside the profile that a customer page shows, by the name of its query."""
    one = {"person_id": person_id}
    return {
        "person": await fetch(tx, queries.person, **one),
        "merged": await fetch(tx, queries.merged_persons, **one),
        "records": await fetch(tx, queries.source_records, persons=[person_id]),
        "products": await fetch(tx, queries.products_held, **one),
        "edges": await fetch(tx, queries.edges_within, **one),
        "changes": await fetch(tx, queries.record_changes, **one),
    }


async def search(tx: Tx, wanted: str, limit: int) -> list[dict[str, Any]]:
    """At most `limit` profiles, in no order, whose terms satisfy a `tsquery`."""
    return await fetch(tx, queries.search, wanted=wanted, limit=limit)


async def holders(tx: Tx, terms: Sequence[str]) -> list[dict[str, Any]]:
    """Records of persons with one of these terms: term, person_id, record_id, phone, phone_2, email."""
    return await fetch(tx, queries.holders, terms=list(terms))


async def searched_values(tx: Tx, persons: Iterable[int]) -> list[dict[str, Any]]:
    """The searched attributes of every record and product of these persons."""
    return await fetch(tx, queries.searched_values, persons=list(persons))
