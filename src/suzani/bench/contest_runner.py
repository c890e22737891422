"""Runs `bench identity`: the same records through this engine and a peer, each part in a fresh process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from suzani.bench import contest, stages
from suzani.bench.machine import this_machine
from suzani.bench.runner import Stage, apart, temporary_folder
from suzani.bench.splink_peer import require_splink
from suzani.bench.splink_settings import DEFAULT, VARIANTS
from suzani.bench.types import Contest, Run
from suzani.kernel import InvalidInput

Part = Callable[[Path, int], Run]

_PREPARE: tuple[Stage, ...] = (stages.make_bank, stages.export_records, contest.standardise, contest.warm_up)
_OURS: tuple[Part, ...] = (contest.our_training, contest.our_narrow, contest.our_wide, contest.our_files)


def _splink_parts(variant: str) -> tuple[Part, ...]:
    if variant not in VARIANTS:
        raise InvalidInput(f"there are no settings called {variant!r}", hint=f"Known: {', '.join(VARIANTS)}.")
    require_splink()
    training = partial(contest.splink_training, variant=variant)
    return training, contest.splink_narrow, contest.splink_wide


PEERS: Mapping[str, Callable[[str], tuple[Part, ...]]] = {contest.SPLINK: _splink_parts}
"""Programs to compare with: the parts each runs, given the name of its settings."""


def compare(
    sizes: Sequence[int],
    progress: Callable[[str], None],
    *,
    peer: str = "",
    settings: str = DEFAULT,
    repeat: int = 1,
) -> Contest:
    """Measure every part at every size, smallest first, `repeat` times; the run of median CPU cost counts.

    Raises InvalidInput for an unknown peer or settings, and for a peer that is not installed.
    """
    if peer and peer not in PEERS:
        raise InvalidInput(f"there is no peer called {peer!r}", hint=f"Known peers: {', '.join(PEERS)}.")
    parts = _OURS + (PEERS[peer](settings) if peer else ())
    runs: list[Run] = []
    for records in sorted(set(sizes)):
        with temporary_folder() as folder:
            for stage in _PREPARE:
                progress(f"{records:,} records: {stage.__name__.replace('_', ' ')}")
                apart(stage, folder, records)
            runs += _measured(parts, folder, records, repeat, progress)
    return Contest(this_machine(), peer, repeat, tuple(runs))


def _measured(
    parts: Sequence[Part], folder: Path, records: int, repeat: int, progress: Callable[[str], None]
) -> list[Run]:
    found = []
    for part in parts:
        tries = [apart(part, folder, records) for _ in range(repeat)]
        run = median_run(tries)
        cost = run.cost
        progress(f"{records:,} records: {run.program}, {run.part}: {cost.cpu_seconds or cost.seconds:.1f} s")
        found.append(run)
    return found


def median_run(runs: Sequence[Run]) -> Run:
    """The run of median cost: CPU seconds, or wall seconds where CPU was not metered."""
    ordered = sorted(runs, key=lambda run: (run.cost.cpu_seconds, run.cost.seconds))
    return ordered[(len(ordered) - 1) // 2]
