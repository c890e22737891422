"""A load that is killed at any moment goes on and ends as if nothing had been."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

from suzani.infra.platform import Platform
from suzani.sources import LoadOptions, load
from suzani.sources.types import Limits
from tests.sources.bank_extract import MAPPING, LoadBank, extract, row, rows_of

SCRIPT = """
import asyncio, sys
from pathlib import Path
from suzani.infra.platform import Platform
from suzani.infra.db import Database
from suzani.infra.settings import Settings
from suzani.sources import LoadOptions, load
from suzani.sources.types import Limits

async def main():
    url, folder, *files = sys.argv[1:]
    platform = Platform(Settings(Path(folder), url), await Database.connect(url, pool_size=2))
    options = LoadOptions(limits=Limits(batch_rows=40))
    await load(platform, "bank", [Path(file) for file in files], options)

asyncio.run(main())
"""

COMPARED = """
    select key, family_name, birth_date, as_of, extra, file_no, row_no, r.deleted_at is not null as gone,
        (select array_agg((p.number, p.balance)::text) from sources.product p
         where p.record_id = r.record_id) as held,
        (select array_agg(c.kind order by change_id) from sources.change c
         where c.record_id = r.record_id) as kinds
    from sources.record r where system = %(system)s order by key
"""


def files(folder: Path) -> list[Path]:
    """A first state of the bank, and the two files of its second snapshot."""
    texts = [
        extract(*(row(i) for i in range(300))),
        extract(*(row(i, LAST="Новая" if i % 3 == 0 else "x") for i in range(50, 600)), row(60), "bad row"),
        extract(*(row(i, OLD_NO=str(i - 1000) if i < 1010 else "") for i in range(1000, 1600))),
    ]
    paths = [folder / f"{i}.csv" for i in range(3)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


async def kill_on_the_way(platform: Platform, paths: list[Path], rows: int) -> None:
    """Start a load in a process of its own, and kill it with no warning once `rows` rows are committed."""
    arguments = [platform.db.url, str(platform.data_dir), *map(str, paths)]
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SCRIPT, *arguments)
    while (await progress(platform)) < rows and process.returncode is None:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL


async def progress(platform: Platform) -> int:
    """The rows that the load under way has committed."""
    found = await rows_of(
        platform, "select rows_in from sources.load where state = 'running' order by 1 desc limit 1"
    )
    return int(found[0]["rows_in"]) if found else 0


async def test_killed_loads_end_as_if_they_had_not_been(
    platform: Platform, load_bank: LoadBank, tmp_path: Path
) -> None:
    (platform.data_dir / "mappings" / "other.yaml").write_text(MAPPING.replace("bank", "other"), "utf-8")
    first, *second = files(tmp_path)
    options = LoadOptions(limits=Limits(batch_rows=40), allow_deletes=True)
    reports: list[Any] = []
    for system in ("other", "bank"):
        await load(platform, system, [first], options)
        if system == "bank":
            for rows in (60, 300, 800):
                await kill_on_the_way(platform, second, rows)
        reports.append(await load(platform, system, second, options))
    plain, resumed = reports
    assert (plain.resumed, resumed.resumed) == (False, True)
    counts = ("rows_in", "rows_new", "rows_changed", "rows_quarantined", "records_deleted", "records_rekeyed")
    assert [getattr(resumed, name) for name in counts] == [getattr(plain, name) for name in counts]
    assert await rows_of(platform, COMPARED, system="bank") == await rows_of(
        platform, COMPARED, system="other"
    )
    quarantined = (
        "select row_no, reason, key from sources.quarantine where system = %(system)s order by row_no"
    )
    assert await rows_of(platform, quarantined, system="bank") == await rows_of(
        platform, quarantined, system="other"
    )
    assert await rows_of(platform, "select * from sources.seen") == []
