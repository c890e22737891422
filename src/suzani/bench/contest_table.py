"""The figures of `bench identity` as rows of a table, each with its ratio to the peer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from suzani.bench.contest import FROM_FILES, NARROW, SUZANI, TRAIN_AND_INFER, WIDE
from suzani.bench.types import Contest, Run

Figure = Callable[[Contest, Run], float | None]

_NONE = "–"


def _cpu(contest: Contest, run: Run) -> float:
    return run.cost.cpu_seconds


def _all_cpu(contest: Contest, run: Run) -> float:
    return sum(cost.cpu_seconds for cost in run.costs.values())


def _fact(name: str) -> Figure:
    return lambda contest, run: run.facts.get(name)


def _growth(contest: Contest, run: Run) -> float | None:
    """CPU seconds of a pair compared, against those at the smallest size (1 is linear)."""
    smallest = contest.run(contest.sizes[0], run.program, run.part)
    pairs = run.facts.get("candidates")
    if smallest is None or not pairs or not smallest.cost.cpu_seconds:
        return None
    return (run.cost.cpu_seconds / pairs) / (smallest.cost.cpu_seconds / smallest.facts["candidates"])


def _lost(contest: Contest, run: Run) -> float | None:
    """How far F1 lies below that at the smallest size."""
    smallest = contest.run(contest.sizes[0], run.program, run.part)
    return None if smallest is None else smallest.facts["f1"] - run.facts["f1"]


@dataclass(frozen=True, slots=True)
class _Row:
    """A figure of one part, how it is written, and whether less of it is better in proportion."""

    name: str
    part: str
    figure: Figure
    form: str
    compared: bool = False


_ROWS = (
    _Row("train and infer, CPU s", TRAIN_AND_INFER, _cpu, ".1f", compared=True),
    _Row("infer, narrow, CPU s", NARROW, _cpu, ".1f", compared=True),
    _Row("infer, wide, CPU s", WIDE, _cpu, ".1f", compared=True),
    _Row("load and infer, narrow, CPU s", NARROW, _all_cpu, ".1f", compared=True),
    _Row("load and infer, wide, CPU s", WIDE, _all_cpu, ".1f", compared=True),
    _Row(
        "peak memory, train and infer, MiB",
        TRAIN_AND_INFER,
        lambda contest, run: run.peak_mib,
        ",.0f",
        compared=True,
    ),
    _Row("pairs compared, train and infer", TRAIN_AND_INFER, _fact("candidates"), ",.0f"),
    _Row("pairs compared, narrow", NARROW, _fact("candidates"), ",.0f"),
    _Row("pairs compared, wide", WIDE, _fact("candidates"), ",.0f"),
    _Row("pairwise F1, default cut", TRAIN_AND_INFER, _fact("f1"), ".4f"),
    _Row("pairwise F1, default cut, wide", WIDE, _fact("f1"), ".4f"),
    _Row("pairwise F1, best cut, narrow", TRAIN_AND_INFER, _fact("best_f1"), ".4f"),
    _Row("over-merged persons", TRAIN_AND_INFER, _fact("over_merged"), ",.0f", compared=True),
    _Row("over-merged persons, best cut", TRAIN_AND_INFER, _fact("best_over_merged"), ",.0f"),
    _Row("split persons", TRAIN_AND_INFER, _fact("splits"), ",.0f", compared=True),
    _Row("growth per pair (1 is linear)", TRAIN_AND_INFER, _growth, ".2f"),
    _Row("F1 lost since the smallest size", TRAIN_AND_INFER, _lost, ".4f"),
    _Row("files to persons, wall s", FROM_FILES, lambda contest, run: run.cost.seconds, ".1f"),
    _Row("files to persons, peak MiB", FROM_FILES, lambda contest, run: run.peak_mib, ",.0f"),
)


def headings(contest: Contest, records: int) -> list[str]:
    """The first row of a size's table: what is measured, ours, the peer's, and the ratio."""
    return [f"{records:,} records", SUZANI, *([contest.peer, "ratio"] if contest.peer else [])]


def rows(contest: Contest, records: int) -> list[list[str]]:
    """Every figure at a size; a ratio above 1 says how many times less than the peer it took."""
    found = [[row.name, *_cells(contest, records, row)] for row in _ROWS]
    return [cells for cells in found if any(cell != _NONE for cell in cells[1:])]


def phases(contest: Contest) -> list[list[str]]:
    """CPU seconds of every phase: program, part, phase, then one column a size."""
    found = []
    for run in (run for run in contest.runs if run.records == contest.sizes[-1] and run.part != FROM_FILES):
        for phase in run.costs:
            same = [contest.run(records, run.program, run.part) for records in contest.sizes]
            cells = [
                f"{one.costs[phase].cpu_seconds:.1f}" if one and phase in one.costs else _NONE for one in same
            ]
            found.append([f"{run.program}, {run.part}: {phase}", *cells])
    return found


def _cells(contest: Contest, records: int, row: _Row) -> list[str]:
    ours = _value(contest, records, SUZANI, row)
    cells = [_text(ours, row.form)]
    if contest.peer:
        theirs = _value(contest, records, contest.peer, row)
        ratio = f"{theirs / ours:.1f}×" if row.compared and ours and theirs is not None else _NONE
        cells += [_text(theirs, row.form), ratio]
    return cells


def _value(contest: Contest, records: int, program: str, row: _Row) -> float | None:
    run = contest.run(records, program, row.part)
    return None if run is None else row.figure(contest, run)


def _text(value: float | None, form: str) -> str:
    return _NONE if value is None else format(value, form)
