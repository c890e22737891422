"""The figures of `bench identity` as rows of a table, each with its ratio to the peer."""

from __future__ import annotations

from collections.abc import Callable

from suzani.bench.contest import FROM_FILES, NARROW, SUZANI, TRAIN_AND_INFER, WIDE
from suzani.bench.types import Contest, Run

Figure = Callable[[Contest, Run], float | None]

_NONE = "–"


def _cpu(contest: Contest, run: Run) -> float:
    return run.cost.cpu_seconds


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


_ROWS: tuple[tuple[str, str, Figure, str, bool], ...] = (
    ("train and infer, CPU s", TRAIN_AND_INFER, _cpu, ".1f", True),
    ("infer, narrow, CPU s", NARROW, _cpu, ".1f", True),
    ("infer, wide, CPU s", WIDE, _cpu, ".1f", True),
    ("peak memory, train and infer, MiB", TRAIN_AND_INFER, lambda contest, run: run.peak_mib, ",.0f", True),
    ("pairs compared, train and infer", TRAIN_AND_INFER, _fact("candidates"), ",.0f", False),
    ("pairs compared, narrow", NARROW, _fact("candidates"), ",.0f", False),
    ("pairs compared, wide", WIDE, _fact("candidates"), ",.0f", False),
    ("pairwise F1, default cut", TRAIN_AND_INFER, _fact("f1"), ".4f", False),
    ("pairwise F1, default cut, wide", WIDE, _fact("f1"), ".4f", False),
    ("pairwise F1, best cut, narrow", TRAIN_AND_INFER, _fact("best_f1"), ".4f", False),
    ("over-merged persons", TRAIN_AND_INFER, _fact("over_merged"), ",.0f", True),
    ("over-merged persons, best cut", TRAIN_AND_INFER, _fact("best_over_merged"), ",.0f", False),
    ("split persons", TRAIN_AND_INFER, _fact("splits"), ",.0f", True),
    ("growth per pair (1 is linear)", TRAIN_AND_INFER, _growth, ".2f", False),
    ("F1 lost since the smallest size", TRAIN_AND_INFER, _lost, ".4f", False),
    ("files to persons, wall s", FROM_FILES, lambda contest, run: run.cost.seconds, ".1f", False),
    ("files to persons, peak MiB", FROM_FILES, lambda contest, run: run.peak_mib, ",.0f", False),
)


def headings(contest: Contest) -> list[str]:
    """The first row: what is measured, then for every size ours, the peer's, and the ratio."""
    columns = ["identity"]
    for records in contest.sizes:
        columns.append(f"{records:,}")
        columns += [f"{contest.peer} {records:,}", "ratio"] if contest.peer else []
    return columns


def rows(contest: Contest) -> list[list[str]]:
    """Every figure; a ratio above 1 says how many times less than the peer it took."""
    found = [[name, *_cells(contest, part, figure, form, ratio)] for name, part, figure, form, ratio in _ROWS]
    return [row for row in found if any(cell != _NONE for cell in row[1:])]


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


def _cells(contest: Contest, part: str, figure: Figure, form: str, ratio: bool) -> list[str]:
    cells = []
    for records in contest.sizes:
        ours = _value(contest, records, SUZANI, part, figure)
        cells.append(_text(ours, form))
        if contest.peer:
            theirs = _value(contest, records, contest.peer, part, figure)
            cells.append(_text(theirs, form))
            cells.append(f"{theirs / ours:.1f}×" if ratio and ours and theirs is not None else _NONE)
    return cells


def _value(contest: Contest, records: int, program: str, part: str, figure: Figure) -> float | None:
    run = contest.run(records, program, part)
    return None if run is None else figure(contest, run)


def _text(value: float | None, form: str) -> str:
    return _NONE if value is None else format(value, form)
