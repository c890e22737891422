"""A small demo bank, loaded and resolved, for tests of single records."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from suzani import sources
from suzani.bench.queries import noised
from suzani.demo.generator import generate
from suzani.identity import Asked, Resolved, Resolver, resolve
from suzani.identity.indexing.mirror import Mirror
from suzani.infra.db import Database, Query, fetch
from suzani.infra.platform import Platform
from suzani.infra.settings import Settings
from suzani.kernel import ATTRIBUTES
from suzani.sources import load

Row = dict[str, Any]
SYSTEM = "cards"
STRANGER = {
    "given_name": "Хуршида", "family_name": "Вокзалова", "birth_date": "1961-11-29", "sex": "female",
    "phone": "+998 71 299 99 01", "address": "ул. Нигде, 77", "email": "nobody@nowhere.example",
}  # fmt: skip


def resolved_bank(url: str, folder: Path, records: int, seed: int) -> None:
    """Fill an empty database with a demo bank, loaded and resolved; its extracts go to the folder."""
    asyncio.run(_fill(url, folder, records, seed))


async def _fill(url: str, folder: Path, records: int, seed: int) -> None:
    db = await Database.connect(url, pool_size=4)
    try:
        platform = Platform(Settings(folder, database_url=url), db)
        for system, path in generate(folder / "bank", records=records, seed=seed).extracts.items():
            await load(platform, system, [path])
        await resolve(platform)
    finally:
        await db.close()


async def rows(platform: Platform, text: str, **params: Any) -> list[Row]:
    async with platform.db.transaction() as tx:
        return await fetch(tx, Query(text), **params)


async def live(platform: Platform) -> list[Row]:
    """Every live record as identity reads it, with its person."""
    async with platform.db.transaction() as tx:
        records: list[Row] = (await sources.records_for_identity(tx)).to_pylist()
    persons = {
        row["record_id"]: row["person_id"]
        for row in await rows(platform, "select * from identity.membership")
    }
    return [{**record, "person_id": persons[record["record_id"]]} for record in records]


def said(record: Row) -> dict[str, str]:
    """The attributes that a record has."""
    return {name: record[name] for name in ATTRIBUTES if record[name]}


def said_by(mirror: Mirror) -> dict[int, tuple[int, ...]]:
    """What a mirror takes each record to say, and its person."""
    record_id, packed = mirror.index.everyone()
    contents = zip(record_id.tolist(), packed.contents.tolist(), strict=True)
    return {record: (said, mirror.person_of.get(record, 0)) for record, said in contents}


def typed_again(record: Row, seed: int) -> dict[str, str]:
    """The record, typed by a hurried clerk."""
    return noised(said(record), np.random.default_rng(seed))


def looked_up(attributes: dict[str, str], limit: int = 5) -> Asked:
    return Asked(sources.attributes_of(sources.Reader().values(attributes)), limit)


@cache
def _readers(data_dir: Path) -> sources.Readers:
    return sources.Readers(data_dir)


def to_store(platform: Platform, key: str, attributes: dict[str, str], system: str = SYSTEM) -> Asked:
    typed = _readers(platform.data_dir).of(system).record(key, attributes)
    return replace(looked_up(attributes), store=typed)


async def one(resolver: Resolver, asked: Asked) -> Resolved:
    """The answer to one question."""
    [found] = await resolver.resolve([asked])
    assert isinstance(found, Resolved), found
    return found
