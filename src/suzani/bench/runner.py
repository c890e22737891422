"""Runs the stages of a benchmark at several sizes, each in a fresh process."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from suzani.bench import stages
from suzani.bench.machine import this_machine
from suzani.bench.types import Report, Sample

T = TypeVar("T")
Stage = Callable[[Path, int], object]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: what is prepared (not measured), and what is measured."""

    name: str
    prepare: tuple[Stage, ...]
    measure: Callable[[Path, int], Sample]


BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        Benchmark("load", (stages.make_bank,), stages.measure_load),
        Benchmark("link", (stages.make_bank, stages.export_records), stages.measure_link),
    )
}
"""Every benchmark, by name."""


def run(name: str, sizes: Sequence[int], progress: Callable[[str], None]) -> Report:
    """Run a benchmark at every size, smallest first, in a temporary folder that is removed afterwards."""
    benchmark = BENCHMARKS[name]
    samples: list[Sample] = []
    for records in sorted(sizes):
        with temporary_folder() as folder:
            for stage in benchmark.prepare:
                progress(f"{records:,} records: {stage.__name__.replace('_', ' ')}")
                apart(stage, folder, records)
            progress(f"{records:,} records: measure {name}")
            samples.append(apart(benchmark.measure, folder, records))
    return Report(name, this_machine(), tuple(_with_growth(sample, samples[0]) for sample in samples))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for one benchmark at one size, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="suzani-bench-") as name:
        # Open for passing through, so that a database server that runs as another user reaches its data.
        Path(name).chmod(0o711)
        yield Path(name)


def apart(stage: Callable[[Path, int], T], folder: Path, records: int) -> T:
    """The stage's result, from a process that did nothing else."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(stage, folder, records).result()


def _with_growth(sample: Sample, smallest: Sample) -> Sample:
    per_record = sample.seconds / sample.records
    return replace(sample, growth=per_record / (smallest.seconds / smallest.records))
