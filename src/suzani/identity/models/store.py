"""The models of done runs, as the platform keeps them."""

from __future__ import annotations

from suzani.identity.models.file import Model
from suzani.infra.db import Tx, fetch_one, load_queries
from suzani.kernel import NotFound

_queries = load_queries("suzani.identity.models")


async def model_of_run(tx: Tx, run_id: int | None = None) -> tuple[int, Model]:
    """A done run's id and model; the last run's if none is named. Raises NotFound."""
    row = await fetch_one(tx, _queries.model_of_run, run_id=run_id)
    if row is None:
        which = "there is no resolved run yet" if run_id is None else f"there is no done run {run_id}"
        raise NotFound(which, hint="`suzani resolve` makes one; `--run` takes the number that it reports.")
    return int(row["run_id"]), Model.from_json(row["model"], f"run {row['run_id']}")
