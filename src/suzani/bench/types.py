"""What a measurement is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and with what it was measured."""

    processor: str
    cores: int
    memory_gib: float
    system: str
    versions: dict[str, str]

    def as_dict(self) -> dict[str, object]:
        """Plain values for `--json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall and processor seconds."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, self.cpu_seconds + other.cpu_seconds)


@dataclass(frozen=True, slots=True)
class Run:
    """One part of a comparison, run by one program at one size.

    `costs` are by phase; `counted` are the phases that the headline sums. `facts` are counts and qualities.
    """

    program: str
    part: str
    records: int
    costs: dict[str, Cost]
    counted: tuple[str, ...]
    peak_mib: float
    facts: dict[str, float] = field(default_factory=dict)

    @property
    def cost(self) -> Cost:
        """What the counted phases cost together."""
        return sum((self.costs[name] for name in self.counted), Cost())

    def as_dict(self) -> dict[str, object]:
        """Plain values for `--json`."""
        cost = self.cost
        return {
            "program": self.program,
            "part": self.part,
            "records": self.records,
            "seconds": round(cost.seconds, 3),
            "cpu_seconds": round(cost.cpu_seconds, 3),
            "peak_mib": round(self.peak_mib, 1),
            "phases": {
                name: {"seconds": round(spent.seconds, 3), "cpu_seconds": round(spent.cpu_seconds, 3)}
                for name, spent in self.costs.items()
            },
            "counted": list(self.counted),
            "facts": self.facts,
        }


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
            "machine": self.machine.as_dict(),
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


@dataclass(frozen=True, slots=True)
class Contest:
    """What `bench identity` measured: for every size, program and part the run of median cost."""

    machine: Machine
    peer: str
    repeat: int
    runs: tuple[Run, ...]

    def run(self, records: int, program: str, part: str) -> Run | None:
        """One run, if it was measured."""
        wanted = (records, program, part)
        return next((run for run in self.runs if (run.records, run.program, run.part) == wanted), None)

    @property
    def sizes(self) -> list[int]:
        """The sizes, smallest first."""
        return sorted({run.records for run in self.runs})

    def as_dict(self) -> dict[str, object]:
        """Plain values for `--json`."""
        return {
            "benchmark": "identity",
            "machine": self.machine.as_dict(),
            "peer": self.peer,
            "repeat": self.repeat,
            "runs": [run.as_dict() for run in self.runs],
        }
