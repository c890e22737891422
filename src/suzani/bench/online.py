"""`bench online`: a served bank asked about one record at a time, over HTTP, from another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from suzani.bench import stages
from suzani.bench.http_client import Connection, Target
from suzani.bench.in_process import measure_in_process
from suzani.bench.machine import processor_shares
from suzani.bench.open_loop import Floats, Outcome, arrivals, at_once, drive, percentile_ms
from suzani.bench.queries import bodies, drawn, make_system, together
from suzani.bench.runner import apart, temporary_folder
from suzani.bench.serving import served
from suzani.infra import loop
from suzani.infra.settings import Settings
from suzani.kernel import Unavailable

PATH = "/v1/identity/resolve"
_SEED = 11
_TOGETHER_CLIENTS = 4


@dataclass(frozen=True, slots=True)
class Load:
    """What the server is put under, over `clients` kept connections: `rate` requests a second for `seconds`,
    after `warm_up` more that do not count; then `ceiling` records as fast as they go, first one a request,
    then `together`; `store` keeps them."""

    rate: float = 200.0
    warm_up: float = 1.0
    seconds: float = 30.0
    ceiling: int = 10_000
    together: int = 50
    clients: int = 32
    store: bool = True


def measure_online(records: int, load: Load, progress: Callable[[str], None]) -> dict[str, float]:
    """Serve a bank of that many records and put it under load; figures by name.

    `ready_seconds` runs from the start of the process to the first answer, `server_mib` is the memory of the
    serving processes (the database's is not in it). Raises Unavailable when the server does not come up or
    answers no request.
    """
    with temporary_folder() as folder:
        for stage in (stages.make_bank, stages.export_records, stages.resolve_bank, stages.build_profiles):
            progress(f"{records:,} records: {stage.__name__.replace('_', ' ')}")
            apart(stage, folder, records)
        progress(f"{records:,} records: look up in process")
        alone = apart(measure_in_process, folder, records)
        make_system(stages.platform_in(folder) / "mappings")
        settings = Settings.from_environment(stages.platform_in(folder))
        with served(settings, _looks_up) as server:
            progress(f"{records:,} records: let the platform follow the new bank")
            server.rest()
            progress(f"{records:,} records: {load.rate:g} requests/s for {load.seconds:g} s")
            steady = apart(partial(under_rate, load=load, url=server.url), folder, records)
            progress(f"{records:,} records: {load.ceiling:,} requests, {load.clients} clients")
            server.rest()
            most = apart(partial(under_pressure, load=load, url=server.url), folder, records)
            standing = {"ready_seconds": server.ready_seconds, "server_mib": server.mib()}
            return alone | standing | steady | most


def under_rate(folder: Path, records: int, load: Load, url: str) -> dict[str, float]:
    """Latency at the load's rate, in milliseconds from when each request was due, and how busy the machine
    was meanwhile."""
    first = arrivals(load.rate, load.warm_up, _SEED)
    if len(first):
        _driven(folder, first, load, url, _SEED + 3)
    with processor_shares() as shares:
        found = _driven(folder, arrivals(load.rate, load.seconds, _SEED), load, url, _SEED)
    figures = {
        f"p{percent:g}_ms": percentile_ms(found.latency_seconds, percent) for percent in (50, 99, 99.9)
    }
    return {**figures, "failed_at_rate": float(found.failed), **shares}


def under_pressure(folder: Path, records: int, load: Load, url: str) -> dict[str, float]:
    """Records a second when requests never wait for their time: of one record, and of many."""
    one = _driven(folder, at_once(load.ceiling), load, url, _SEED + 1)
    many = _driven(folder, at_once(load.ceiling), load, url, _SEED + 2, load.together)
    return {
        "records_per_second": round(one.per_second, 1),
        "records_per_second_together": round(many.per_second * load.together, 1),
        "failed_at_most": float(one.failed + many.failed),
    }


def _driven(folder: Path, due: Floats, load: Load, url: str, seed: int, size: int = 1) -> Outcome:
    """One record for each due time, in requests of so many."""
    queries = drawn(folder / "records.parquet", len(due), seed)
    requests = bodies(queries, store=load.store, prefix=f"{seed}-")
    if size > 1:
        requests, due = together(requests, size), due[::size]
    found = loop.run(_drive(url, requests, due, load.clients if size == 1 else _TOGETHER_CLIENTS))
    if not found.succeeded:
        raise Unavailable(f"no request was answered well; answers by status: {found.statuses}")
    return found


async def _drive(url: str, requests: list[bytes], due: Floats, clients: int) -> Outcome:
    connections = [Connection(Target.parse(url, PATH)) for _ in range(clients)]
    try:
        return await drive([connection.post for connection in connections], requests, due)
    finally:
        for connection in connections:
            await connection.close()


def _looks_up(url: str) -> bool:
    """Whether a record is looked up."""
    body, headers = b'{"attributes": {"full_name": "Ali"}}', {"Content-Type": "application/json"}
    try:
        with urlopen(Request(f"{url}{PATH}", body, headers), timeout=30):  # noqa: S310 (http, this machine)
            return True
    except HTTPError:
        return False
