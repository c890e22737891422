"""How tests are shared out among the workers of `pytest -n`: file by file, what takes longest first."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "tests/activity/test_killing.py": "kafka",
    "tests/events/test_following.py": "kafka",
    "tests/infra/bus/": "kafka",
    "tests/identity/cluster/": "spark",
}
"""Files and folders of which one worker runs all, for what they share is costly to start."""

FIRST = (
    "kafka",
    "tests/identity/indexing/test_index.py",
    "tests/bench/test_contest.py",
    "spark",
    "tests/web/",
)
"""What takes longest, so that no worker is left with it when the others are done. The tests of Kafka wait for
the greatest part, while another worker compiles the kernels."""


def unit(nodeid: str) -> str:
    """What one worker runs as a whole: the test's file, or the files that go together with it."""
    return next((name for path, name in TOGETHER.items() if nodeid.startswith(path)), nodeid.split("::")[0])


def rank(nodeid: str) -> int:
    """Where a test stands in the order of units; all that are not among the first have one rank."""
    name = unit(nodeid)
    return next((place for place, first in enumerate(FIRST) if name.startswith(first)), len(FIRST))


class Distribution(LoadScopeScheduling):
    """Hands out unit after unit in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
