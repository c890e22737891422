"""What is measured. Each function runs in a process of its own, so that its memory is its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from suzani.bench.metering import Meter, peak_mib
from suzani.bench.types import Sample
from suzani.demo.generator import generate
from suzani.identity import evaluate_tables, link, read_input, resolve, write_table
from suzani.infra.platform import Platform, running
from suzani.infra.settings import Settings
from suzani.kernel import ATTRIBUTES, Kind, now
from suzani.profiles import load_survivorship, rebuild_all
from suzani.profiles.jobs import rebuild_profiles
from suzani.sources import load, records_for_identity

_SEED = 20_260_901


def bank_in(folder: Path) -> Path:
    """Where a benchmark folder keeps the generated bank."""
    return folder / "bank"


def platform_in(folder: Path) -> Path:
    """Where a benchmark folder keeps the platform's data directory."""
    return folder / "platform"


def make_bank(folder: Path, records: int) -> None:
    """Generate the bank of that many records, unless it is there."""
    generate(bank_in(folder), records=records, seed=_SEED)


def _sample(records: int, phases: dict[str, float], facts: dict[str, float]) -> Sample:
    return Sample(records, phases, sum(phases.values()), peak_mib(), facts)


def measure_load(folder: Path, records: int) -> Sample:
    """Load the seven extracts into an empty platform, resolve them, and build the profiles."""
    return asyncio.run(_measure_load(folder, records))


async def _measure_load(folder: Path, records: int) -> Sample:
    meter = Meter()
    async with running(settings_of(folder)) as platform:
        facts = await _load_all(platform, folder, records, meter)
        with meter.phase("resolve"):
            run = await resolve(platform)
        with meter.phase("profiles"):
            async with platform.db.transaction() as tx:
                await rebuild_all(tx, load_survivorship(platform.data_dir), now())
    facts |= {"persons": float(run.persons), "candidates": float(run.candidates)}
    return _sample(records, meter.seconds, facts)


def settings_of(folder: Path) -> Settings:
    """The settings of a benchmark folder's platform."""
    return Settings.from_environment(platform_in(folder))


async def _load_all(platform: Platform, folder: Path, records: int, meter: Meter) -> dict[str, float]:
    generated = generate(bank_in(folder), records=records, seed=_SEED)
    rows = quarantined = 0
    with meter.phase("load"):
        for system, path in generated.extracts.items():
            report = await load(platform, system, [path])
            rows += report.rows_in
            quarantined += report.rows_quarantined
    loaded = {"rows_in": float(rows), "rows_quarantined": float(quarantined)}
    return loaded | {"load_rows_per_second": round(rows / meter.seconds["load"], 1)}


def export_records(folder: Path, records: int) -> None:
    """Write the bank's records as one Parquet file, as `suzani link` would be given them."""
    asyncio.run(_export(folder, records))


async def _export(folder: Path, records: int) -> None:
    async with running(settings_of(folder)) as platform:
        await _load_all(platform, folder, records, Meter())
        async with platform.db.transaction() as tx:
            table = await records_for_identity(tx)
    key = pc.binary_join_element_wise(table.column("system"), table.column("key"), "/")
    columns = {"id": key, **{name: table.column(name) for name in ATTRIBUTES}}
    pq.write_table(pa.table(columns), folder / "records.parquet")


def resolve_bank(folder: Path, records: int) -> None:
    """Resolve the loaded records, as `suzani resolve` does."""
    asyncio.run(_resolve_bank(folder))


async def _resolve_bank(folder: Path) -> None:
    async with running(settings_of(folder)) as platform:
        await resolve(platform)


def build_profiles(folder: Path, records: int) -> None:
    """Build the golden records of the resolved bank, as a worker does after a run."""
    asyncio.run(_build_profiles(folder))


async def _build_profiles(folder: Path) -> None:
    async with running(settings_of(folder)) as platform:
        await rebuild_profiles(platform)


def measure_link(folder: Path, records: int) -> Sample:
    """Link the exported records as `suzani link --fields` does, from the file to the file of persons."""
    meter = Meter()
    kinds: dict[str, Kind] = {name: attribute.kind for name, attribute in ATTRIBUTES.items()}
    with meter.phase("read"):
        data = read_input([folder / "records.parquet"], "id", [], kinds)
    with meter.phase("standardise"):
        linkage = link(data)
    with meter.phase("write"):
        write_table(linkage.persons, folder / "persons.parquet")
    phases = _opened(meter.seconds, "standardise", linkage.resolution.seconds)
    facts = _quality(folder, linkage.persons) | {"candidates": float(linkage.resolution.candidates)}
    recall = linkage.resolution.estimated_blocking_recall
    if recall is not None:
        facts["estimated_blocking_recall"] = round(recall, 5)
    return _sample(records, phases, facts)


def _opened(phases: dict[str, float], whole: str, parts: dict[str, float]) -> dict[str, float]:
    """Phases in order, one of them replaced by what is left of it and its parts."""
    opened: dict[str, float] = {}
    for name, seconds in phases.items():
        opened |= {name: seconds - sum(parts.values()), **parts} if name == whole else {name: seconds}
    return opened


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
