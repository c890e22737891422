"""What crosses the parts of this capability: rows as read, rows refused, and the report of a load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

MEGABYTE = 1 << 20


class Reason(StrEnum):
    """Why a row is in quarantine."""

    BROKEN_ENCODING = "broken_encoding"
    NUL_BYTE = "nul_byte"
    TOO_LARGE = "too_large"
    WRONG_SHAPE = "wrong_shape"
    UNREADABLE = "unreadable"
    MISSING_KEY = "missing_key"
    DUPLICATE_KEY = "duplicate_key"
    WRONG_TYPE = "wrong_type"
    WRONG_VALUE = "wrong_value"


class Mode(StrEnum):
    """What a key that is absent from a load means: nothing (delta), or that the record is gone (snapshot)."""

    DELTA = "delta"
    SNAPSHOT = "snapshot"


class Fate(StrEnum):
    """What became of a row that could be read."""

    NEW = "new"
    CHANGED = "changed"
    DELETED = "deleted"
    RESTORED = "restored"
    REKEYED = "rekeyed"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that keep memory flat whatever a file holds, in bytes, rows and lines."""

    field_bytes: int = MEGABYTE
    row_bytes: int = 16 * MEGABYTE
    block_bytes: int = 4 * MEGABYTE
    batch_rows: int = 20_000
    quoted_lines: int = 200


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that cannot be used, kept as it was.

    `row` is its 1-based physical row (the line it starts on), `raw` its exact bytes, `values` its columns as
    text where the row could be taken apart; the text of the `damaged` columns is for reading only and has to
    be replaced before a replay. `key` is the record's key when it can be told.
    """

    row: int
    reason: Reason
    detail: str
    raw: bytes
    field: str | None = None
    values: dict[str, str | None] | None = None
    damaged: tuple[str, ...] = ()
    key: str | None = None


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Rows as a reader found them: columns of text, the row number of each, and the rows it had to refuse.

    `raw(i)` gives the exact bytes of the i-th row of `table`; it is asked only for rows refused later.
    """

    table: pa.Table
    rows: npt.NDArray[np.int64]
    rejects: list[Reject]
    raw: Callable[[int], bytes]

    @property
    def count(self) -> int:
        """Rows in the file that this batch accounts for."""
        return int(self.table.num_rows) + len(self.rejects)


@dataclass(frozen=True, slots=True)
class ShapedBatch:
    """Rows ready to be stored: `records` (one row each, by row number), their `products`, and the refused.

    `raw` and `values` look a row up again by its row number, for one that turns out to be a duplicate.
    """

    records: pa.Table
    products: pa.Table
    rejects: list[Reject]
    unchanged_repeats: int
    lookup: Callable[[int], tuple[bytes, dict[str, str | None]]]
    count: int


@dataclass(frozen=True, slots=True)
class Sql:
    """A query on another database, in place of a file; `url` is an SQLAlchemy URL and stays out of logs."""

    query: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How to load: `mode` overrides the mapping's, `allow_deletes` lifts the guard against cut-off files."""

    mode: Mode | None = None
    allow_deletes: bool = False
    limits: Limits = field(default_factory=Limits)
    mapping_file: str | None = None
    sql: Sql | None = None


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What one load did. `rows_in` is always `new + changed + unchanged + quarantined` (all counts of rows).

    `changed` includes rows that restored a record or marked it deleted. `records_deleted` counts records that
    are gone after this load, `records_rekeyed` those that go on under another key, `deletes_held` those that
    are absent but kept because some rows of the snapshot could not be read.
    """

    load_id: int
    system: str
    file: str
    mode: Mode
    rows_in: int
    rows_new: int
    rows_changed: int
    rows_unchanged: int
    rows_quarantined: int
    records_deleted: int
    records_restored: int
    records_rekeyed: int
    deletes_held: int
    seconds: float
    resumed: bool
    quarantined_by_reason: dict[str, int]
    warnings: tuple[str, ...] = ()

    @property
    def changed_anything(self) -> bool:
        """Whether the stored records differ from before the load."""
        return bool(self.rows_new + self.rows_changed + self.records_deleted + self.records_rekeyed)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain values, for `--json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """One row in quarantine, as it is listed, shown, exported and replayed."""

    quarantine_id: int
    load_id: int
    system: str
    file: str
    row: int
    reason: Reason
    field: str | None
    detail: str
    state: str
    at: datetime
    key: str | None
    raw: bytes
    values: dict[str, str | None] | None
    damaged: tuple[str, ...]
    note: str | None
    columns: tuple[str, ...]
