"""What a measurement is."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and with what it was measured."""

    processor: str
    cores: int
    memory_gib: float
    system: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One run at one size.

    `phases` are seconds by name, `seconds` their sum; `peak_mib` is the most memory the measured process held
    (the database server's is not in it). `growth` is how much longer a record took than at the smallest size
    (1.0 is linear). `facts` are counts and qualities of the result.
    """

    records: int
    phases: dict[str, float]
    seconds: float
    peak_mib: float
    facts: dict[str, float] = field(default_factory=dict)
    growth: float = 1.0

    @property
    def records_per_second(self) -> float:
        """Throughput over all phases."""
        return self.records / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """All sizes of one benchmark."""

    benchmark: str
    machine: Machine
    samples: tuple[Sample, ...]

    def as_dict(self) -> dict[str, object]:
        """Plain values for `--json`."""
        return {
            "benchmark": self.benchmark,
            "machine": {name: getattr(self.machine, name) for name in self.machine.__slots__},
            "samples": [
                {
                    "records": sample.records,
                    "seconds": round(sample.seconds, 3),
                    "records_per_second": round(sample.records_per_second, 1),
                    "peak_mib": round(sample.peak_mib, 1),
                    "growth": round(sample.growth, 3),
                    "phases": {name: round(seconds, 3) for name, seconds in sample.phases.items()},
                    "facts": sample.facts,
                }
                for sample in self.samples
            ],
        }
