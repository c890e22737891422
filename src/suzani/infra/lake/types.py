"""What a lake is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Lake:
    """The folder of a lake.

    <dataset>/day=2026-11-22/part-<file>.parquet   what any engine reads
    .files/<dataset>/<file>.parquet                the same files, by hard links; here they stay for an hour
                                                   after they were replaced
    """

    folder: Path

    def stored(self, dataset: str, file: UUID) -> Path:
        """Where a file is kept as long as anybody may read it."""
        return self.folder / ".files" / dataset / f"{file}.parquet"

    @property
    def fresh(self) -> Path:
        """Where folders are made before they take the place of others."""
        return self.folder / ".fresh"

    def day(self, dataset: str, day: date) -> Path:
        """The folder where a day is read."""
        return self.folder / dataset / f"day={day.isoformat()}"

    def shown(self, dataset: str, day: date, file: UUID) -> Path:
        """Where a file of a day is read."""
        return self.day(dataset, day) / f"part-{file}.parquet"


@dataclass(frozen=True, slots=True)
class LakeDay:
    """What a dataset has of one day."""

    dataset: str
    day: date
    files: int
    rows: int
    bytes: int
