"""What `suzani doctor` sees of the log: how far everybody who reads it is behind, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from suzani.infra.bus.opening import open_bus
from suzani.infra.bus.positions import lags
from suzani.infra.bus.types import Lag
from suzani.infra.doctor import Findings
from suzani.infra.platform import Platform
from suzani.kernel import now

LONG: Final = timedelta(minutes=5)
"""A consumer that reads as it should is never behind for so long, the lake's included."""


async def look(platform: Platform) -> Findings:
    """How far every consumer is. Raises Unavailable when the log cannot be reached."""
    async with open_bus(platform.db, platform.settings) as bus, platform.db.transaction() as tx:
        return judged(totals(await lags(tx, bus)), now())


def totals(found: Iterable[Lag]) -> Iterator[Lag]:
    """How far each consumer of each topic is, over all partitions."""
    by_consumer: dict[tuple[str, str], list[Lag]] = {}
    for lag in found:
        by_consumer.setdefault((lag.consumer, lag.topic), []).append(lag)
    for (consumer, topic), own in by_consumer.items():
        oldest = min((lag.since for lag in own if lag.since is not None), default=None)
        yield Lag(consumer, topic, 0, 0, sum(lag.behind for lag in own), oldest)


def judged(found: Iterable[Lag], at: datetime) -> Findings:
    """What there is to say of consumers, each with its lag over all partitions."""
    shown, problems = {}, []
    for lag in found:
        waits = timedelta() if lag.since is None else at - lag.since
        seconds = round(waits.total_seconds())
        shown[f"{lag.consumer} of {lag.topic}"] = {"behind": lag.behind, "seconds": seconds}
        if waits > LONG:
            problems.append(_complaint(lag))
    return Findings(shown, problems)


def _complaint(lag: Lag) -> str:
    return (
        f"consumer {lag.consumer} of topic {lag.topic} is {lag.behind:,} messages behind, since "
        f"{lag.since:%Y-%m-%d %H:%M} UTC: start `suzani up`, add `suzani events work`, or, "
        f"if it is gone for good, `suzani bus --forget {lag.consumer}`"
    )
