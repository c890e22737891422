"""One record against the whole bank in one process: how soon it can be asked, how long an answer takes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import perf_counter

import psutil

from suzani import sources
from suzani.bench import stages
from suzani.bench.one_record import measure_each
from suzani.bench.queries import drawn
from suzani.identity.indexing.mirror import Mirror
from suzani.infra.platform import running

_QUERIES = 5_000
_SEED = 17


def measure_in_process(folder: Path, records: int) -> dict[str, float]:
    """Open the records of the resolved bank and look up records as typed, one after the other.

    `in_process_ready_seconds` runs from the start of opening to the first answer; times per look-up are in
    microseconds, from the attributes as text to ranked persons with reasons.
    """
    return asyncio.run(_measure(folder))


async def _measure(folder: Path) -> dict[str, float]:
    reader = sources.Reader()
    asked = [
        sources.attributes_of(reader.values(query.attributes))
        for query in drawn(folder / "records.parquet", _QUERIES, _SEED)
    ]
    async with running(stages.settings_of(folder)) as platform:
        started = perf_counter()
        mirror = await Mirror.opened(platform)
        mirror.nearest(asked[0])
        ready = perf_counter() - started
        found = measure_each(lambda attributes: mirror.nearest(attributes, 5), asked)
        memory = psutil.Process().memory_info().rss
    return {
        "in_process_ready_seconds": round(ready, 2),
        "in_process_p50_us": round(found.p50_us, 1),
        "in_process_p99_us": round(found.p99_us, 1),
        "in_process_mib": round(memory / 2**20, 1),
    }
