"""The lake: datasets of Parquet in day partitions, to which each row is added once."""

from suzani.infra.lake.compacting import compact
from suzani.infra.lake.keeping import keep
from suzani.infra.lake.showing import show
from suzani.infra.lake.store import days, files
from suzani.infra.lake.types import Lake, LakeDay
from suzani.infra.lake.writing import write

__all__ = ["Lake", "LakeDay", "compact", "days", "files", "keep", "show", "write"]
