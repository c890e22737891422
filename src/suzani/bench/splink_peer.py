"""Splink 5 as a peer: u by random sampling, m by EM, scores, connected components, each phase metered."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.bench.blocking import RULES, Rule, Width, applicable
from suzani.bench.columns import ID
from suzani.bench.metering import Meter
from suzani.bench.splink_settings import Level, Variant
from suzani.kernel import InvalidInput

THREADS = 2
RANDOM_PAIRS = 10_000_000
CUT = 0.95
CUTS = (0.5, 0.8, 0.9, CUT, 0.99, 0.999, 0.9999, 0.99999)
"""Thresholds of match probability that are tried; Splink's own documentation clusters at .95."""

_LEAST = CUTS[0]
_CERTAIN: tuple[Rule, ...] = (
    ("national_id",),
    ("document",),
    ("birth_date", "given_name_folded", "family_name_folded"),
)
_RECALL_OF_CERTAIN = 0.8

Labels = npt.NDArray[np.int64]


def require_splink() -> None:
    """Raise InvalidInput, saying how to install it, unless Splink is there."""
    try:
        import splink  # noqa: F401
    except ImportError:
        raise InvalidInput(
            "Splink is not installed",
            hint="Install it: pip install 'suzani[peers]' (or uv sync --extra peers).",
        ) from None


def comparison(column: str, levels: Sequence[Level]) -> dict[str, Any]:
    """One comparison of Splink's settings: missing, the given levels, anything else."""
    stated: list[dict[str, Any]] = [
        {"sql_condition": f'"{column}_l" is null or "{column}_r" is null', "is_null_level": True}
    ]
    for condition, frequency in levels:
        adjusted = {"tf_adjustment_column": frequency} if frequency else {}
        stated.append({"sql_condition": condition, **adjusted})
    return {"output_column_name": column, "comparison_levels": [*stated, {"sql_condition": "ELSE"}]}


def untrained(variant: Variant, table: pa.Table) -> dict[str, Any]:
    """Splink's settings for a table, before training and without blocking rules."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": ID,
        "retain_matching_columns": False,
        "comparisons": [
            comparison(column, levels)
            for column, levels in variant.comparisons.items()
            if column in table.column_names
        ],
    }


class SplinkPeer:
    """A Splink linker, in memory on two threads, over standardised columns with an integer `unique_id`."""

    def __init__(self, table: pa.Table, settings: Mapping[str, Any], width: Width, meter: Meter) -> None:
        from splink import DuckDBAPI, Linker, block_on

        self._on, self._meter, self._table = block_on, meter, table
        self._connection = duckdb.connect(config={"threads": THREADS})
        self._connection.execute("set enable_progress_bar = false")
        rules = [block_on(*rule) for rule in applicable(RULES[width], table)]
        stated = {**settings, "blocking_rules_to_generate_predictions": rules}
        with meter.phase("register"):
            self._connection.register("given", table)
            self._connection.execute("create table records as select * from given")
            frame = DuckDBAPI(connection=self._connection).register("records")
            self.linker = Linker(frame, stated, log_level=logging.ERROR)

    def train(self, variant: Variant) -> None:
        """Prior by sure rules, u from 10 million random pairs, m by EM on the variant's blocks."""
        training, phase = self.linker.training, self._meter.phase
        with phase("prior"):
            sure: list[Any] = [self._on(*rule) for rule in applicable(_CERTAIN, self._table)]
            training.estimate_probability_two_random_records_match(sure, recall=_RECALL_OF_CERTAIN)
        with phase("u"):
            training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS)
        for rule in applicable(variant.train_on, self._table):
            with phase("m"):
                training.estimate_parameters_using_expectation_maximisation(self._on(*rule))

    def save(self, path: Path) -> None:
        """Write the trained model as JSON."""
        path.write_text(json.dumps(self.linker.misc.save_model_to_json()), "utf-8")

    def count_frequencies(self) -> None:
        """Count the term frequencies ahead, so that scoring finds them ready."""
        levels = (
            level
            for comparison in self.linker.misc.save_model_to_json()["comparisons"]
            for level in comparison["comparison_levels"]
        )
        columns = {level["tf_adjustment_column"] for level in levels if "tf_adjustment_column" in level}
        with self._meter.phase("frequencies"):
            for column in sorted(columns):
                self.linker.table_management.compute_tf_table(column)

    def infer(self) -> Any:
        """Block, score and cluster at the default cut; the scored pairs, from a probability of one half."""
        with self._meter.phase("block"):
            self._pairs = self.linker.inference.compute_blocked_pairs_for_predict_chunk((1, 1), (1, 1))
        with self._meter.phase("score"):
            scored = self.linker.inference.predict(threshold_match_probability=_LEAST)
        with self._meter.phase("cluster"):
            self._clusters(scored, CUT)
        return scored

    def candidates(self) -> int:
        """How many pairs blocking gave."""
        return int(self._fetch(f"select count(*) as pairs from {self._pairs.physical_name}")["pairs"][0])  # noqa: S608 (a name that Splink made)

    def persons(self, scored: Any, cut: float) -> Labels:
        """The cluster of every record, in the order of `unique_id`, at a probability."""
        name = self._clusters(scored, cut).physical_name
        found = self._fetch(f"select {ID}, cluster_id from {name} order by {ID}")  # noqa: S608 (a name that Splink made)
        return np.asarray(found["cluster_id"]).astype(np.int64)

    def _clusters(self, scored: Any, cut: float) -> Any:
        return self.linker.clustering.cluster_pairwise_predictions_at_threshold(
            scored, threshold_match_probability=cut
        )

    def _fetch(self, query: str) -> Mapping[str, npt.NDArray[Any]]:
        found: Mapping[str, npt.NDArray[Any]] = self._connection.cursor().execute(query).fetchnumpy()
        return found
