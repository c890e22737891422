"""Query records: records of the bank, written once more by a hurried clerk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from suzani.kernel import ATTRIBUTES

SYSTEM = "bench"
"""The system that asked-about records are stored under."""

_SLIPPED = ("given_name", "family_name", "patronymic", "full_name", "address", "phone", "document")
_LEFT_OUT = ("phone", "phone_2", "email", "address", "document", "national_id", "patronymic", "occupation")
_SLIP_SHARE, _LEFT_OUT_SHARE = 0.12, 0.2


@dataclass(frozen=True, slots=True)
class Query:
    """Attributes as typed, and the id of the record they were drawn from."""

    attributes: dict[str, str]
    source_id: str


def drawn(records: Path, count: int, seed: int) -> list[Query]:
    """Queries drawn from an exported file of records, without repeating one while there are enough.

    Deterministic: the same file, count and seed give the same queries.
    """
    generator = np.random.default_rng(seed)
    rows = pq.read_metadata(records).num_rows
    chosen = generator.choice(rows, count, replace=count > rows)
    table = pq.read_table(records).take(np.sort(chosen))
    order = generator.permutation(count)
    return [_query(record, generator) for record in table.take(order).to_pylist()]


def _query(record: Mapping[str, str | None], generator: np.random.Generator) -> Query:
    stated = {name: value for name in ATTRIBUTES if (value := record.get(name))}
    return Query(noised(stated, generator), str(record["id"]))


def noised(attributes: Mapping[str, str], generator: np.random.Generator) -> dict[str, str]:
    """The same person typed again: some fields left out, some with one slip. Never leaves nothing."""
    kept = {
        name: value
        for name, value in attributes.items()
        if name not in _LEFT_OUT or generator.random() >= _LEFT_OUT_SHARE
    }
    return {
        name: slip(value, generator) if name in _SLIPPED and generator.random() < _SLIP_SHARE else value
        for name, value in (kept or dict(attributes)).items()
    }


def slip(text: str, generator: np.random.Generator) -> str:
    """One slip of the keyboard: a character doubled, dropped, or swapped with the next."""
    if len(text) < 3:
        return text
    at = int(generator.integers(0, len(text) - 1))
    kind = int(generator.integers(0, 3))
    middle = (text[at] * 2 + text[at + 1], text[at + 1], text[at + 1] + text[at])[kind]
    return text[:at] + middle + text[at + 2 :]


def bodies(queries: Sequence[Query], *, store: bool, prefix: str = "") -> list[bytes]:
    """The queries as request bodies of `POST /v1/identity/resolve`, each under a key of its own."""
    return [
        json.dumps(
            {"system": SYSTEM, "key": f"{prefix}{number}", "attributes": query.attributes, "store": store},
            ensure_ascii=False,
        ).encode()
        for number, query in enumerate(queries)
    ]


def together(bodies: Sequence[bytes], size: int) -> list[bytes]:
    """Request bodies of one record each as bodies of up to `size` records each."""
    parts = [bodies[start : start + size] for start in range(0, len(bodies), size)]
    return [b'{"records": [' + b", ".join(part) + b"]}" for part in parts]


def make_system(mappings: Path) -> None:
    """Make the system known that asked-about records belong to, by a mapping in a platform's folder."""
    lines = [f"system: {SYSTEM}", "mode: delta", "format: {type: csv}", "key: [id]", "attributes:"]
    lines += [f"  {name}: {name}" for name in ATTRIBUTES]
    mappings.mkdir(parents=True, exist_ok=True)
    (mappings / f"{SYSTEM}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
