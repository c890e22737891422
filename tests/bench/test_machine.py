from __future__ import annotations

import sys
from time import monotonic

import pytest

from suzani.bench.machine import processor_shares


def test_work_inside_a_block_shows_in_the_shares_of_the_processors() -> None:
    with processor_shares() as shares:
        end = monotonic() + 0.3
        while monotonic() < end:
            pass
    assert 0 < shares["machine_busy_percent"] <= 100
    assert all(0 <= share <= 100 for share in shares.values())
    assert sum(shares.values()) <= 100.1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what the host took")
def test_on_linux_the_time_that_the_host_took_is_told() -> None:
    with processor_shares() as shares:
        end = monotonic() + 0.1
        while monotonic() < end:
            pass
    assert "machine_taken_percent" in shares
