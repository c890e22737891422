"""The demo from nothing to profiles: generate, load, resolve, build, and compare with the truth."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from suzani import stitching
from suzani.demo.generator import generate
from suzani.demo.living import live
from suzani.demo.types import Generated
from suzani.identity import Evaluation, evaluate_tables, resolve
from suzani.infra.db import Query, copy_out, load_queries
from suzani.infra.platform import Platform
from suzani.kernel import Conflict, now
from suzani.profiles import Audit, audit, load_survivorship, rebuild_all
from suzani.sources import LoadProgress, load

Progress = Callable[[str, float | None], None]
"""Called with what is being done and, where it can be told, its share that is done (0 to 1)."""

_BANK = "bank"
_DONE = "demo.json"
_queries = load_queries("suzani.demo")
_FOUND = pa.schema([("source", pa.string()), ("record_id", pa.string()), ("person_id", pa.string())])


@dataclass(frozen=True)
class DemoReport:
    """The demo's result: the audit, its quality against the truth, and how long this call took."""

    generated: Generated
    audit: Audit
    quality: Evaluation
    seconds: float
    reused: bool

    def as_dict(self) -> dict[str, object]:
        """What `suzani demo --json` prints."""
        pairwise = self.quality.pairwise
        return {
            "records": self.audit.records,
            "persons": self.audit.persons,
            "duplicate_share": round(self.audit.duplicate_share, 6),
            "pairwise": {
                "precision": round(pairwise.precision, 6),
                "recall": round(pairwise.recall, 6),
                "f1": round(pairwise.f1, 6),
            },
            "seconds": round(self.seconds, 2),
        }


async def run_demo(platform: Platform, *, records: int, seed: int, progress: Progress) -> DemoReport:
    """Everything up to the profiles, reusing what an earlier call with the same parameters left.

    Raises Conflict when the data directory holds another bank, or data that is not the demo's.
    """
    started = time.monotonic()
    before = await _audit(platform)
    folder = platform.data_dir / _BANK
    if before.loads and not folder.exists():
        raise Conflict(
            f"{platform.data_dir} holds data that is not the demo's",
            hint="Choose another folder with --data: generated customers are not mixed with yours.",
        )
    progress("generate the bank", None)
    generated = await asyncio.to_thread(generate, folder, records=records, seed=seed)
    mark = platform.data_dir / _DONE
    reused = generated.reused and mark.exists() and before.persons > 0
    if not reused:
        await _build(platform, generated, progress)
        progress("let customers live", None)
        await stitching.follow(platform)
        await live(platform, seed)
        mark.write_text(json.dumps({"records": records, "seed": seed}) + "\n", encoding="utf-8")
    progress("compare with the truth", None)
    result = await _audit(platform)
    quality = await _quality(platform, generated)
    return DemoReport(generated, result, quality, time.monotonic() - started, reused)


async def _build(platform: Platform, generated: Generated, progress: Progress) -> None:
    """Load the seven extracts, resolve the records, build the profiles; what is there already stays."""
    for system, path in generated.extracts.items():

        def show(at: LoadProgress, system: str = system) -> None:
            progress(f"load {system}", at.share)

        await load(platform, system, [path], progress=show)
    await resolve(platform, progress=lambda phase: progress(phase, None))
    async with platform.db.transaction() as tx:
        await rebuild_all(
            tx,
            load_survivorship(platform.data_dir),
            now(),
            progress=lambda done, total: progress("build golden records", done / max(total, 1)),
        )


async def _audit(platform: Platform) -> Audit:
    async with platform.db.transaction() as tx:
        return await audit(tx)


async def _quality(platform: Platform, generated: Generated) -> Evaluation:
    """The persons as they are now against the generator's truth."""
    memberships: Query = _queries.memberships
    async with platform.db.transaction() as tx:
        found = await copy_out(tx, memberships, _FOUND)
    truth = pq.read_table(generated.truth).rename_columns(["source", "key", "person_key"])
    compared = await asyncio.to_thread(evaluate_tables, found, truth, "key", "person_key")
    return compared.evaluation
