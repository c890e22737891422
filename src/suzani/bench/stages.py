"""What is measured. Each function runs in a process of its own, so that its memory is its own."""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from suzani.bench.types import Sample
from suzani.demo.generator import generate
from suzani.identity import evaluate_tables, link, read_input, resolve, write_table
from suzani.infra.platform import Platform, running
from suzani.infra.settings import Settings
from suzani.kernel import ATTRIBUTES, Kind, now
from suzani.profiles import load_survivorship, rebuild_all
from suzani.sources import load, records_for_identity

_SEED = 20_260_901


def bank_in(folder: Path) -> Path:
    """Where a benchmark folder keeps the generated bank."""
    return folder / "bank"


def make_bank(folder: Path, records: int) -> None:
    """Generate the bank of that many records, unless it is there."""
    generate(bank_in(folder), records=records, seed=_SEED)


class _Watch:
    def __init__(self) -> None:
        self.phases: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.phases[name] = self.phases.get(name, 0.0) + time.perf_counter() - started


def _sample(records: int, phases: dict[str, float], facts: dict[str, float]) -> Sample:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_mib = peak / 2**20 if sys.platform == "darwin" else peak / 2**10
    return Sample(records, phases, sum(phases.values()), peak_mib, facts)


def measure_load(folder: Path, records: int) -> Sample:
    """Load the seven extracts into an empty platform, resolve them, and build the profiles."""
    return asyncio.run(_measure_load(folder, records))


async def _measure_load(folder: Path, records: int) -> Sample:
    watch = _Watch()
    async with running(_settings(folder)) as platform:
        facts = await _load_all(platform, folder, records, watch)
        with watch.phase("resolve"):
            run = await resolve(platform)
        with watch.phase("profiles"):
            async with platform.db.transaction() as tx:
                await rebuild_all(tx, load_survivorship(platform.data_dir), now())
    facts |= {"persons": float(run.persons), "candidates": float(run.candidates)}
    return _sample(records, watch.phases, facts)


def _settings(folder: Path) -> Settings:
    return Settings.from_environment(folder / "platform")


async def _load_all(platform: Platform, folder: Path, records: int, watch: _Watch) -> dict[str, float]:
    generated = generate(bank_in(folder), records=records, seed=_SEED)
    rows = quarantined = 0
    with watch.phase("load"):
        for system, path in generated.extracts.items():
            report = await load(platform, system, [path])
            rows += report.rows_in
            quarantined += report.rows_quarantined
    loaded = {"rows_in": float(rows), "rows_quarantined": float(quarantined)}
    return loaded | {"load_rows_per_second": round(rows / watch.phases["load"], 1)}


def export_records(folder: Path, records: int) -> None:
    """Write the bank's records as one Parquet file, as `suzani link` would be given them."""
    asyncio.run(_export(folder, records))


async def _export(folder: Path, records: int) -> None:
    async with running(_settings(folder)) as platform:
        await _load_all(platform, folder, records, _Watch())
        async with platform.db.transaction() as tx:
            table = await records_for_identity(tx)
    key = pc.binary_join_element_wise(table.column("system"), table.column("key"), "/")
    columns = {"id": key, **{name: table.column(name) for name in ATTRIBUTES}}
    pq.write_table(pa.table(columns), folder / "records.parquet")


def measure_link(folder: Path, records: int) -> Sample:
    """Link the exported records as `suzani link --fields` does, from the file to the file of persons."""
    watch = _Watch()
    kinds: dict[str, Kind] = {name: attribute.kind for name, attribute in ATTRIBUTES.items()}
    with watch.phase("read"):
        data = read_input([folder / "records.parquet"], "id", [], kinds)
    started = time.perf_counter()
    linkage = link(data)
    phases = linkage.resolution.seconds
    watch.phases["standardise"] = time.perf_counter() - started - sum(phases.values())
    watch.phases.update(phases)
    with watch.phase("write"):
        write_table(linkage.persons, folder / "persons.parquet")
    facts = _quality(folder, linkage.persons) | {"candidates": float(linkage.resolution.candidates)}
    recall = linkage.resolution.estimated_blocking_recall
    if recall is not None:
        facts["estimated_blocking_recall"] = round(recall, 5)
    return _sample(records, watch.phases, facts)


def _quality(folder: Path, persons: pa.Table) -> dict[str, float]:
    truth = pq.read_table(bank_in(folder) / "truth.parquet")
    joined = pc.binary_join_element_wise(truth.column("system"), truth.column("key"), "/")
    truth = pa.table({"id": joined, "truth": truth.column("person_key")})
    found = evaluate_tables(persons.drop_columns(["source"]), truth, "id", "truth").evaluation
    return {
        "persons": float(found.found_persons),
        "true_persons": float(found.true_persons),
        "precision": round(found.pairwise.precision, 5),
        "recall": round(found.pairwise.recall, 5),
        "f1": round(found.pairwise.f1, 5),
        "over_merged": float(found.over_merged),
        "splits": float(found.splits),
    }
