"""What `suzani link --engine spark` does."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from suzani.identity.cluster.linking import Linked, link_on_spark
from suzani.identity.cluster.options import ClusterOptions
from suzani.identity.cluster.session import session
from suzani.identity.files.linking import read_fields
from suzani.identity.files.tables import write_table
from suzani.identity.models.model import Model
from suzani.infra import console


class Engine(StrEnum):
    """Where records are linked."""

    LOCAL = "local"
    SPARK = "spark"


def link_command_on_spark(
    files: Sequence[Path],
    id_column: str,
    ignored: Sequence[str],
    fields: Path | None,
    out: Path,
    model: Model | None,
    master: str | None,
    learn_from: int,
    work: Path | None,
    as_json: bool,
) -> Linked:
    """Link on Spark, write who is who, and say what came of it; without `work`, in a folder of its own."""
    spark = session(master)
    stated = read_fields(fields) if fields else None
    options = ClusterOptions(learn_from=learn_from)
    with tempfile.TemporaryDirectory(prefix="suzani-link-", dir=work) as folder, console.progress() as bars:
        task = bars.add_task("link", total=None)
        linked = link_on_spark(
            spark, files, id_column, ignored, stated, Path(folder), model=model, options=options,
            progress=lambda phase: bars.update(task, description=phase),
        )  # fmt: skip
    write_table(linked.persons, out)
    _say(linked, out, as_json)
    return linked


def _say(linked: Linked, out: Path, as_json: bool) -> None:
    if as_json:
        console.print_json(
            {
                "records": linked.persons.num_rows,
                "persons": linked.count,
                "columns": {name: guess.kind.value for name, guess in linked.guesses.items()},
                "seconds": linked.seconds,
            }
        )
        return
    console.OUT.print(
        f"{linked.persons.num_rows:,} records are {linked.count:,} persons "
        f"({sum(linked.seconds.values()):.1f} s on Spark); written to {out}.",
        highlight=False,
        soft_wrap=True,
    )
