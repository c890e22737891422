"""A dry run of a mapping: which rows of a file would go to quarantine, and why. Nothing is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from suzani.sources.mapping import Mapping
from suzani.sources.readers import open_file
from suzani.sources.service import check_columns
from suzani.sources.shaping import shape
from suzani.sources.types import Limits, Reason

EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Example:
    """One row that would be refused."""

    row: int
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Check:
    """How a mapping fits a file: rows, those that would be stored or refused, products, and filled values.

    `filled` counts, by target, the rows that have a value; a target with 0 may be mapped to the wrong column.
    """

    rows: int
    usable: int
    products: int
    refused: dict[str, int]
    examples: tuple[Example, ...]
    filled: dict[str, int]


def check(mapping: Mapping, path: Path, limits: Limits | None = None) -> Check:
    """Read a whole file through a mapping. Raises as a load would, and finds what it finds.

    Repeats of a key are found within a batch only.
    """
    rows = usable = products = 0
    refused: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    examples: list[Example] = []
    targets = [*mapping.attributes, *(["as_of"] if mapping.as_of else [])]
    with open_file(path, mapping.format, mapping.columns(), limits) as source:
        check_columns(mapping, source, str(path))
        for batch in source.batches:
            shaped = shape(batch, mapping)
            rows += shaped.count
            usable += shaped.count - len(shaped.rejects)
            products += shaped.products.num_rows
            refused.update(str(reject.reason) for reject in shaped.rejects)
            room = EXAMPLES - len(examples)
            examples += [Example(r.row, r.reason, r.detail) for r in shaped.rejects[:room]]
            for name in targets:
                column = shaped.records.column(name)
                filled[name] += len(column) - column.null_count
    return Check(rows, usable, products, dict(refused), tuple(examples), {n: filled[n] for n in targets})
