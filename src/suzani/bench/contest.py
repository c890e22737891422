"""The parts of `bench identity`, each run in a process of its own: ours, and Splink's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from suzani.bench import stages
from suzani.bench.blocking import Width, our_rules, with_date_parts
from suzani.bench.columns import columns_of, fields_of
from suzani.bench.metering import Meter, peak_mib
from suzani.bench.splink_peer import CUT, CUTS, SplinkPeer, untrained
from suzani.bench.splink_settings import VARIANTS
from suzani.bench.types import Cost, Run
from suzani.identity import evaluate_partition, read_input
from suzani.identity.kernels import compiling
from suzani.identity.learning.engine import Resolution, resolve_fields
from suzani.identity.models.model import Model
from suzani.identity.pairs.partition import Options
from suzani.identity.standardising.fields import build_fields
from suzani.infra import memory
from suzani.kernel import ATTRIBUTES, Kind

Labels = npt.NDArray[np.int64]

SUZANI, SPLINK = "suzani", "splink"
TRAIN_AND_INFER, NARROW, WIDE, FROM_FILES = (
    "train and infer",
    "infer, narrow",
    "infer, wide",
    "files to persons",
)

_COLUMNS, _TRUTH = "standardised.parquet", "truth.npy"
_OUR_MODEL, _THEIR_MODEL = "suzani-model.json", "splink-model.json"
_WARM_UP_ROWS = 60_000
"""Enough that blocks are refined and rows sampled, by the same kernels as of many more."""
_NOTHING: frozenset[str] = frozenset()
_LOADING = frozenset({"encode", "pack", "register", "frequencies"})
"""What happens once to records however often they are matched: inference leaves it out, on both sides."""


def standardise(folder: Path, records: int) -> None:
    """Write the standardised columns of the exported records, and who is who."""
    kinds: dict[str, Kind] = {name: attribute.kind for name, attribute in ATTRIBUTES.items()}
    data = read_input([folder / "records.parquet"], "id", [], kinds)
    fields = build_fields(data.table, {name: data.guesses[name].kind for name in data.table.column_names})
    table = columns_of(fields, pa.array(np.arange(data.rows)))
    pq.write_table(table, folder / _COLUMNS)
    np.save(folder / _TRUTH, _truth(folder, data.record_id))


def _truth(folder: Path, ids: pa.Array) -> Labels:
    truth = pq.read_table(stages.bank_in(folder) / "truth.parquet")
    keys = pc.binary_join_element_wise(truth.column("system"), truth.column("key"), "/")
    rows = pc.index_in(ids, keys.combine_chunks())
    persons = truth.column("person_key").combine_chunks().take(rows)
    return np.asarray(pc.dictionary_encode(persons).indices, dtype=np.int64)


def warm_up(folder: Path, records: int) -> None:
    """Resolve some records in each way, so that compiled code is on the disk before anything is measured."""
    table = pq.read_table(folder / _COLUMNS).slice(0, min(records, _WARM_UP_ROWS))
    model = _resolve(table, Meter()).model
    for width in Width:
        _resolve(table, Meter(), model, width)


def our_training(folder: Path, records: int) -> Run:
    """From standardised columns to persons, a model being learned on the way."""
    meter = Meter()
    found = _resolve(pq.read_table(folder / _COLUMNS), meter)
    (folder / _OUR_MODEL).write_text(found.model.to_json(), "utf-8")
    return _our_run(folder, records, TRAIN_AND_INFER, found, meter)


def our_narrow(folder: Path, records: int) -> Run:
    """Persons with the model that was learned, narrow blocking."""
    return _our_inference(folder, records, NARROW, Width.NARROW)


def our_wide(folder: Path, records: int) -> Run:
    """Persons with the model that was learned, wide blocking."""
    return _our_inference(folder, records, WIDE, Width.WIDE)


def _our_inference(folder: Path, records: int, part: str, width: Width) -> Run:
    meter = Meter()
    model = Model.from_json((folder / _OUR_MODEL).read_text("utf-8"))
    found = _resolve(pq.read_table(folder / _COLUMNS), meter, model, width)
    return _our_run(folder, records, part, found, meter, _LOADING)


def _resolve(
    table: pa.Table, meter: Meter, model: Model | None = None, width: Width | None = None
) -> Resolution:
    """The one place that calls the engine. Without a `width` it chooses its own blocking rules.

    What the compiler imports of itself is not metered, no more than the imports of a peer are.
    """
    compiling.start()
    options = Options(rules=our_rules(width, with_date_parts(table)) if width else None)
    with memory.kept():
        with meter.phase("encode"):
            fields = fields_of(table)
        found = resolve_fields(fields, table.num_rows, model=model, options=options, progress=meter.enter)
        meter.enter("")
    return found


def _our_run(
    folder: Path, records: int, part: str, found: Resolution, meter: Meter, loading: frozenset[str] = _NOTHING
) -> Run:
    facts = {"candidates": float(found.candidates), **_quality(found.person, _labels(folder))}
    counted = tuple(phase for phase in meter.costs if phase not in loading)
    return Run(SUZANI, part, records, meter.costs, counted, peak_mib(), facts)


def our_files(folder: Path, records: int) -> Run:
    """From the raw file of records to the file of persons, as `suzani link --fields` does it."""
    sample = stages.measure_link(folder, records)
    costs = {name: Cost(seconds) for name, seconds in sample.phases.items()}
    return Run(SUZANI, FROM_FILES, records, costs, tuple(costs), sample.peak_mib, sample.facts)


def splink_training(folder: Path, records: int, variant: str) -> Run:
    """Splink trained on the standardised columns, then narrow blocking, scores and clusters."""
    meter, table, chosen = Meter(), _peer_table(folder), VARIANTS[variant]
    peer = SplinkPeer(table, untrained(chosen, table), Width.NARROW, meter)
    peer.train(chosen)
    scored = peer.infer()
    peak = peak_mib()
    peer.save(folder / _THEIR_MODEL)
    facts = {"candidates": float(peer.candidates()), **_over_cuts(folder, peer, scored)}
    return Run(SPLINK, TRAIN_AND_INFER, records, meter.costs, tuple(meter.costs), peak, facts)


def splink_narrow(folder: Path, records: int) -> Run:
    """Splink's blocking, scores and clusters with the model it learned, narrow blocking."""
    return _splink_inference(folder, records, NARROW, Width.NARROW)


def splink_wide(folder: Path, records: int) -> Run:
    """Splink's blocking, scores and clusters with the model it learned, wide blocking."""
    return _splink_inference(folder, records, WIDE, Width.WIDE)


def _splink_inference(folder: Path, records: int, part: str, width: Width) -> Run:
    meter, table = Meter(), _peer_table(folder)
    peer = SplinkPeer(table, json.loads((folder / _THEIR_MODEL).read_text("utf-8")), width, meter)
    peer.count_frequencies()
    scored = peer.infer()
    peak = peak_mib()
    facts = {"candidates": float(peer.candidates()), **_over_cuts(folder, peer, scored)}
    counted = tuple(phase for phase in meter.costs if phase not in _LOADING)
    return Run(SPLINK, part, records, meter.costs, counted, peak, facts)


def _peer_table(folder: Path) -> pa.Table:
    return with_date_parts(pq.read_table(folder / _COLUMNS).replace_schema_metadata(None))


def _over_cuts(folder: Path, peer: SplinkPeer, scored: object) -> dict[str, float]:
    """Quality at the default cut, and at the best of several cuts as the truth shows it."""
    truth = _labels(folder)
    by_cut = {cut: _quality(peer.persons(scored, cut), truth) for cut in CUTS}
    best = best_cut(by_cut.items())
    return {**by_cut[CUT], "best_cut": best, "best_f1": by_cut[best]["f1"]} | {
        "best_over_merged": by_cut[best]["over_merged"]
    }


def best_cut(qualities: Iterable[tuple[float, dict[str, float]]]) -> float:
    """The cut with the highest F1."""
    return max(qualities, key=lambda item: item[1]["f1"])[0]


def _labels(folder: Path) -> Labels:
    return np.asarray(np.load(folder / _TRUTH), dtype=np.int64)


def _quality(found: Labels, truth: Labels) -> dict[str, float]:
    result = evaluate_partition(found, truth)
    return {
        "persons": float(result.found_persons),
        "true_persons": float(result.true_persons),
        "precision": round(result.pairwise.precision, 5),
        "recall": round(result.pairwise.recall, 5),
        "f1": round(result.pairwise.f1, 5),
        "over_merged": float(result.over_merged),
        "splits": float(result.splits),
    }
