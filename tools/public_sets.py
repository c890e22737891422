"""Run `suzani link` and `suzani evaluate` on public benchmark sets and print one table row for each.

    .venv/bin/python tools/public_sets.py FOLDER

FOLDER holds febrl/dataset1.csv … dataset4b.csv, rldata/RLdata500.csv, RLdata10000.csv, splink/fake_1000.csv
and historical_25k.parquet, senzing_truthset/customers.csv, reference.csv, watchlist.csv and
actual_truthset_key.csv, as their publishers give them out. Sets that are not there are left out. The truth is
never shown to `suzani link`: its column is ignored, or it is part of the id, which is no evidence.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

SUZANI = [sys.executable, "-c", "from suzani.main import main; main()"]


@dataclass(frozen=True)
class PublicSet:
    """One benchmark: its files, the id column, columns to ignore, and where the truth is."""

    name: str
    files: list[str]
    id_column: str
    ignored: list[str] = field(default_factory=list)
    truth: str = ""
    truth_column: str = "truth"
    truth_of: Callable[[list[Path]], pa.Table] | None = None


def febrl_truth(files: list[Path]) -> pa.Table:
    """FEBRL's ids tell the person: rec-223-org and rec-223-dup-0 are one."""
    ids = pa.concat_arrays(
        [pc.cast(pcsv.read_csv(path).column("rec_id"), pa.string()).combine_chunks() for path in files]
    )
    return pa.table({"rec_id": ids, "truth": pc.list_element(pc.split_pattern(ids, "-"), 1)})


SETS = [
    *[PublicSet(f"FEBRL {n}", [f"febrl/dataset{n}.csv"], "rec_id", truth_of=febrl_truth) for n in (1, 2, 3)],
    PublicSet("FEBRL 4", ["febrl/dataset4a.csv", "febrl/dataset4b.csv"], "rec_id", truth_of=febrl_truth),
    *[
        PublicSet(name, [f"rldata/{name}.csv"], "rec_id", ["ent_id"], f"rldata/{name}.csv", "ent_id")
        for name in ("RLdata500", "RLdata10000")
    ],
    PublicSet(
        "fake_1000", ["splink/fake_1000.csv"], "unique_id", ["cluster"], "splink/fake_1000.csv", "cluster"
    ),
    PublicSet(
        "historical_25k",
        ["splink/historical_25k.parquet"],
        "unique_id",
        ["cluster"],
        "splink/historical_25k.parquet",
        "cluster",
    ),
    PublicSet(
        "Senzing truth set",
        [f"senzing_truthset/{name}.csv" for name in ("customers", "reference", "watchlist")],
        "RECORD_ID",
        [],
        "senzing_truthset/actual_truthset_key.csv",
        "CLUSTER_ID",
    ),
]


def run(arguments: list[str]) -> dict[str, object]:
    """The JSON object that a command prints; the program ends if the command fails."""
    done = subprocess.run([*SUZANI, *arguments, "--json"], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"suzani {' '.join(arguments)}\n{done.stderr}")
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def measure(one: PublicSet, folder: Path, work: Path) -> str:
    """A row of the table for one set."""
    files = [folder / name for name in one.files]
    persons = work / "persons.parquet"
    ignored = [part for column in one.ignored for part in ("--ignore", column)]
    started = time.perf_counter()
    run(["link", *map(str, files), "--id", one.id_column, *ignored, "--out", str(persons)])
    seconds = time.perf_counter() - started
    truth = folder / one.truth
    if one.truth_of:
        truth = work / "truth.csv"
        pcsv.write_csv(one.truth_of(files), truth)
    result = run(["evaluate", str(persons), str(truth), "--id", one.id_column, "--truth", one.truth_column])
    pairwise, b_cubed = result["pairwise"], result["b_cubed"]
    return (
        f"| {one.name} | {result['records']:,} | {pairwise['precision']:.4f} | {pairwise['recall']:.4f} "  # type: ignore[index]
        f"| **{pairwise['f1']:.4f}** | {b_cubed['f1']:.4f} | {result['exact']:.1%} "  # type: ignore[index]
        f"| {result['splits']} | {result['over_merged']} | {seconds:.1f} |"
    )


def main() -> None:
    """Print the table."""
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__)
    print("| set | records | precision | recall | F1 | B-cubed F1 | exact | split | over-merged | seconds |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for one in SETS:
        if all((folder / name).exists() for name in one.files):
            with tempfile.TemporaryDirectory() as work:
                print(measure(one, folder, Path(work)), flush=True)


if __name__ == "__main__":
    main()
