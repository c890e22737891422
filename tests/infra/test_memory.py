"""Memory that a run keeps is used again and given back at its end, which is that of the outermost run."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys

import pytest

from suzani.infra import memory

_MEASURE = """
from suzani.infra import memory
import resource
import threading
import numpy as np
import psutil

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def fill():
    before = faults()
    np.ones(96 << 20, dtype=np.uint8)
    return faults() - before

def resident():
    return psutil.Process().memory_info().rss >> 20

def measure():
    with memory.kept():
        first, again = fill(), fill()
        inside = resident()
    print(first, again, inside - resident())

memory.share()
measure()
thread = threading.Thread(target=measure)
thread.start()
thread.join()
"""


def _has_glibc() -> bool:
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")


@pytest.mark.skipif(not _has_glibc(), reason="only glibc can be told to keep memory")
def test_freed_memory_is_used_again_in_any_thread_and_given_back_at_the_end() -> None:
    ran = subprocess.run([sys.executable, "-c", _MEASURE], capture_output=True, text=True, check=True)
    for line in ran.stdout.splitlines():
        first, again, given_back = map(int, line.split())
        assert again < first / 10
        assert given_back > 80
    assert len(ran.stdout.splitlines()) == 2


def test_only_the_end_of_the_outermost_run_counts() -> None:
    with memory.kept():
        with memory.kept():
            pass
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


def test_a_run_that_fails_ends_it_too() -> None:
    @memory.kept()
    def fail() -> None:
        raise ValueError("no memory of this")

    for _ in range(2):
        with pytest.raises(ValueError, match="no memory"):
            fail()
        assert gc.get_freeze_count() == 0
