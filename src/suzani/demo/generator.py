"""Generating the demo bank: seven extracts and the truth behind them, from a seed."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from suzani.demo.broken import plan_broken
from suzani.demo.extracts import write_extract
from suzani.demo.identifiers import as_text, distinct
from suzani.demo.layouts import LAYOUTS, Content
from suzani.demo.lexicon import gazetteer, name_book
from suzani.demo.people import make_people
from suzani.demo.products import make_products
from suzani.demo.records import allot, new_next_month
from suzani.demo.rendering import Bank, render
from suzani.demo.systems import SYSTEMS, System
from suzani.demo.types import (
    DEFAULT_RECORDS,
    DEFAULT_SEED,
    GENERATOR_VERSION,
    NEXT_MONTH,
    PEOPLE_PER_RECORD,
    TODAY,
    Bools,
    Generated,
    Ints,
    Records,
    Streams,
)
from suzani.kernel import Conflict, InvalidInput

DELTAS = frozenset({"core_banking", "lending", "mortgage"})
"""Systems whose second extract holds only what changed; the others send all they have."""
REKEYED = frozenset({"core_banking", "cards", "lending"})
"""Systems that tell the previous key of a record that got a new one."""
_MANIFEST = "generated.json"
_CHANGED, _DELETED, _NEW_KEYS = 0.03, 0.006, 0.003
_FEWEST, _MOST = 10, 5_000_000


@dataclass(frozen=True)
class _Month:
    """What happens to each record in the second month; all False in the first."""

    changed: Bools
    deleted: Bools
    rekeyed: Bools


def _events(records: Records, month: int, streams: Streams) -> _Month:
    rng, first = streams("month.events"), records.month == 1
    changed, deleted, rekeyed = (
        (rng.random(len(records)) < share) & first & (month == 2) for share in (_CHANGED, _DELETED, _NEW_KEYS)
    )
    tells = np.isin(records.system, [n for n, s in enumerate(SYSTEMS) if s.name in REKEYED])
    return _Month(changed & ~deleted, deleted, rekeyed & tells & ~deleted)


def _updated(records: Records, month: _Month, streams: Streams) -> Records:
    """Records touched in the second month show the person of that day, and say so."""
    span = int((NEXT_MONTH - TODAY).astype(np.int64)) * 86_400
    rng = streams("month.times")
    moment = TODAY.astype("datetime64[s]") + rng.integers(0, span, len(records)).astype("timedelta64[s]")
    touched = month.changed | month.deleted | month.rekeyed
    return dataclasses.replace(
        records,
        updated=np.where(touched, moment, records.updated),
        known_on=np.where(month.changed, NEXT_MONTH, records.known_on),
    )


def _present(system: System, records: Records, month: int, events: _Month) -> Bools:
    """Which records the month's extract of a system holds."""
    if month == 1:
        return np.asarray(records.month == 1)
    if system.name in DELTAS:
        return np.asarray((records.month == 2) | events.changed | events.deleted | events.rekeyed)
    return ~events.deleted


def _keys(system: System, records: Records, rekeyed: Bools) -> tuple[pa.StringArray, pa.StringArray]:
    """The key of each record this month, and the previous one of those that got a new one.

    A new key is one digit longer than the others of its system, so that it is no one else's.
    """
    old = as_text(records.key, system.key_digits)
    new = as_text(records.key * 10 + 7, system.key_digits)
    chosen = pa.array(rekeyed)
    none = pa.scalar(None, pa.string())
    return pc.if_else(chosen, new, old), pc.if_else(chosen, old, none)


@dataclass(frozen=True)
class _Extract:
    table: pa.Table
    keys: pa.StringArray
    person: Ints


def _extract(
    number: int, system: System, bank: Bank, records: Records, month: int, events: _Month
) -> _Extract:
    """One system's extract and, for the truth, the keys and persons of all its records after the month."""
    rows = records.system == number
    mine = records.take(rows)
    here = _Month(events.changed[rows], events.deleted[rows], events.rekeyed[rows])
    key, previous = _keys(system, mine, here.rekeyed)
    products = make_products(system.name, mine, here.changed, bank.streams)
    closed = here.deleted if system.name in DELTAS else np.zeros(len(mine), dtype=bool)
    whole = LAYOUTS[system.name](Content(key, previous, closed, render(system, bank, mine), products))
    live = (mine.month == 1) if month == 1 else ~here.deleted
    table = whole.filter(pa.array(_present(system, mine, month, here))).combine_chunks()
    return _Extract(table, key.filter(pa.array(live)), mine.person[live])


def _truth(extracts: dict[str, _Extract], people: int, streams: Streams) -> pa.Table:
    rng = streams("truth.keys")
    numbers = distinct(lambda n: rng.integers(10**8, 10**9, n), people)
    person = np.concatenate([one.person for one in extracts.values()])
    return pa.table(
        {
            "system": pa.concat_arrays([pa.repeat(name, len(one.keys)) for name, one in extracts.items()]),
            "key": pa.concat_arrays([one.keys for one in extracts.values()]),
            "person_key": as_text(numbers[person], 9),
        }
    )


def _manifest(records: int, seed: int, month: int) -> dict[str, Any]:
    return {"records": records, "seed": seed, "month": month, "generator": GENERATOR_VERSION}


def _describe(out: Path, manifest: dict[str, Any], *, reused: bool) -> Generated:
    return Generated(
        out=out,
        extracts={s.name: out / "extracts" / f"{s.name}.{s.ending}" for s in SYSTEMS},
        truth=out / "truth.parquet",
        records=manifest["stored"],
        people=manifest["people"],
        broken=manifest["broken"],
        seed=manifest["seed"],
        month=manifest["month"],
        reused=reused,
    )


def _earlier(out: Path, wanted: dict[str, Any]) -> Generated | None:
    """What an earlier call left in `out`, if it is what is wanted; Conflict if it is something else."""
    if not out.exists() or not any(out.iterdir()):
        return None
    try:
        found = json.loads((out / _MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        raise Conflict(f"{out} holds other files", hint="Choose an empty or new folder.") from None
    different = [
        f"{name} {found.get(name)} instead of {value}"
        for name, value in wanted.items()
        if found.get(name) != value
    ]
    if different:
        raise Conflict(
            f"{out} holds another generated bank: {', '.join(different)}",
            hint="Choose another folder, remove this one, or ask for the same again.",
        )
    return _describe(out, found, reused=True)


def _write(folder: Path, records: int, seed: int, month: int) -> dict[str, Any]:
    streams = Streams(seed)
    people_count = max(round(records * PEOPLE_PER_RECORD), 1)
    newcomers = new_next_month(records) // 2
    people, addresses = make_people(people_count + newcomers, name_book(), gazetteer(), streams)
    allotted = allot(people, records, streams)
    events = _events(allotted, month, streams)
    allotted = _updated(allotted, events, streams)
    bank = Bank(people, addresses, name_book(), gazetteer(), streams)
    extracts = {s.name: _extract(n, s, bank, allotted, month, events) for n, s in enumerate(SYSTEMS)}
    broken = plan_broken({name: one.table for name, one in extracts.items()}, records, streams)
    (folder / "extracts").mkdir()
    for system in SYSTEMS:
        path = folder / "extracts" / f"{system.name}.{system.ending}"
        write_extract(
            system.name,
            extracts[system.name].table,
            path,
            broken[system.name],
            streams(f"{system.name}.places"),
        )
    truth = _truth(extracts, len(people), streams)
    pq.write_table(truth, folder / "truth.parquet", compression="zstd")
    counts = {
        "stored": truth.num_rows,
        "people": len(truth["person_key"].unique()),
        "broken": sum(len(rows) for rows in broken.values()),
    }
    manifest = _manifest(records, seed, month) | counts
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def generate(
    out: Path, *, records: int = DEFAULT_RECORDS, seed: int = DEFAULT_SEED, month: int = 1
) -> Generated:
    """Writes the bank of `records` records (about 0.725 people each) into the folder `out`, all or nothing.

    `month` 2 gives the same bank's extracts a month later: changed, new, deleted and re-keyed records. The
    same parameters give the same bytes; a folder that already holds them is reused. Raises InvalidInput for
    impossible parameters, Conflict where `out` holds anything else.
    """
    if not _FEWEST <= records <= _MOST:
        raise InvalidInput(f"{records} records asked for", hint=f"Ask for {_FEWEST} to {_MOST:,}.")
    if month not in {1, 2} or seed < 0:
        raise InvalidInput("month must be 1 or 2, and the seed 0 or more")
    earlier = _earlier(out, _manifest(records, seed, month))
    if earlier:
        return earlier
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        manifest = _write(folder, records, seed, month)
        if out.exists():
            out.rmdir()
        folder.rename(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _describe(out, manifest, reused=False)
