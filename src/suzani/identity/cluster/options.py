"""How the work is shared out."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

from suzani.identity.pairs.partition import Options


@dataclass(frozen=True)
class ClusterOptions:
    """How much is held at once, and where.

    `learn_from`: most records that the driver learns from; `per_task`: records that one task holds;
    `blocks_of_a_record`: in how many buckets of blocks a record is expected, by which the buckets are sized;
    `partitions`: tasks of a stage (None: by `per_task`); `driver_edges`: up to so many pairs are joined to
    components in the driver's memory (24 bytes each, thrice while sorting), more by joins of Spark;
    `matching`: the options of the engine.
    """

    learn_from: int = 1_000_000
    per_task: int = 200_000
    blocks_of_a_record: int = 6
    partitions: int | None = None
    driver_edges: int = 200_000_000
    matching: Options = field(default_factory=Options)

    def tasks(self, records: int, cores: int) -> int:
        """Tasks of a stage that takes each record once; at least one a core."""
        return self.partitions or max(cores, ceil(records / self.per_task))

    def buckets(self, records: int, cores: int) -> int:
        """Buckets of blocks: a record is in several."""
        return self.tasks(records * self.blocks_of_a_record, cores)
